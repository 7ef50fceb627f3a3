import assert from 'node:assert/strict';
import { lowered, readC } from './c-reading.test.ts';

const page = `
struct ve_info { u64 reason; u32 busy; u32 pad; u64 gpa; };
DEFINE_PER_CPU(struct ve_info, ve_page);
static unsigned long word;
static u32 table[4];
`;

interface Case {
  readonly title: string;
  readonly body: string;
  readonly operations: readonly string[];
}

const cases: readonly Case[] = [
  { title: 'an empty function returns at its brace', body: '', operations: ['0: enter 0/0', '1: return'] },
  { title: 'WRITE_ONCE through this_cpu_ptr', body: 'WRITE_ONCE(this_cpu_ptr(&ve_page)->busy, 0);', operations: ['0: enter 0/0', '1: [percpu:ve_page+8]4 = 0 (WRITE_ONCE this_cpu_ptr(&ve_page)->busy)', '2: return'] },
  { title: 'this_cpu_write of a field', body: 'this_cpu_write(ve_page.busy, 1);', operations: ['0: enter 0/0', '1: [percpu:ve_page+8]4 = 1 (this_cpu_write ve_page.busy)', '2: return'] },
  { title: 'a plain store through a local pointer', body: 'struct ve_info *v = this_cpu_ptr(&ve_page); v->busy = 0;', operations: ['0: enter 0/1', '1: v = percpu:ve_page', '2: [(v + 8)]4 = 0 (plain v->busy)', '3: return'] },
  { title: 'a struct copy stores 8 bytes at a time', body: 'struct ve_info snap = *this_cpu_ptr(&ve_page);', operations: ['0: enter 0/3', '1: [&snap+0]8 = [percpu:ve_page]8 (plain snap)', '2: [&snap+0+8]8 = [percpu:ve_page+8]8 (plain snap)', '3: [&snap+0+16]8 = [percpu:ve_page+16]8 (plain snap)', '4: return'] },
  { title: 'an exchange is one step that keeps the old value', body: 'if (xchg(&word, 1)) panic("x");', operations: ['0: enter 0/1', '1: [global:word]8 = 1 (xchg word) old to %old word', '2: if %old word -> 3 else -> 4', '3: panic(?{"x"})', '4: return'] },
  { title: 'an increment reads and writes in one step', body: 'table[2]++;', operations: ['0: enter 0/0', '1: [global:table+8]4 = ([global:table+8]4 + 1) (plain table[2])', '2: return'] },
  { title: '&& and || are control flow', body: 'if (a() && (b() || word)) c();', operations: ['0: enter 0/2', '1: %a = a()', '2: if %a -> 3 else -> 7', '3: %b = b()', '4: if %b -> 6 else -> 5', '5: if [global:word]8 -> 6 else -> 7', '6: c()', '7: return'] },
  { title: 'calls come out of an expression in source order', body: 'g(h(1), k(2));', operations: ['0: enter 0/2', '1: %h = h(1)', '2: %k = k(2)', '3: g(%h, %k)', '4: return'] },
  { title: 'a call through a pointer is marked', body: 'struct ops *o = get(); o->handler(3);', operations: ['0: enter 0/1', '1: o = get()', '2: *o->handler(3)', '3: return'] },
  { title: 'a loop tests before each round', body: 'for (int i = 0; i < 3; i++) { if (i == 1) continue; g(i); }', operations: ['0: enter 0/1', '1: i = 0', '2: if (i < 3) -> 3 else -> 6', '3: if (i == 1) -> 5 else -> 4', '4: g(i)', '5: i = (i + 1) -> 2', '6: return'] },
  { title: 'do ... while (0) takes no step of its own', body: 'do { g(); } while (0);', operations: ['0: enter 0/0', '1: g()', '2: return'] },
  { title: 'an endless loop without a step stays endless', body: 'for (;;) ;', operations: ['0: enter 0/0', '1: if 1 -> 1 else -> 1'] },
  { title: 'a switch compares in order and falls through', body: 'switch (word) { case 1: g(); case 2: h(); break; default: k(); }', operations: ['0: enter 0/1', '1: %0 = [global:word]8', '2: if (%0 == 1) -> 4 else -> 3', '3: if (%0 == 2) -> 5 else -> 6', '4: g()', '5: h() -> 7', '6: k()', '7: return'] },
  { title: 'goto and labels', body: 'if (word) goto out; g(); out: h();', operations: ['0: enter 0/0', '1: if [global:word]8 -> 3 else -> 2', '2: g()', '3: h()', '4: return'] },
  { title: 'what follows a return is not lowered', body: 'g(); return; h();', operations: ['0: enter 0/0', '1: g()', '2: return'] },
  { title: 'a conditional takes a temporary', body: 'long x = word ? g() : 2;', operations: ['0: enter 0/3', '1: if [global:word]8 -> 2 else -> 4', '2: %g = g()', '3: %1 = %g -> 5', '4: %1 = 2', '5: x = %1', '6: return'] },
  { title: 'BUG_ON branches to BUG', body: 'BUG_ON(word == 3);', operations: ['0: enter 0/0', '1: if ([global:word]8 == 3) -> 2 else -> 3', '2: BUG()', '3: return'] },
  { title: 'WARN_ON warns and decides', body: 'if (WARN_ON(word)) return; g();', operations: ['0: enter 0/0', '1: if [global:word]8 -> 2 else -> 4', '2: __WARN()', '3: return', '4: g()', '5: return'] },
  { title: 'likely and unlikely are transparent', body: 'if (unlikely(!word)) g();', operations: ['0: enter 0/0', '1: if [global:word]8 -> 3 else -> 2', '2: g()', '3: return'] },
  { title: 'a faulting __get_user gives -EFAULT and zero', body: 'u32 x; long r = __get_user(x, (u32 *)word);', operations: ['0: enter 0/3', '1: %__get_user = __get_user([global:word]8, 4) fixup -> 3', '2: x = ?{*(u32 *)word} -> 5', '3: x = 0', '4: %__get_user = -14', '5: r = %__get_user', '6: return'] },
  { title: 'a faulting copy gives the bytes not copied', body: 'u64 b; if (copy_from_user(&b, (void *)word, sizeof(b))) g();', operations: ['0: enter 0/2', '1: %copy_from_user = copy_from_user(&b, [global:word]8, 8) fixup -> 2 -> 3', '2: %copy_from_user = 8', '3: if %copy_from_user -> 4 else -> 5', '4: g()', '5: return'] },
  { title: 'unsafe_get_user continues at its label', body: 'u64 b; unsafe_get_user(b, (u64 *)word, bad); g(); bad: h();', operations: ['0: enter 0/1', '1: unsafe_get_user([global:word]8, 8) fixup -> 4', '2: b = ?{*(u64 *)word}', '3: g()', '4: h()', '5: return'] },
  { title: 'a user access whose result nobody wants', body: '__put_user(1, (u32 *)word);', operations: ['0: enter 0/0', '1: __put_user([global:word]8, 1, 4) fixup -> 2', '2: return'] },
  { title: 'plain instructions of inline assembly are calls', body: 'asm volatile("sti; hlt" ::: "memory");', operations: ['0: enter 0/0', '1: asm:sti()', '2: asm:hlt()', '3: return'] },
  { title: 'other inline assembly leaves its outputs unknown', body: 'unsigned long x; asm volatile("mov %%cr2, %0" : "=r" (x));', operations: ['0: enter 0/1', '1: asm:mov()', '2: x = ?{x}', '3: return'] },
  { title: 'assembly with an exception-table entry may be fixed up', body: 'asm volatile("1: wrmsr\\n2:\\n" _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_WRMSR) : : "c" (3));', operations: ['0: enter 0/0', '1: asm:wrmsr(3) fixup -> 2', '2: return'] },
  { title: 'a barrier takes no step', body: 'asm volatile("" ::: "memory");', operations: ['0: enter 0/0', '1: return'] },
  { title: 'flags go to the local that the macro names', body: 'unsigned long flags; local_irq_save(flags); local_irq_restore(flags);', operations: ['0: enter 0/1', '1: flags = local_irq_save()', '2: local_irq_restore(flags)', '3: return'] },
  { title: 'a statement expression has the value of its last statement', body: 'long x = ({ long y = 2; g(); y; });', operations: ['0: enter 0/2', '1: y = 2', '2: g()', '3: x = y', '4: return'] },
  { title: 'a local whose address is known to others is read from memory', body: 'u32 x; g(&x); h(x);', operations: ['0: enter 0/1', '1: g(&x)', '2: h([&x]4)', '3: return'] },
  { title: 'initialisers fill what they do not name with zero', body: 'struct ve_info v = { .gpa = 7 };', operations: ['0: enter 0/3', '1: [&v+0]8 = 0 (plain v)', '2: [&v+0+8]8 = 0 (plain v)', '3: [&v+0+16]8 = 0 (plain v)', '4: [&v+0+16]8 = 7 (plain v)', '5: return'] },
  { title: 'container_of goes back by the offset', body: 'u64 *p = &ve_page.gpa; g(container_of(p, struct ve_info, gpa));', operations: ['0: enter 0/1', '1: p = percpu:ve_page+16', '2: g((p + -16))', '3: return'] },
  { title: 'a cast to void of a name is no step', body: 'long x; (void)x;', operations: ['0: enter 0/1', '1: return'] },
  { title: 'signed constants compare as signed', body: 'int r = -EINVAL; if (r < 0) g();', operations: ['0: enter 0/1', '1: r = -22', '2: if (r < 0) -> 3 else -> 4', '3: g()', '4: return'] },
  { title: 'unsigned long compares as unsigned', body: 'if (word > 3) g();', operations: ['0: enter 0/0', '1: if ([global:word]8 u> 3) -> 2 else -> 3', '2: g()', '3: return'] },
];

