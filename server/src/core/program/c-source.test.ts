import assert from 'node:assert/strict';
import { readC } from './c-reading.test.ts';

describe('C files and their headers', () => {
  it('follows quoted headers beside the file and others along the include paths', async () => {
    const source = await readC(
      { 'a.c': '#include "b.h"\n#include <linux/c.h>\n#include <missing.h>\nvoid f(void) { helper(); }', 'b.h': 'static inline int helper(void) { return deep(); }\nstatic inline int unused(void) { return 1; }', 'inc/linux/c.h': 'static inline int deep(void) { return 2; }' },
      [],
      ['inc'],
    );
    assert.deepEqual(source.includes.map((one) => [one.name, one.resolved]), [['b.h', 'b.h'], ['linux/c.h', 'inc/linux/c.h'], ['missing.h', null]]);
    assert.deepEqual(source.functions.map((one) => [one.name, one.file]), [['f', 'a.c'], ['helper', 'b.h'], ['deep', 'inc/linux/c.h']]);
  });

  it('honours the configuration', async () => {
    const text = '#ifdef CONFIG_X\nvoid on(void) { }\n#else\nvoid off(void) { }\n#endif\n#if IS_ENABLED(CONFIG_Y) && LEVEL > 2\nvoid never(void) { }\n#elif defined(CONFIG_X)\nvoid other(void) { }\n#endif\n#if 0\nvoid zero(void) {\n#endif\n';
    assert.deepEqual((await readC(text, ['CONFIG_X'])).functions.map((one) => one.name), ['on', 'other']);
    assert.deepEqual((await readC(text)).functions.map((one) => one.name), ['off']);
  });

  it('gives the entry macros their functions, parameters and names', async () => {
    const source = await readC(`
DEFINE_IDTENTRY(exc_divide_error) { }
DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault) { }
DEFINE_IDTENTRY_IST(exc_virtualization_exception) { }
DEFINE_IDTENTRY_DF(exc_double_fault) { }
DEFINE_IDTENTRY_NOIST(exc_debug) { }
DEFINE_FREDENTRY_NMI(exc_nmi) { }
DEFINE_IDTENTRY_SYSVEC(sysvec_call) { }
DEFINE_IDTENTRY_IRQ(common_interrupt) { }
`);
    assert.deepEqual(
      source.functions.map((one) => `${one.definedBy} ${one.name}(${one.parameters.map((parameter) => parameter.name).join(', ')})`),
      [
        'DEFINE_IDTENTRY exc_divide_error(regs)',
        'DEFINE_IDTENTRY_RAW_ERRORCODE exc_page_fault(regs, error_code)',
        'DEFINE_IDTENTRY_IST exc_virtualization_exception(regs)',
        'DEFINE_IDTENTRY_DF exc_double_fault(regs, error_code)',
        'DEFINE_IDTENTRY_NOIST noist_exc_debug(regs)',
        'DEFINE_FREDENTRY_NMI fred_exc_nmi(regs)',
        'DEFINE_IDTENTRY_SYSVEC sysvec_call(regs)',
        'DEFINE_IDTENTRY_IRQ common_interrupt(regs, vector)',
      ],
    );
  });

  it('keeps attributes by their place', async () => {
    const source = await readC('static noinstr void f(void) { }\nvoid __noreturn g(void) { }\nasmlinkage __visible void __section(".entry.text") h(struct pt_regs *regs) { }');
    assert.deepEqual(source.functions.map((one) => [one.name, one.attributes]), [
      ['f', ['static', 'noinstr']],
      ['g', ['__noreturn']],
      ['h', ['asmlinkage', '__visible', '__section(".entry.text")']],
    ]);
    assert.deepEqual(source.problems, []);
  });

  it('finds per-CPU and global variables with their sizes', async () => {
    const source = await readC(
      'struct s { u64 a; u32 b[3]; };\nDEFINE_PER_CPU(struct s, one);\nDECLARE_PER_CPU(int, two);\nDEFINE_PER_CPU_PAGE_ALIGNED(struct s, three) __aligned(64);\nstatic DEFINE_PER_CPU(u8, four) = 3;\nstatic struct s five[2];\nextern unsigned long six;\n',
    );
    assert.deepEqual(source.variables.map((one) => `${one.area} ${one.type} ${one.name} ${one.size}`), ['percpu struct s one 24', 'percpu int two 4', 'percpu struct s three 24', 'percpu u8 four 1', 'global struct s five 48', 'global unsigned long six 8']);
  });

  it('reads the rows of IDT tables and the declared entries', async () => {
    const source = await readC(`
DECLARE_IDTENTRY_IST(X86_TRAP_VE, exc_virtualization_exception);
static const __initconst struct idt_data early_idts[] = {
	INTG(X86_TRAP_DB, asm_exc_debug),
#ifdef CONFIG_X
	SYSG(X86_TRAP_BP, asm_exc_int3),
#endif
	ISTG(X86_TRAP_VE, asm_exc_virtualization_exception, IST_INDEX_VE),
	G(X86_TRAP_OF, asm_exc_overflow, IST_INDEX_DB + 1, GATE_INTERRUPT, DPL3, __KERNEL_CS),
	G(X86_TRAP_BR, asm_exc_bounds, DEFAULT_STACK, GATE_INTERRUPT, DPL0, __KERNEL_CS),
};
`, ['CONFIG_X']);
    assert.deepEqual(source.idtRows.map(({ macro, vector, stub, ist, dpl, table }) => [macro, vector, stub, ist, dpl, table]), [
      ['INTG', 'X86_TRAP_DB', 'asm_exc_debug', null, 0, 'early_idts'],
      ['SYSG', 'X86_TRAP_BP', 'asm_exc_int3', null, 3, 'early_idts'],
      ['ISTG', 'X86_TRAP_VE', 'asm_exc_virtualization_exception', 'IST_INDEX_VE', 0, 'early_idts'],
      ['G', 'X86_TRAP_OF', 'asm_exc_overflow', 'IST_INDEX_DB', 3, 'early_idts'],
      ['G', 'X86_TRAP_BR', 'asm_exc_bounds', null, 0, 'early_idts'],
    ]);
    assert.deepEqual(source.declaredEntries.map((one) => [one.macro, one.vector, one.function]), [['DECLARE_IDTENTRY_IST', 'X86_TRAP_VE', 'exc_virtualization_exception']]);
  });

  it('keeps the types that functions take, declared or defined', async () => {
    const { parameterTypes } = await readC('asmlinkage __visible notrace\nstruct s *moved(struct s *argument);\nint plain(void);\nstatic int two(unsigned long a, const char *b)\n{\n\treturn 0;\n}\n');
    assert.deepEqual([...parameterTypes], [['moved', ['struct s *']], ['plain', []], ['two', ['unsigned long', 'char *']]]);
  });

  it('evaluates macro constants and enumerators', async () => {
    const { constants } = await readC('#define X86_TRAP_VE 20\n#define FLAG BIT(3)\n#define BOTH (FLAG | _AC(1, UL))\n#define TEXT "x"\nenum { A, B = X86_TRAP_VE, C, D = sizeof(u64) };\n#undef FLAG\n#define FLAG (1UL << 4)\n');
    assert.deepEqual(['X86_TRAP_VE', 'FLAG', 'BOTH', 'TEXT', 'A', 'B', 'C', 'D'].map((name) => constants.get(name)), [20n, 16n, 17n, undefined, 0n, 20n, 21n, 8n]);
  });
});

