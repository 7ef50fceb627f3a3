// Control-flow graphs of C as the kernel writes it, and properties followed along their paths.
import assert from 'node:assert/strict';
import { loadGrammars } from '../../shell/grammars.ts';
import { createCParser } from '../syntax/c.ts';
import { createParsers } from '../syntax/parser.ts';
import { createTreeReader } from './build.ts';
import type { Tree, TreeFunction } from './tree.ts';
import { watch } from './watch.ts';

let read: ReturnType<typeof createTreeReader>;

function treeOf(files: Readonly<Record<string, string>>, options: readonly string[] = []): Tree {
  const source = { read: (path: string) => files[path] ?? null, list: (folder: string) => (folder === '' ? Object.keys(files) : []) };
  return read(source, '', true, { name: 'test', defines: new Map(options.map((one) => [one, '1'])), includePaths: [] });
}

function functionOf(tree: Tree, name: string): TreeFunction {
  const found = tree.functions.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

/** The calls of each path from the start of a function to a return, in order: `a b`. */
function callsOf(tree: Tree, name: string): readonly string[] {
  const exits = watch<string>(tree, functionOf(tree, name), '', { step: (step, state) => (step.kind === 'call' && !step.indirect && tree.resolve(step.name, '') === null ? `${state} ${step.name}`.trim() : state) });
  return [...new Set(exits.map(({ state }) => state))].sort();
}

describe('graphs of C functions', () => {
  before(async () => {
    read = createTreeReader(createCParser(await createParsers(loadGrammars(__dirname))));
  });

  const paths: readonly (readonly [string, string, readonly string[]])[] = [
    ['both arms of a condition', 'if (x) a(); else b(); c();', ['a c', 'b c']],
    ['&& and || one by one', 'if (p() && q()) a();', ['p', 'p q', 'p q a']],
    ['wrappers around a condition', 'if (unlikely(!p())) return; a();', ['p', 'p a']],
    ['a jump to a label at the end', 'if (x) goto out; a(); out: }  void g(void) {', ['', 'a']],
    ['panic() ends the path', 'if (x) panic("no"); a();', ['a']],
    ['BUG_ON() ends the path where it holds', 'BUG_ON(p()); a();', ['p a']],
    ['a loop that runs once, not at all, or breaks', 'do { a(); if (x) break; b(); } while (0); c();', ['a b c', 'a c']],
    ['a switch with a case that falls through', 'switch (x) { case 1: a(); case 2: b(); break; default: c(); }', ['a b', 'b', 'c']],
    ['a condition that the configuration decides', 'if (IS_ENABLED(CONFIG_ON)) a(); else b();', ['a']],
    ['the same local asked twice', 'if (x) a(); if (x) b();', ['', 'a b']],
    ['the same local asked twice, with a store between', 'if (x) a(); x = 0; if (x) b();', ['', 'a', 'a b', 'b']],
    ['an expression with a choice', 'y = x ? a() : b();', ['a', 'b']],
    ['a callee in view', 'helper(); c();', ['h c']],
    ['the result of a callee in view', 'if (yes()) a(); else b();', ['a']],
  ];
  for (const [title, body, expected] of paths) {
    it(title, () => {
      const tree = treeOf({ 'a.c': `static void helper(void) { h(); }\nstatic bool yes(void) { return true; }\nvoid f(int x)\n{\n\tint y;\n\t${body}\n}\n` }, ['CONFIG_ON']);
      assert.deepEqual(callsOf(tree, 'f'), [...expected].sort());
    });
  }

  it('text that the configuration leaves out is not there', () => {
    const text = 'void f(void)\n{\n#ifdef CONFIG_ON\n\ta();\n#else\n\tb();\n#endif\n}\n';
    assert.deepEqual(callsOf(treeOf({ 'a.c': text }, ['CONFIG_ON']), 'f'), ['a']);
    assert.deepEqual(callsOf(treeOf({ 'a.c': text }), 'f'), ['b']);
  });

  it('a function of the own file wins over one of the same name elsewhere', () => {
    const tree = treeOf({ 'a.c': 'static void s(void) { a(); }\nvoid f(void) { s(); }\n', 'b.c': 'static void s(void) { b(); }\n' });
    assert.deepEqual(callsOf(tree, 'f'), ['a']);
  });

  it('handlers that are registered are what the pointer may hold', () => {
    const tree = treeOf({ 'a.c': 'static int mine(unsigned int c, struct pt_regs *r) { m(); return 1; }\nvoid g(void) { register_nmi_handler(NMI_LOCAL, mine, 0, "mine"); }\nvoid f(struct action *a) { a->handler(1, 0); }\n' });
    assert.deepEqual(callsOf(tree, 'f'), ['m']);
  });

  it('recursion ends', () => {
    const tree = treeOf({ 'a.c': 'void f(int x) { a(); if (x) f(x - 1); }\n' });
    assert.ok(callsOf(tree, 'f').includes('a'));
  });

  it('inline assembly has its template and its exception table entry', () => {
    const tree = treeOf({ 'a.c': 'void f(void) { asm volatile("1: rdmsr\\n2:\\n" _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_RDMSR) : : "c" (0)); }\n' });
    const step = functionOf(tree, 'f').graph().steps.find((one) => one.kind === 'asm');
    assert.ok(step?.kind === 'asm' && step.template.includes('rdmsr') && step.extable?.includes('EX_TYPE_RDMSR') === true);
  });

  it('what was read in part is said to be', () => {
    assert.equal(functionOf(treeOf({ 'a.c': 'void f(void) { a(; }\n' }), 'f').whole, false);
    assert.equal(functionOf(treeOf({ 'a.c': 'void f(void) { a(); }\n' }), 'f').whole, true);
  });

  it('coverage counts calls by what is known of them', () => {
    const { calls, functions, cap } = treeOf({ 'a.c': 'static void s(void) { }\nvoid f(void) { s(); barrier(); unheard_of(); }\n' }).coverage;
    assert.deepEqual({ calls, functions, cap }, { calls: { inView: 1, known: 1, unresolved: 1 }, functions: 2, cap: null });
  });
});
