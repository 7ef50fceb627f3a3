// What one construct of either preprocessor becomes: each row is source text and the statements that it assembles to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { configurationOf, parseConfig, presetConfiguration, presetNames } from './configurations.ts';
import { releaseOf } from './choose-configuration.ts';
import { constantOf } from './constants.ts';
import { printExpression } from './expression.ts';
import { preprocess, preprocessC } from './preprocess.ts';
import type { AssemblerStream, FileSource, StreamItem } from './stream.ts';

function sourceOf(files: Readonly<Record<string, string>>): FileSource {
  return { read: (path) => files[path] ?? null };
}

function streamOf(text: string, headers: Readonly<Record<string, string>> = {}, config = ''): AssemblerStream {
  return preprocess('d/a.S', sourceOf({ 'd/a.S': text, ...headers }), configurationOf('test', parseConfig(config)));
}

function shown(item: StreamItem): string {
  switch (item.kind) {
    case 'label': return `${item.name}:`;
    case 'instruction': return item.text;
    case 'data': return `.data${item.size} ${item.values.map(printExpression).join(', ')}`;
    default: return `${item.name} ${item.arguments.join(', ')}`.trim();
  }
}

interface Row {
  readonly name: string;
  readonly text: string;
  readonly config?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly items: readonly string[];
  readonly problems?: readonly string[];
}

function check(rows: readonly Row[]): void {
  for (const row of rows) {
    it(row.name, () => {
      const stream = streamOf(row.text, row.headers, row.config);
      assert.deepEqual(stream.items.map(shown), row.items);
      assert.deepEqual(stream.problems.map((problem) => problem.message), row.problems ?? []);
    });
  }
}

