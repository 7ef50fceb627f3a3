import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { nestedNmi } from '../../../../bench/models/nested-nmi.ts';
import { virtualization } from '../../../../bench/models/virtualization.ts';
import type { ComponentExplorer, ComponentModel, ComponentProgress } from './components.ts';
import { javaScriptExplorer } from './component-explorer-js.ts';
import { compileExplorer, wasmExplorer } from './component-explorer-wasm.ts';
import { createExplorer } from './explorer.ts';
import { all, any, choose, constant, equal, less, minus, not, plus, set, variable, yes } from './guarded.ts';
import type { Expression, GuardedModel, GuardedRule } from './guarded.ts';
import { guardedComponents } from './guarded-components.ts';
import type { GuardedComponents } from './guarded-components.ts';
import { guardedStates } from './guarded-states.ts';
import { withBudgets } from './guarded-transforms.ts';
import { replay } from './replay.ts';

const module = compileExplorer(readFileSync('server/src/core/explore/wasm/explorer.wasm'));

const explorers: readonly { readonly name: string; readonly explore: (model: ComponentModel, maxStates: number) => ComponentExplorer }[] = [
  { name: 'WebAssembly', explore: (model, maxStates) => wasmExplorer(module, model, maxStates) },
  { name: 'JavaScript', explore: javaScriptExplorer },
];

function toTheEnd(explorer: ComponentExplorer, units: number): ComponentProgress {
  let progress = explorer.run(units);
  while (!progress.done) progress = explorer.run(units);
  return progress;
}

/** What an exploration found, in terms of the model. */
interface Found {
  readonly states: number;
  readonly transitions: number;
  /** Steps to the first state where each property is true, or null. */
  readonly shortest: readonly (number | null)[];
}

function foundBy(explore: (model: ComponentModel, maxStates: number) => ComponentExplorer, model: GuardedModel, units: number): Found {
  const components = guardedComponents(model);
  const explorer = explore(components, 1_000_000);
  const { states, transitions } = toTheEnd(explorer, units);
  return { states, transitions, shortest: model.properties.map((_, at) => stepsTo(model, components, explorer, at)) };
}

/** The trace is played again on the model as it reads, and must end where the property is true. */
function stepsTo(model: GuardedModel, components: GuardedComponents, explorer: ComponentExplorer, property: number): number | null {
  const index = explorer.firstSeen(components.ruleOfProperty(property));
  const checked = model.properties[property];
  if (index < 0 || checked === undefined) return null;
  const { root, rules } = explorer.pathTo(index);
  const readable = guardedStates(model);
  let state = readable.initial()[root] ?? [];
  for (const rule of rules) state = readable.successors(state).find(({ label }) => label === model.rules[rule]?.name)?.state ?? assert.fail(`rule ${rule} does not run there`);
  assert.deepEqual(components.valuesOf(explorer.idsOf(index)), state);
  assert.ok(readable.holds(checked, state), `${checked.name} is true at the end of its trace`);
  return rules.length;
}

/** The same by the readable model: no components, no tables. */
function foundByReading(model: GuardedModel): Found {
  const readable = guardedStates(model);
  const first = new Map<number, number>();
  const look = (state: readonly number[], depth: () => number): void => model.properties.forEach((property, at) => !first.has(at) && readable.holds(property, state) && first.set(at, depth()));
  for (const root of readable.initial()) look(root, () => 0);
  const explorer = createExplorer(readable, 1_000_000, { onTransition: (from, _, __, { state }) => look(state, () => explorer.depthOf(from) + 1) });
  let progress = explorer.run(1000);
  while (!progress.done) progress = explorer.run(1000);
  return { states: progress.states, transitions: progress.transitions, shortest: model.properties.map((_, at) => first.get(at) ?? null) };
}

