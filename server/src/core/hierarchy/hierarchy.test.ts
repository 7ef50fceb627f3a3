// Calls of C entry code, and the contexts of functions joined over all that leads to them.
import assert from 'node:assert/strict';
import { loadGrammars } from '../../shell/grammars.ts';
import { createCParser } from '../syntax/c.ts';
import { createParsers } from '../syntax/parser.ts';
import { createTreeReader } from '../tree/build.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { callsOf } from './calls.ts';
import { contextsText, joinContexts } from './contexts.ts';
import type { CContext } from './contexts.ts';
import { faultingFunctions } from './faulting.ts';

let read: ReturnType<typeof createTreeReader>;

function treeOf(text: string): Tree {
  return read({ read: (path) => (path === 'a.c' ? text : null), list: (folder) => (folder === '' ? ['a.c'] : []) }, '', true, { name: 'test', defines: new Map(), includePaths: [] });
}

function named(tree: Tree, name: string): TreeFunction {
  const found = tree.functions.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

const entered: CContext = { interrupted: 'either', stack: 'NMI IST', irqs: 'off', nmiLike: false };

/** The contexts of `leaf` where `entry` is entered by #PF in the context above. */
function leafOf(text: string, context: Partial<CContext> = {}): string | null {
  const tree = treeOf(text);
  return contextsText(joinContexts(tree, [{ function: named(tree, 'entry'), entry: '#PF', context: { ...entered, ...context } }]).of(named(tree, 'leaf')));
}

describe('the call hierarchy of C entry code', () => {
  before(async () => {
    read = createTreeReader(createCParser(await createParsers(loadGrammars(__dirname))));
  });

  it('joins the contexts of all callers', () => {
    const tree = treeOf('void leaf(void) {} void a(void) { leaf(); } void b(void) { leaf(); }');
    const root = (name: string, entry: string, context: Partial<CContext>) => ({ function: named(tree, name), entry, context: { ...entered, ...context } });
    const table = joinContexts(tree, [root('a', '#PF', { stack: 'task', interrupted: 'user' }), root('b', 'NMI', { interrupted: 'kernel', nmiLike: true })]);
    assert.equal(contextsText(table.of(named(tree, 'leaf'))), 'CPL 0, NMI IST or task stack, IRQs off, NMI-like in some, over user or kernel mode, from #PF and NMI');
    assert.equal(contextsText(table.of(named(tree, 'a'))), 'CPL 0, task stack, IRQs off, over user mode, from #PF');
  });

  const effects: readonly (readonly [string, string, string])[] = [
    ['enabled before the call', 'local_irq_enable(); leaf();', 'IRQs on'],
    ['disabled again', 'local_irq_enable(); local_irq_disable(); leaf();', 'IRQs off'],
    ['as the interrupted context had them', 'cond_local_irq_enable(regs); leaf();', 'IRQs on or off'],
    ['enabled on one path', 'if (x) local_irq_enable(); leaf();', 'IRQs on or off'],
    ['enabled by a function that was called', 'on(); leaf();', 'IRQs on'],
    ['put back by a function that was called', 'both(); leaf();', 'IRQs off'],
  ];
  for (const [title, body, expected] of effects) {
    it(`knows interrupts ${title}`, () => {
      const text = leafOf(`void leaf(void) {} void on(void) { local_irq_enable(); } void both(void) { local_irq_enable(); local_irq_disable(); } void entry(struct pt_regs *regs) { ${body} }`);
      assert.equal(text?.split(', ')[2], expected);
    });
  }

  it('is NMI-like between nmi_enter and nmi_exit', () => {
    assert.match(leafOf('void leaf(void) {} void entry(void) { nmi_enter(); leaf(); nmi_exit(); }') ?? '', /, NMI-like, /);
    assert.doesNotMatch(leafOf('void leaf(void) {} void entry(void) { nmi_enter(); nmi_exit(); leaf(); }') ?? '', /NMI-like/);
  });

  it('follows a test of the interrupted mode', () => {
    assert.match(leafOf('void leaf(void) {} void entry(struct pt_regs *regs) { if (user_mode(regs)) leaf(); }') ?? '', /over user mode/);
    assert.match(leafOf('void leaf(void) {} void entry(struct pt_regs *regs) { if (!user_mode(regs)) leaf(); }') ?? '', /over kernel mode/);
    assert.equal(leafOf('void leaf(void) {} void entry(struct pt_regs *regs) { if (user_mode(regs)) leaf(); }', { interrupted: 'kernel' }), null);
  });

  it('goes nowhere behind a panic', () => {
    assert.equal(leafOf('void leaf(void) {} void entry(void) { panic("no"); leaf(); }'), null);
  });

  it('ends where functions call each other', () => {
    assert.match(leafOf('void leaf(void) { entry(); } void entry(void) { leaf(); }') ?? '', /from #PF$/);
  });

  it('lists callers, functions that are handed over, and calls that are not resolved', () => {
    const tree = treeOf('void leaf(void) {} void a(struct ops *o) { leaf(); leaf(); run(leaf); o->work(1); }');
    const edges = callsOf(tree).incoming(named(tree, 'leaf'));
    assert.deepEqual(edges.map(({ from, kind, steps }) => `${from.name} ${kind} ${steps.length}`).sort(), ['a call 2', 'a handed 1']);
    assert.deepEqual(callsOf(tree).open(named(tree, 'a')).map(({ name, indirect }) => `${name} ${indirect ? 'pointer' : 'name'}`), ['run name', 'work pointer']);
    assert.deepEqual(callsOf(tree).incoming(named(tree, 'a')), []);
  });

  it('finds statements that are there to fault', () => {
    const tree = treeOf('void a(void) { copy_from_user(x, y, 8); } void b(void) { rdmsrl_safe(1, x); } void c(void) { x = 1; }');
    assert.deepEqual(faultingFunctions(tree, 'PF').map(({ function: one }) => one.name), ['a']);
    assert.deepEqual(faultingFunctions(tree, 'GP').map(({ function: one }) => one.name), ['b']);
    assert.deepEqual(faultingFunctions(tree, 'NMI'), []);
  });
});