describe('C preprocessor', () => {
  check([
    { name: 'object macro in an operand', text: '#define SIZE (5*8)\nmovq $0, SIZE(%rsp)', items: ['movq $0, (5*8)(%rsp)'] },
    { name: 'function macro over two lines', text: '#define MOVE(a, b) movq a, b\nMOVE(%rax,\n %rbx)\nnop', items: ['movq %rax, %rbx', 'nop'] },
    { name: 'name of a function macro without a call stays', text: '#define f(x) x\njmp f\nnop', items: ['jmp f', 'nop'] },
    { name: 'pasting and stringising', text: '#define R(x) %r##x\n#define S(x) .ascii #x\nS(a "b")\npush R(ax)', items: ['.ascii "a \\"b\\""', 'push %rax'] },
    { name: 'arguments beside ## are not expanded, others are', text: '#define N 1\n#define CAT(a) L##a a\n.globl CAT(N)', items: ['.globl LN 1'] },
    { name: 'empty argument beside ##', text: '#define P(a, b) a##b\npush P(%rax,)', items: ['push %rax'] },
    { name: 'a paste that makes no token stays two', text: '#define T(a) .globl a\n#define H(x) T(##x)\nH(y)', items: ['.globl y'] },
    { name: 'two hashes are a comment', text: '## if nonsense\nnop', items: ['nop'] },
    { name: 'variadic macro', text: '#define V(op, ...) op __VA_ARGS__\nV(movq, %rax, %rbx)', items: ['movq %rax, %rbx'] },
    { name: 'comma before ## __VA_ARGS__ goes with it', text: '#define V(a, ...) .globl a, ##__VA_ARGS__\nV(x)\nV(x, y)', items: ['.globl x', '.globl x, y'] },
    { name: 'a macro does not expand itself', text: '#define a b\n#define b a\n.globl a', items: ['.globl a'] },
    { name: 'conditionals', text: '#if defined(A) && A > 1\nhlt\n#elif !defined B\nnop\n#else\ncli\n#endif\n#ifdef A\nhlt\n#endif', items: ['nop'] },
    { name: 'IS_ENABLED without a kernel tree', text: '#if IS_ENABLED(CONFIG_A) && IS_ENABLED(CONFIG_B) && !IS_ENABLED(CONFIG_C)\nnop\n#endif', config: 'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set', items: ['nop'] },
    { name: 'include guard, folder of the file', text: '#include "h.h"\n#include "h.h"\nX', headers: { 'd/h.h': '#ifndef H\n#define H\nhlt\n#define X nop\n#endif' }, items: ['hlt', 'nop'] },
    { name: 'comments and continuation', text: '/* a\n b */ nop // c\n# d\'e\n#define M cli ; \\\n  sti\nM\nmovq /* x */ %rax, \\\n %rbx', items: ['nop', 'cli', 'sti', 'movq %rax, %rbx'] },
    { name: 'ternary and arithmetic of conditions', text: '#if (1 ? 2 : 0) == 2 && -1 < 0 && 0x10 == 16 && (1 << 3 | 1) == 9\nnop\n#endif', items: ['nop'] },
    { name: 'missing include is told once', text: '#include <x.h>\n#include <x.h>\nnop', items: ['nop'], problems: ['cannot find include file x.h'] },
  ]);

  it('finds a kernel tree by walking up, tolerating headers that a build would make', () => {
    const files = {
      'k/include/linux/kconfig.h': '#define IS_ENABLED(x) x\n#include <generated/autoconf.h>',
      'k/arch/x86/include/asm/a.h': '#define A 1',
      'k/include/asm-generic/g.h': '#define G 2',
      'k/arch/x86/entry/e.S': '#include <asm/a.h>\n#include <asm/g.h>\n#include <asm/asm-offsets.h>\nmovq $A, G(%rax)\nmovq TASK(%rax), %rbx',
    };
    const stream = preprocess('k/arch/x86/entry/e.S', sourceOf(files), configurationOf('none', new Map()));
    assert.deepEqual(stream.items.map(shown), ['movq $1, 2(%rax)', 'movq TASK(%rax), %rbx']);
    assert.deepEqual(stream.problems, []);
    assert.deepEqual(stream.includes.filter((each) => each.resolved === null).map((each) => each.name), ['asm/asm-offsets.h']);
  });

  it('finds what lies above a file in its tree, behind the folders of the tree', () => {
    const files = {
      'k/include/linux/kconfig.h': '',
      'k/arch/x86/include/asm/both.h': '#define BOTH 1',
      'k/arch/x86/kvm/vmenter.h': '#define ABOVE 2',
      'k/arch/x86/kvm/asm/both.h': '#define BOTH 3',
      'k/arch/x86/entry/vdso/common/note.S': 'nop',
      'k/arch/x86/kvm/vmx/v.S': '#include "vmenter.h"\n#include <asm/both.h>\nmovq $ABOVE, BOTH(%rax)',
      'k/arch/x86/entry/vdso/vdso64/note.S': '#include "common/note.S"',
      'vmenter.h': '#define ABOVE 4',
    };
    const read = (file: string): AssemblerStream => preprocess(file, sourceOf(files), configurationOf('none', new Map()));
    assert.deepEqual(read('k/arch/x86/kvm/vmx/v.S').items.map(shown), ['movq $2, 1(%rax)']);
    assert.deepEqual(read('k/arch/x86/entry/vdso/vdso64/note.S').items.map(shown), ['nop']);
    assert.deepEqual(read('k/arch/x86/entry/vdso/vdso64/note.S').problems, []);
  });

  it('constants of a C header', () => {
    const header = '#ifndef T\n#define T\n#define X86_TRAP_VE 20\n#define A (X86_TRAP_VE + 1UL)\n#define F(x) x\n#define Z F(3)\n#define S sizeof(int)\n#endif';
    const stream = preprocessC('t.h', sourceOf({ 't.h': header }), configurationOf('none', new Map()));
    assert.deepEqual(['X86_TRAP_VE', 'A', 'Z', 'S', 'F', 'none'].map((name) => constantOf(name, stream)), [20n, 21n, 3n, null, null, null]);
  });

  it('text left out in the file itself', () => {
    const text = '#ifdef A\nnop\n#else\nhlt\n#endif\n';
    assert.deepEqual(streamOf(text).inactive.map(({ span }) => text.slice(span.start, span.end).trim()), ['nop']);
  });
});