/** Small models of all shapes: variables over up to four components, guards and updates that read across them. */
const models: fc.Arbitrary<GuardedModel> = fc
  .array(fc.record({ values: fc.integer({ min: 1, max: 5 }), component: fc.constantFrom('a', 'b', 'c', 'd') }), { minLength: 1, maxLength: 5 })
  .chain((shapes) => {
    const variables = shapes.map(({ values, component }, at) => ({ name: `v${at}`, values, initial: at % values, component }));
    const names = variables.map(({ name }) => name);
    const operand = fc.oneof(fc.constantFrom(...names).map(variable), fc.integer({ min: 0, max: 4 }).map(constant));
    const condition = fc.oneof(
      fc.tuple(operand, operand).map(([left, right]) => equal(left, right)),
      fc.tuple(operand, operand).map(([left, right]) => not(less(left, right))),
      fc.tuple(operand, operand, operand).map(([left, middle, right]) => any(less(left, middle), all(equal(middle, right), less(right, left)))),
    );
    /** Values out of range become 0. */
    const update = fc.tuple(fc.constantFrom(...variables), operand, condition, fc.boolean()).map(([of, value, when, down]) => {
      const next = down ? minus(value, 1) : plus(value, 1);
      const kept: Expression = choose(any(less(next, 0), not(less(next, of.values))), constant(0), next);
      return set(of.name, choose(when, kept, variable(of.name)));
    });
    const rule = fc
      .record({ when: fc.array(condition, { maxLength: 3 }), updates: fc.array(update, { maxLength: 3 }) })
      .map(({ when, updates }): Omit<GuardedRule, 'name'> => ({ when, set: [...new Map(updates.map((one) => [one.variable, one])).values()], event: null }));
    const property = fc.array(condition, { minLength: 1, maxLength: 2 });
    return fc.record({ rules: fc.array(rule, { minLength: 1, maxLength: 8 }), properties: fc.array(property, { maxLength: 3 }) }).map(
      ({ rules, properties }): GuardedModel => ({
        name: 'generated',
        variables,
        rules: rules.map((one, at) => ({ ...one, name: `rule ${at}` })),
        properties: properties.map((when, at) => ({ name: `property ${at}`, kind: 'never', when })),
        dead: [],
        visible: yes,
      }),
    );
  });

/** A counter pair in one component each, or both in one, so that ids outgrow their first bits. */
function counting(limit: number, apart: boolean): GuardedModel {
  const one = (name: string, component: string): GuardedModel['variables'][number] => ({ name, values: limit, initial: 0, component });
  const up = (name: string): GuardedRule => ({ name: `${name} counts`, when: [less(name, limit - 1)], set: [set(name, plus(name, 1))], event: null });
  return {
    name: 'counting',
    variables: [one('left', 'a'), one('right', apart ? 'b' : 'a'), { name: 'side', values: 2, initial: 0, component: 'c' }],
    rules: [up('left'), up('right'), { name: 'turn', when: [equal('left', limit - 1), equal('right', limit - 1)], set: [set('side', 1), set('left', 0), set('right', 0)], event: null }],
    properties: [{ name: 'both at the end, turned', kind: 'never', when: [equal('left', limit - 1), equal('right', limit - 1), equal('side', 1)] }],
    dead: [],
    visible: yes,
  };
}