describe('C lowered', () => {
  for (const { title, body, operations } of cases) {
    it(title, async () => assert.deepEqual(await lowered(`${page}void f(void)\n{\n${body}\n}\n`), operations));
  }

  it('gives each operation the text and place of its source', async () => {
    const text = 'static int x;\nvoid f(void)\n{\n\tx =\n\t\t3;\n}\n';
    const operation = (await readC(text)).functions[0]?.operations[1];
    assert.equal(operation?.text, 'x = 3');
    assert.equal(text.slice(operation?.origin.span.start, operation?.origin.span.end), 'x =\n\t\t3');
  });

  it('reads registers by their offsets in struct pt_regs', async () => {
    assert.deepEqual(await lowered('void f(struct pt_regs *regs) { g(regs->ip, regs->sp); }'), ['0: enter 1/1', '1: g([(regs + 128)]8, [(regs + 152)]8)', '2: return']);
  });

  it('reads and writes bit-fields inside their unit', async () => {
    assert.deepEqual(await lowered('struct s { u32 a:3, b:5; }; static struct s v; void f(void) { v.b = 2; g(v.b); }'), [
      '0: enter 0/0',
      '1: [global:v]4 = (([global:v]4 & -249) | 16) (plain v.b)',
      '2: g((([global:v]4 >> 3) & 31))',
      '3: return',
    ]);
  });

  it('carries small structs in registers', async () => {
    const types = 'struct state { bool rcu; u32 flags; }; struct big { u64 a[3]; };\n';
    const state = `${types}struct state enter(void);\nvoid leave(struct state s);\nvoid f(void) { struct state s = enter(); leave(s); }\nstruct state g(struct state s) { return s; }\nstruct big make(void);\nvoid h(void) { struct big b = make(); }`;
    assert.deepEqual(await lowered(state, 'f'), ['0: enter 0/2', '1: %enter = enter()', '2: [&s]8 = [&%enter]8 (plain s)', '3: leave([&s]8)', '4: return']);
    assert.deepEqual(await lowered(state, 'g'), ['0: enter 1/1', '1: return [&s]8']);
    assert.deepEqual(await lowered(state, 'h'), ['0: enter 0/3', '1: make()', '2: [&b+0]8 = ?{address of make()} (plain b)', '3: [&b+0+8]8 = ?{address of make()} (plain b)', '4: [&b+0+16]8 = ?{address of make()} (plain b)', '5: return']);
  });

  it('expands macros, macros inside them too, at the place of their use', async () => {
    const text = '#define FIELD(x, at) (((x) >> (at)) & 0xf)\n#define TYPE(ss) FIELD(ss, 48)\n#define TWICE(x) do { g(x); g(x); } while (0)\n#define page (&the_page)\nstatic struct { u32 busy; } the_page;\nvoid f(struct pt_regs *regs) { if (TYPE(regs->ss) == 2) TWICE(page->busy); local_irq_enable(); }';
    assert.deepEqual(await lowered(`#define local_irq_enable() nonsense\n${text}`), ['0: enter 1/1', '1: if ((([(regs + 160)]8 >> 48) & 15) == 2) -> 2 else -> 4', '2: g([global:the_page]4)', '3: g([global:the_page]4)', '4: local_irq_enable()', '5: return']);
    const source = await readC(text);
    assert.equal(source.functions[0]?.operations[2]?.text, 'TWICE(page->busy)');
  });

  it('does not expand a macro inside itself', async () => {
    assert.deepEqual(await lowered('#define g(x) g((x) + 1)\nvoid f(void) { g(2); }'), ['0: enter 0/0', '1: g(3)', '2: return']);
  });

  it('keeps the rest of a function with a broken statement', async () => {
    const source = await readC('void f(void)\n{\n\tg();\n\t) = 3;\n\th();\n}\nvoid k(void) { }\n');
    const names = source.functions[0]?.operations.flatMap(({ operation }) => (operation.kind === 'call' ? [operation.name] : []));
    assert.deepEqual(names, ['g', 'h']);
    assert.ok(source.problems.some((one) => one.message === 'cannot read this statement'));
    assert.deepEqual(source.functions.map((one) => one.name), ['f', 'k']);
  });

  it('throws for no text at all', async () => {
    const whole = `${page}DEFINE_IDTENTRY_IST(exc_x)\n{\n\tif (xchg(&word, 1)) switch (word) { case 1: asm("sti"); }\n\tfor (;;) { this_cpu_inc(table[1]); }\n}\n`;
    for (let end = 0; end < whole.length; end += 3) {
      await readC(whole.slice(0, end));
      await readC(whole.slice(end));
    }
  });
});