describe('macro language of GNU as', () => {
  check([
    { name: 'arguments by position, name and default', text: '.macro m a b=%rbx c\npush \\a\npush \\b\n.ifnb \\c\npush \\c\n.endif\n.endm\nm %rax\nm c=%rcx, a=%rdx\nm %rsi %rdi', items: ['push %rax', 'push %rbx', 'push %rdx', 'push %rbx', 'push %rcx', 'push %rsi', 'push %rdi'] },
    { name: 'required argument', text: '.macro m a:req\nnop\n.endm\nm', items: ['nop'], problems: ['macro m needs a value for a'] },
    { name: 'vararg', text: '.macro m op rest:vararg\n\\op \\rest\n.endm\nm movq %rax, %rbx', items: ['movq %rax, %rbx'] },
    { name: 'strings hold several statements', text: '.macro twice a\n\\a\n\\a\n.endm\ntwice "cli; sti"', items: ['cli', 'sti', 'cli', 'sti'] },
    { name: '\\@ counts uses, \\() ends a name', text: '.macro m n\n.L\\n\\()x\\@:\n.endm\nm a\nm b', items: ['.Lax0:', '.Lbx1:'] },
    { name: 'nested macros and macros that define macros', text: '.macro def n v\n.macro \\n\npush $\\v\n.endm\n.endm\ndef one 1\none\n.purgem one\ndef one 2\none', items: ['push $1', 'push $2'] },
    { name: 'register comparison', text: '.macro m r\n.if \\r == %rsp\nnop\n.elseif \\r == %rbp\ncli\n.else\nhlt\n.endif\n.endm\nm %rsp\nm %rbp\nm %rax', items: ['nop', 'cli', 'hlt'] },
    { name: 'string comparison', text: '.macro m r\n.ifc \\r,%eax\nnop\n.endif\n.ifnc "\\r","x"\nhlt\n.endif\n.endm\nm %eax', items: ['nop', 'hlt'] },
    { name: 'repetition and a symbol that changes', text: 'v = 3\n.rept 2\n.long v\nv = v + 1\n.endr\n.irp r, rax, rbx\npush %\\r\n.endr\n.irpc c, 12\n.byte \\c\n.endr', items: ['.data4 3', '.data4 4', 'push %rax', 'push %rbx', '.data1 1', '.data1 2'] },
    { name: 'numeric labels are unique', text: '1: nop\n1: jmp 1b\njmp 1f\n1:', items: ['1#1:', 'nop', '1#2:', 'jmp 1b', 'jmp 1f', '1#3:'] },
    { name: 'precedence', text: '.long 1 + 2 * 3, 1 | 2 + 4, 6 / 4, -1 == ~0, 2 > 1, 1 << 4 - 1', items: ['.data4 7, 7, 1, -1, -1, 15'] },
    { name: '.exitm', text: '.macro m\nnop\n.if 1\n.exitm\n.endif\nhlt\n.endm\nm\ncli', items: ['nop', 'cli'] },
    { name: '.altmacro', text: '.altmacro\n.macro m a\nLOCAL x\nx: push $a\n.endm\nm <1>\nm 2\n.noaltmacro', items: ['.LL0001:', 'push $1', '.LL0002:', 'push $2'] },
    { name: 'statements behind a macro use come after its body', text: '.macro m\nnop\n.endm\nm; hlt; m; cli', items: ['nop', 'hlt', 'nop', 'cli'] },
    { name: 'symbols that stand for registers', text: '.set STATE, %rdi\nmovq 8(STATE), STATE', items: ['movq 8(STATE), STATE'] },
    { name: '.error that is reached', text: '.error "no such base"', items: [], problems: ['no such base'] },
    { name: 'prefix as a statement of its own', text: 'rep; stosq\nlock\nnop', items: ['rep stosq', 'lock nop'] },
  ]);

  it('sections', () => {
    const stream = streamOf('nop\n.pushsection .a, "ax"\nnop\n.subsection 2\nnop\n.previous\nnop\n.popsection\nnop\n.section "b","a"\nnop\n.data\nnop');
    assert.deepEqual(stream.items.map((item) => item.section), ['.text', '.a', '.a#2', '.a', '.text', 'b', '.data']);
  });

  it('origins: the text, then the uses from the inside out', () => {
    const text = '#define NOW nop\n.macro in a\n\\a\nNOW\n.endm\n.macro out\nin hlt\n.endm\nout\n';
    const stream = streamOf(text);
    const at = (place: { span: { start: number; end: number } }): string => text.slice(place.span.start, place.span.end);
    assert.deepEqual(stream.items.map((item) => [at(item.origin), ...item.origin.uses.map(at)]), [['hlt', 'in hlt', 'out'], ['nop', 'NOW', 'in hlt', 'out']]);
  });
});