describe('the component explorers', () => {
  for (const { name, explore } of explorers) {
    it(`${name}: states, transitions and shortest traces are those of the readable model, in any slices`, () => {
      fc.assert(
        fc.property(models, fc.integer({ min: 1, max: 40 }), (model, units) => {
          assert.deepEqual(foundBy(explore, model, units), foundByReading(model));
        }),
        { numRuns: 300 },
      );
    });

    it(`${name}: a table that doubles, chunks that fill and ids that outgrow their bits lose no state`, () => {
      for (const apart of [true, false]) {
        const limit = apart ? 300 : 200;
        const components = guardedComponents(counting(limit, apart));
        const explorer = explore(components, 1_000_000);
        const progress = toTheEnd(explorer, 777);
        assert.deepEqual([progress.states, progress.transitions, progress.depth], [2 * limit * limit, 4 * limit * (limit - 1) + 2, 4 * (limit - 1) + 1]);
        const last = explorer.firstSeen(components.ruleOfProperty(0));
        assert.deepEqual(components.valuesOf(explorer.idsOf(last)), [limit - 1, limit - 1, 1]);
        assert.equal(explorer.pathTo(last).rules.length, 4 * (limit - 1) + 1);
      }
    });

    it(`${name}: a slice expands no more than it was asked for, growth included`, () => {
      const explorer = explore(guardedComponents(counting(300, false)), 1_000_000);
      let before = 0;
      let without = 0;
      for (let progress = explorer.run(500); !progress.done; progress = explorer.run(500)) {
        assert.ok(progress.expanded - before <= 500, `${progress.expanded - before} states in a slice of 500`);
        if (progress.expanded === before) without += 1;
        before = progress.expanded;
      }
      assert.ok(without > 50, 'moving to a larger table takes slices of its own');
    });

    it(`${name}: says that a state was left out, and only then`, () => {
      const states = 2 * 20 * 20;
      const bounded = (most: number): readonly unknown[] => {
        const progress = toTheEnd(explore(guardedComponents(counting(20, true)), most), 50);
        return [progress.states, progress.boundHit];
      };
      assert.deepEqual(bounded(states - 1), [states - 1, 'states']);
      assert.deepEqual(bounded(states), [states, null]);
    });

    it(`${name}: refuses a model with more rules than there is room for`, () => {
      const many = { ...counting(2, true), rules: Array.from({ length: 1025 }, (_, at): GuardedRule => ({ name: `${at}`, when: [], set: [], event: null })), properties: [] };
      assert.throws(() => explore(guardedComponents(many), 10), /the model has 1025 rules; 1024 are the most/);
    });
  }

  it('find the same states in the same order', () => {
    const model = withBudgets(nestedNmi({ machineChecks: true, debugTraps: false }), { nmi: 2, fault: 1, 'machine check': 1 });
    const components = [guardedComponents(model), guardedComponents(model)];
    const [left, right] = explorers.map(({ explore }, at) => explore(components[at] ?? assert.fail(), 1_000_000));
    if (left === undefined || right === undefined) assert.fail();
    const { states } = toTheEnd(left, 1000);
    assert.equal(toTheEnd(right, 333).states, states);
    for (let at = 0; at < states; at += 97) {
      assert.deepEqual(components[0]?.valuesOf(left.idsOf(at)), components[1]?.valuesOf(right.idsOf(at)));
      assert.deepEqual(left.pathTo(at), right.pathTo(at));
    }
    model.properties.forEach((_, at) => assert.equal(left.firstSeen(model.rules.length + at), right.firstSeen(model.rules.length + at)));
  });

  it('tell traces between any two slices, while states are laid out anew', () => {
    const states: number[] = [];
    const [right, left] = explorers.map(({ explore }) => explore(guardedComponents(counting(60, false)), 1_000_000));
    if (left === undefined || right === undefined) assert.fail();
    toTheEnd(left, 1000);
    for (let progress = right.run(0); !progress.done; progress = right.run(25)) {
      const last = progress.states - 1;
      for (const at of [last, last >> 1, last >> 3]) assert.deepEqual(right.pathTo(at), left.pathTo(at), `state ${at} of ${progress.states}`);
      states.push(progress.states);
    }
    assert.ok(states.length > 100, `${states.length} slices`);
  });

  it('a replay of a trace is a way through the readable model', () => {
    const model = virtualization({ design: 'clear-on-ist', anywhere: false });
    const components = guardedComponents(model);
    const explorer = wasmExplorer(module, components, 1_000_000);
    toTheEnd(explorer, 1000);
    const readable = guardedStates(model);
    const { root, rules } = explorer.pathTo(explorer.firstSeen(components.ruleOfProperty(0)));
    let state = readable.initial()[root] ?? [];
    const choices = rules.map((rule) => {
      const steps = readable.successors(state);
      const choice = steps.findIndex(({ label }) => label === model.rules[rule]?.name);
      state = steps[choice]?.state ?? [];
      return choice;
    });
    assert.equal(replay(readable, root, choices).diverged, null);
  });
});
