import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { nestedNmi } from '../../../../bench/models/nested-nmi.ts';
import { virtualization } from '../../../../bench/models/virtualization.ts';
import { compileExplorer, wasmExplorer } from './component-explorer-wasm.ts';
import { substitute, variablesOf } from './expressions.ts';
import { all, choose, constant, equal, less, not, plus, set, variable, yes } from './guarded.ts';
import type { GuardedModel } from './guarded.ts';
import { guardedComponents } from './guarded-components.ts';
import { guardedStates } from './guarded-states.ts';
import { atVisibleBoundaries, withBudgets, withoutDeadWords } from './guarded-transforms.ts';

const module = compileExplorer(readFileSync('server/src/core/explore/wasm/explorer.wasm'));

interface Verdict {
  readonly states: number;
  /** Steps to the first violation of any property, or null. */
  readonly violatedAfter: number | null;
  /** The first violation is the read of a dead word: what stands there is arbitrary, and the full search may be lucky. */
  readonly deadRead: boolean;
  readonly reached: boolean;
}

function verdict(model: GuardedModel): Verdict {
  const components = guardedComponents(model);
  const explorer = wasmExplorer(module, components, 5_000_000);
  let progress = explorer.run(10_000);
  while (!progress.done) progress = explorer.run(10_000);
  assert.equal(progress.boundHit, null);
  const first = model.properties.map(({ name, kind }, at) => ({ name, kind, index: explorer.firstSeen(components.ruleOfProperty(at)) })).filter(({ index }) => index >= 0);
  const violation = first.filter(({ kind }) => kind === 'never').sort((a, b) => a.index - b.index)[0];
  return {
    states: progress.states,
    violatedAfter: violation === undefined ? null : explorer.pathTo(violation.index).rules.length,
    deadRead: violation?.name.endsWith('reads a dead word') ?? false,
    reached: first.some(({ kind }) => kind === 'reachable'),
  };
}

const reduced = (model: GuardedModel): GuardedModel => atVisibleBoundaries(withoutDeadWords(model));

describe('guarded models', () => {
  it('folding keeps what an expression is and reads no more than it did', () => {
    const folded = substitute(choose(equal('a', 1), all(yes, less('b', 2)), variable('c')), new Map([['a', constant(1)]]));
    assert.deepEqual(folded, all(less('b', 2)));
    assert.deepEqual([...variablesOf(folded)], ['b']);
    assert.deepEqual(substitute(equal(choose(variable('a'), constant(3), constant(4)), 4), new Map()), not(variable('a')));
  });

  it('an update out of range is an error that names the variable', () => {
    const model: GuardedModel = {
      name: 'overflow',
      variables: [{ name: 'count', values: 2, initial: 1, component: 'a' }],
      rules: [{ name: 'up', when: [], set: [set('count', plus('count', 1))], event: null }],
      properties: [],
      dead: [],
      visible: yes,
    };
    assert.throws(() => guardedStates(model).successors([1]), /overflow: count has 2 values and was set to 2/);
    assert.throws(() => wasmExplorer(module, guardedComponents(model), 10).run(10), /overflow: count has 2 values and was set to 2/);
  });
});

describe('verdicts on the protocols, for any number of events', () => {
  const pinned: readonly { readonly title: string; readonly model: GuardedModel; readonly states: number; readonly reducedStates: number; readonly violatedAfter: number | null }[] = [
    { title: 'nested NMIs with faults in tasks and handlers hold', model: nestedNmi({ machineChecks: false, debugTraps: false }), states: 84_892, reducedStates: 12_144, violatedAfter: null },
    { title: 'a #VE handler that sends itself an IPI holds', model: virtualization({ design: 'self-ipi', anywhere: true }), states: 102_140, reducedStates: 2_004, violatedAfter: null },
    { title: 'with interrupts on, the IPI comes before the IRET', model: virtualization({ design: 'self-ipi-irqs-on', anywhere: false }), states: 228_826, reducedStates: 3_756, violatedAfter: 12 },
    { title: 'a word cleared on the stack that it guards lets the next #VE in', model: virtualization({ design: 'clear-on-ist', anywhere: false }), states: 68_426, reducedStates: 1_318, violatedAfter: 8 },
  ];
  for (const { title, model, states, reducedStates, violatedAfter } of pinned) {
    it(title, () => {
      assert.deepEqual(verdict(model), { states, violatedAfter, deadRead: false, reached: true });
      assert.deepEqual(verdict(reduced(model)), { states: reducedStates, violatedAfter, deadRead: false, reached: true });
    });
  }

  it('one machine check in the entry code of an NMI breaks even the right protocol', () => {
    const model = withBudgets(nestedNmi({ machineChecks: true, debugTraps: false }), { nmi: 2, fault: 0, 'machine check': 1 });
    assert.equal(verdict(model).violatedAfter, 9);
    assert.equal(verdict(reduced(model)).violatedAfter, 9);
  });
});

describe('reductions', () => {
  const mutants = (names: readonly string[], make: (without: readonly string[]) => GuardedModel): readonly { readonly name: string; readonly model: GuardedModel }[] => names.map((name) => ({ name, model: make([name]) }));
  const named = (model: GuardedModel): readonly string[] => model.rules.filter(({ event, when }) => event === null && when.some(({ kind }) => kind === 'equal')).map(({ name }) => name);
  const nmi = (without: readonly string[]): GuardedModel => withBudgets(nestedNmi({ machineChecks: false, debugTraps: false, without }), { nmi: 3, fault: 1 });
  const trapped = (without: readonly string[]): GuardedModel => withBudgets(nestedNmi({ machineChecks: true, debugTraps: true, without }), { nmi: 1, fault: 0, 'machine check': 1, 'debug trap': 1 });
  const guest = (design: 'self-ipi' | 'self-ipi-irqs-on' | 'clear-on-ist') => (without: readonly string[]): GuardedModel => withBudgets(virtualization({ design, anywhere: false, without }), { nmi: 2, violation: 3 });

  for (const [title, make] of [['nested NMIs', nmi], ['all traps once', trapped], ['self-IPI', guest('self-ipi')], ['self-IPI with interrupts on', guest('self-ipi-irqs-on')], ['cleared on IST', guest('clear-on-ist')]] as const) {
    it(`${title}: every mutant has the verdict and the trace length of the full search, or reads a dead word before`, () => {
      let violated = 0;
      for (const { name, model } of mutants(named(make([])), make)) {
        const full = verdict(model);
        const some = verdict(reduced(model));
        if (some.deadRead) assert.ok(full.violatedAfter === null || (some.violatedAfter ?? Infinity) <= full.violatedAfter, `without "${name}"`);
        else assert.equal(some.violatedAfter, full.violatedAfter, `without "${name}"`);
        if (full.violatedAfter !== null) violated += 1;
      }
      assert.ok(violated > 0);
    });
  }
});