/** The bytes that data statements and strings put out; what has no value yet counts as a mistake. */
function bytesOf(stream: AssemblerStream): string {
  let hex = '';
  for (const item of stream.items) {
    if (item.kind === 'data') {
      for (const value of item.values) {
        assert.equal(value.kind, 'number');
        const number = value.kind === 'number' ? value.value : 0n;
        for (let i = 0; i < item.size; i++) hex += ((BigInt.asUintN(64, number) >> BigInt(8 * i)) & 255n).toString(16).padStart(2, '0');
      }
    } else if (item.kind === 'directive' && item.name === '.ascii') {
      for (const text of item.arguments) hex += Buffer.from(JSON.parse(text) as string, 'latin1').toString('hex');
    }
  }
  return hex;
}

describe('against the assembler', () => {
  it('puts out the same bytes for the constructs of the fixture', () => {
    const folder = 'test-fixtures/preprocess/';
    const stream = preprocess('constructs.S', sourceOf({ 'constructs.S': readFileSync(`${folder}constructs.S`, 'utf8') }), configurationOf('none', new Map()));
    assert.deepEqual(stream.problems, []);
    assert.equal(bytesOf(stream), readFileSync(`${folder}constructs.hex`, 'utf8').replace(/\s/g, ''));
  });
});

describe('configurations', () => {
  it('from a .config', () => {
    assert.deepEqual([...parseConfig('CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D="x y"\nCONFIG_E=64\nCONFIG_F=n\n')], [['CONFIG_A', '1'], ['CONFIG_C_MODULE', '1'], ['CONFIG_D', '"x y"'], ['CONFIG_E', '64']]);
  });

  it('by name: each release with its variants', () => {
    for (const name of presetNames) assert.equal(presetConfiguration(name)?.name, name);
    assert.equal(presetConfiguration('5.0'), null);
    assert.equal(presetConfiguration('6.12:none'), null);
    const has = (name: string, symbol: string): boolean => presetConfiguration(name)?.defines.get(`CONFIG_${symbol}`) === '1';
    assert.deepEqual(['6.12', '6.12:nopti', '6.12:minimal'].map((name) => has(name, 'MITIGATION_PAGE_TABLE_ISOLATION')), [true, false, false]);
    assert.deepEqual(['X86_32', 'X86_64', 'IA32_EMULATION', 'SMP', 'MITIGATION_PAGE_TABLE_ISOLATION'].map((option) => has('6.12:32-bit', option)), [true, false, false, true, true]);
    assert.deepEqual(['6.12', '6.12:xenpv+sev+tdx+fred', '6.1:xenpv+sev+tdx+fred'].map((name) => has(name, 'X86_FRED')), [false, true, false]);
    assert.deepEqual(['6.1', '6.1:minimal'].map((name) => has(name, 'SMP')), [true, false]);
    assert.deepEqual(['6.12', '7.3'].map((name) => has(name, 'X86_5LEVEL')), [true, false], 'what a release has no more');
    assert.deepEqual(['6.12', '7.3', '7.3:minimal'].map((name) => has(name, 'KVM_INTEL')), [false, true, false]);
  });

  it('by release: the last preset that is not newer than the tree, the newest for what is newer than all', () => {
    const trees: readonly (readonly [number, number, string])[] = [[4, 4, '5.10'], [5, 10, '5.10'], [5, 19, '5.10'], [6, 0, '6.1'], [6, 1, '6.1'], [6, 5, '6.1'], [6, 6, '6.12'], [6, 12, '6.12'], [6, 19, '6.12'], [7, 0, '7.3'], [7, 3, '7.3'], [9, 1, '7.3']];
    for (const [version, patchLevel, release] of trees) {
      const source = sourceOf({ 'k/Makefile': `# SPDX\nVERSION = ${version}\nPATCHLEVEL = ${patchLevel}\n` });
      assert.equal(releaseOf('k/', source), release, `${version}.${patchLevel}`);
    }
  });
});

