import assert from 'node:assert/strict';
import { activeText } from './c-directives.ts';
import { evaluateConstantText } from './c-constant.ts';
import { rewriteForGrammar } from './c-rewrite.ts';
import { cComments } from './c-text.ts';

const rewrites: readonly (readonly [string, string, string])[] = [
  ['attributes are blanked', 'static noinstr int f(void __user *p);', 'static         int f(void        *p);'],
  ['attributes with arguments too', 'int x __aligned(16), y;', 'int x              , y;'],
  ['a per-CPU definition is a declaration', 'DEFINE_PER_CPU(struct s, x) = 3;', '               struct s  x  = 3;'],
  ['a template becomes one string', 'asm volatile("a" MACRO(1) "b" : : "r" (x));', 'asm volatile(""               : : "r" (x));'],
  ['operand macros vanish with a comma', 'asm("x" : "=r" (y), ASM_CALL_CONSTRAINT : "r" (x));', 'asm(""  : "=r" (y)                      : "r" (x));'],
  ['a loop macro becomes a while', 'for_each_cpu(cpu, mask) f(cpu);', 'while       (cpu, mask) f(cpu);'],
  ['the declaration of a loop macro stays', 'void do_for_each(int x);', 'void do_for_each(int x);'],
  ['a system call is a function', 'SYSCALL_DEFINE2(name, int, a, long, b) { }', 'long            name( int  a, long  b) { }'],
  ['a label at the end of a block gets a statement', '{ goto out; out: }', '{ goto out; out:;}'],
  ['what is left out among statements is a statement', 'void f(void)\n{\n\t...\n\ta();\n}', 'void f(void)\n{\n\t$$;\n\ta();\n}'],
  ['with words behind it too', 'void f(void)\n{\n... and so on ...\n}', 'void f(void)\n{\n$$;              \n}'],
  ['brackets around it say the same', 'void f(void)\n{\n\t[...]\n}', 'void f(void)\n{\n\t$$;  \n}'],
  ['between items and in lists it is nothing', 'int a;\n...\nint b[] = {\n\t1,\n\t...\n};', 'int a;\n   \nint b[] = {\n\t1,\n\t   \n};'],
  ['parameters that vary stay', 'int f(int a,\n\t...);', 'int f(int a,\n\t...);'],
  ['rows of a gate table alone are calls', 'INTG(A, b),\nISTG(C, d, E),\n', 'INTG(A, b);\nISTG(C, d, E);\n'],
  ['in their table they stay', 'struct t x[] = {\n\tINTG(A, b),\n};', 'struct t x[] = {\n\tINTG(A, b),\n};'],
  ['words in comments and strings stay', '/* noinstr */ char *s = "noinstr";', '/* noinstr */ char *s = "noinstr";'],
];

describe('kernel C made readable', () => {
  for (const [title, from, to] of rewrites) {
    it(title, () => {
      assert.equal(rewriteForGrammar(from).text, to);
      assert.equal(to.length, from.length);
    });
  }

  it('leaves every offset where it was, whatever the text', () => {
    const text = 'DEFINE_PER_CPU(struct s, x); asm("a" : M(x) : : "b"); for_each_x(y) z(); typeof(*p) q; SYSCALL_DEFINE0(n) { } static DEFINE_MUTEX(m); container_of(p, struct s, m)';
    for (let start = 0; start < text.length; start++) {
      for (const part of [text.slice(start), text.slice(0, start)]) assert.equal(rewriteForGrammar(part).text.length, part.length);
    }
  });
});

describe('directives of C', () => {
  it('are blanked with what they leave out, line feeds kept', () => {
    const text = '#if 0\nno\n#else\nyes\n#endif\n#define A \\\n 3\nint x;\n';
    const problems: string[] = [];
    const active = activeText(text, new Map(), { include: () => {}, problem: (_, message) => problems.push(message) });
    assert.equal(active.length, text.length);
    assert.equal(active.replace(/ +/g, ''), '\n\n\nyes\n\n\n\nintx;\n');
    assert.deepEqual(problems, []);
  });

  it('that do not pair are problems', () => {
    const problems: string[] = [];
    activeText('#endif\n#ifdef X\nint a;\n', new Map(), { include: () => {}, problem: (_, message) => problems.push(message) });
    assert.deepEqual(problems, ['#endif without #if', 'this conditional is not closed']);
  });
});

const constants: readonly (readonly [string, bigint | null])[] = [
  ['1 + 2 * 3', 7n],
  ['(1UL << 63) >> 60', 8n],
  ['0x10 | 010', 24n],
  ["'A' == 65 && !0", 1n],
  ['UNSET', null],
  ['0 && UNSET', 0n],
  ['(u32)5 - -1', 6n],
  ['BIT(4) | GENMASK(3, 2)', 28n],
  ['TWICE(3)', 6n],
  ['1 ? 2 : 3', 2n],
  ['1 / 0', null],
  ['sizeof(int)', null],
];

describe('constant expressions of C', () => {
  const scope = { macro: (name: string) => (name === 'TWICE' ? { name, parameters: ['x'], body: '((x) * 2)' } : null), value: () => null };
  for (const [text, value] of constants) it(text, () => assert.equal(evaluateConstantText(text, scope), value));
});

it('comments of C are found outside literals', () => {
  const text = 'int a; // one\nchar *s = "/* no */"; /* two\n lines */ int b;';
  assert.deepEqual(cComments(text).map((one) => one.text), ['// one', '/* two\n lines */']);
  assert.ok(cComments(text).every((one) => text.slice(one.span.start, one.span.end) === one.text));
});