interface LayoutCase {
  readonly title: string;
  readonly text: string;
  readonly layout: string;
}

const layouts: readonly LayoutCase[] = [
  { title: 'natural alignment and tail padding', text: 'struct s { u8 a; u32 b; u16 c; u64 d; u8 e; };', layout: '32: a@0 b@4 c@8 d@16 e@24' },
  { title: '__packed', text: 'struct s { u8 a; u32 b; u64 c; } __packed;', layout: '13: a@0 b@1 c@5' },
  { title: '__attribute__((packed)) before the name', text: 'struct __attribute__((packed)) s { u8 a; u32 b; };', layout: '5: a@0 b@1' },
  { title: '__aligned on a member and on the whole', text: 'struct s { u8 a; u8 b __aligned(16); } __aligned(64);', layout: '64: a@0 b@16' },
  { title: 'anonymous unions and structs', text: 'struct s { u32 a; union { u64 b; struct { u32 c; u32 d; }; }; u8 e; };', layout: '24: a@0 b@8 c@8 d@12 e@16' },
  { title: 'nested structs and arrays', text: 'struct t { u16 x; u64 y; }; struct s { u8 a[3]; struct t b[2]; void *c; int (*d)(void); };', layout: '56: a@0 b@8 c@40 d@48' },
  { title: 'bit-fields share and leave units', text: 'struct s { u32 a:3; u32 b:30; u8 c; u16 d:4, e:4; };', layout: '12: a@0 b@4 c@8 d@8 e@8' },
  { title: 'unnamed bit-fields move what follows but align nothing', text: 'struct s { u8 a:3; int :0; u8 b:2; unsigned :7; u8 c; };', layout: '7: a@0 b@4 c@6' },
  { title: 'a zero-length array takes no room', text: 'struct s { u64 a; u8 rest[]; };', layout: '8: a@0 rest@8' },
  { title: 'a union has the size of its largest member', text: 'struct u { union { u8 a[9]; u64 b; } v; u32 c; }; typedef struct u t; struct s { t x; };', layout: '24: x@0' },
];

describe('struct layout on x86-64', () => {
  for (const { title, text, layout } of layouts) {
    it(title, async () => {
      const found = (await readC(text)).structs.find((one) => one.name === 's');
      assert.equal(`${found?.size}: ${found?.fields.map((field) => `${field.name}@${field.offset}`).join(' ')}`, layout);
    });
  }
});