describe('tables', () => {
  const header = '#define X86_FEATURE_PTI (7*32+11)\n#define EX_TYPE_FAULT 2\n.macro altinstr_entry orig alt flags olen alen\n.long \\orig - .\n.long \\alt - .\n.4byte \\flags\n.byte \\olen\n.byte \\alen\n.endm\n' +
    '.macro ALTERNATIVE old new flags\n140: \\old\n141: .skip -(((144f-143f)-(141b-140b)) > 0) * ((144f-143f)-(141b-140b)),0x90\n142:\n.pushsection .altinstructions,"a"\naltinstr_entry 140b,143f,\\flags,142b-140b,144f-143f\n.popsection\n.pushsection .altinstr_replacement,"ax"\n143: \\new\n144:\n.popsection\n.endm\n';

  it('alternatives', () => {
    const stream = streamOf(`${header}ALTERNATIVE "jmp .Lend", "", X86_FEATURE_PTI\nALTERNATIVE "", "lfence; cli", (1 << 16) | X86_FEATURE_PTI\nALTERNATIVE nop, hlt, FEATURE_NEW\n.Lend:`);
    const instructions = (range: readonly [number, number], section: string): string[] =>
      stream.items.slice(...range).flatMap((item) => (item.kind === 'instruction' && item.section === section ? [item.text] : []));
    assert.deepEqual(stream.alternatives.map((each) => [instructions(each.original, '.text'), instructions(each.replacement, '.altinstr_replacement'), each.feature, each.negated]), [
      [['jmp .Lend'], [], 'X86_FEATURE_PTI', false],
      [[], ['lfence', 'cli'], 'X86_FEATURE_PTI', true],
      [['nop'], ['hlt'], 'FEATURE_NEW', false],
    ]);
  });

  it('exception table', () => {
    const table = '#define EXTABLE(from, to, type) .pushsection "__ex_table","a"; .balign 4; .long (from) - .; .long (to) - .; .long type; .popsection\n';
    const stream = streamOf(`${header}${table}1: nop\nEXTABLE(1b, 2f, EX_TYPE_FAULT)\n2: EXTABLE(2b, fix, EX_TYPE_DEFAULT)\n`);
    assert.deepEqual(stream.extable.map(({ fault, fixup, type }) => [fault, fixup, type]), [['1#1', '2#1', 'EX_TYPE_FAULT'], ['2#1', 'fix', null]]);
  });

  it('instructions written as bytes', () => {
    const stream = streamOf('.byte 0x0f,0x01,0xca\n.byte 0x6a, 0xf0\n.byte 0xe9\n.long there - . - 4\n.byte 1,2\n.data\n.byte 0x0f,0x0b');
    assert.deepEqual(stream.items.map((item) => (item.kind === 'data' ? (item.decoded?.text ?? null) : item.kind)), ['clac', 'push $-16', 'jmp there', null, null]);
  });

  it('an instruction that hides others in its operand goes on behind them', () => {
    const decoded = (text: string) => {
      const item = streamOf(text).items[0];
      return item?.kind === 'data' && item.decoded !== null ? [item.decoded.text, item.decoded.covers] : null;
    };
    assert.deepEqual(decoded('.byte 0xf6\ninner: ret\nint3\nlfence'), ['testb $0xcc, %bl', 2]);
    assert.deepEqual(decoded('.byte 0x48, 0xb8\ninner: lea 8(%rsp), %rsp\nret\nint3\nint3\nlfence'), ['movabs $0xccccc30824648d48, %rax', 4]);
    assert.equal(decoded('.byte 0xf6\nnop\nint3'), null);
    assert.equal(decoded('.byte 0x48, 0xb8\nret'), null);
  });
});
