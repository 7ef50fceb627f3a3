import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createExplorer } from './explorer.ts';
import type { Model, Transition } from './model.ts';
import { replay } from './replay.ts';
import { createStateSet } from './state-set.ts';

/** A graph by its edges, with the number of steps of each. */
interface Edge {
  readonly to: number;
  readonly weight: number;
}

function graph(edges: readonly (readonly Edge[])[], roots: readonly number[] = [0]): Model<number> {
  return {
    initial: () => roots,
    successors: (state) => (edges[state] ?? []).map(({ to, weight }): Transition<number> => ({ label: `${state} to ${to}`, state: to, weight })),
    width: 2,
    pack: (state, into, offset) => {
      into[offset] = state;
      into[offset + 1] = state * 7;
    },
  };
}

/** Steps to each state from root 0 by relaxing until nothing changes. */
function distances(edges: readonly (readonly Edge[])[]): readonly number[] {
  const out = edges.map((_, at) => (at === 0 ? 0 : Infinity));
  for (let changed = true; changed; ) {
    changed = false;
    edges.forEach((list, from) => {
      for (const { to, weight } of list) {
        if ((out[from] ?? Infinity) + weight >= (out[to] ?? Infinity)) continue;
        out[to] = (out[from] ?? Infinity) + weight;
        changed = true;
      }
    });
  }
  return out;
}

/** Explores to the end and keeps when each state was expanded. */
function explored(model: Model<number>, slice: number, most = 1_000_000): { readonly states: number; readonly order: readonly number[]; readonly transitions: number; readonly pathOf: (state: number) => readonly number[] | null; readonly boundHit: boolean } {
  const order: number[] = [];
  const index = new Map<number, number>();
  const explorer = createExplorer(model, most, {
    onTransition: (from, before) => {
      if (!index.has(before)) order.push(before);
      index.set(before, from);
    },
  });
  let progress = explorer.run(slice);
  while (!progress.done) progress = explorer.run(slice);
  return {
    states: progress.states,
    order,
    transitions: progress.transitions,
    boundHit: progress.boundHit,
    pathOf: (state) => {
      const at = index.get(state);
      return at === undefined ? null : explorer.pathTo(at).choices;
    },
  };
}

const graphs = fc.integer({ min: 1, max: 30 }).chain((size) => fc.array(fc.array(fc.record({ to: fc.integer({ min: 0, max: size - 1 }), weight: fc.integer({ min: 1, max: 4 }) }), { minLength: 1, maxLength: 4 }), { minLength: size, maxLength: size }));

describe('the explorer', () => {
  it('reaches each state on a path with the fewest steps, in any slices', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 9 }), (edges, slice) => {
        const wanted = distances(edges);
        const found = explored(graph(edges), slice);
        assert.equal(found.states, wanted.filter((distance) => distance < Infinity).length);
        for (const [state, distance] of wanted.entries()) {
          const path = found.pathOf(state);
          if (path === null) {
            assert.equal(distance, Infinity);
            continue;
          }
          const played = replay(graph(edges), 0, path);
          assert.equal(played.states.at(-1), state);
          assert.equal(played.transitions.reduce((sum, { weight }) => sum + weight, 0), distance);
        }
        const depths = found.order.map((state) => wanted[state] ?? Infinity);
        assert.deepEqual(depths, [...depths].sort((a, b) => a - b), 'states are expanded by their number of steps');
      }),
    );
  });

  it('sees every transition of every state once', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const wanted = distances(edges);
        const out = edges.reduce((sum, list, state) => sum + ((wanted[state] ?? Infinity) < Infinity ? list.length : 0), 0);
        assert.equal(explored(graph(edges), 5).transitions, out);
      }),
    );
  });

  const pinned: readonly { readonly title: string; readonly model: Model<number>; readonly states: number; readonly transitions: number }[] = [
    { title: 'a ring', model: graph([[{ to: 1, weight: 1 }], [{ to: 2, weight: 1 }], [{ to: 0, weight: 1 }]]), states: 3, transitions: 3 },
    { title: 'two counters up to 99', model: counters(100), states: 10_000, transitions: 19_800 },
    { title: 'two roots with one state in common', model: graph([[{ to: 2, weight: 1 }], [{ to: 2, weight: 1 }], []], [0, 1]), states: 3, transitions: 2 },
    { title: 'one root twice', model: graph([[]], [0, 0]), states: 1, transitions: 0 },
  ];
  for (const { title, model, states, transitions } of pinned) {
    it(`${title}: ${states} states, ${transitions} transitions`, () => {
      const found = explored(model, 50);
      assert.deepEqual([found.states, found.transitions, found.boundHit], [states, transitions, false]);
    });
  }

  it('says that a state was left out, and only then', () => {
    assert.equal(explored(counters(10), 7, 99).boundHit, true);
    assert.equal(explored(counters(10), 7, 99).states, 99);
    assert.equal(explored(counters(10), 7, 100).boundHit, false);
  });

  it('ends where enough was seen, whatever the slice', () => {
    for (const slice of [1, 7, 1000]) {
      const explorer = createExplorer(counters(100), 1_000_000, { onTransition: () => undefined, enough: (states) => states > 50 });
      let progress = explorer.run(slice);
      while (!progress.done) progress = explorer.run(slice);
      assert.ok(progress.states > 50 && progress.states <= 52, `${progress.states} states`);
    }
  });
});

/** Two counters below `limit`, each stepped on its own. */
function counters(limit: number): Model<number> {
  return {
    initial: () => [0],
    successors: (state) => [state % limit < limit - 1 ? state + 1 : null, state < limit * (limit - 1) ? state + limit : null].flatMap((next) => (next === null ? [] : [{ label: 'count', state: next, weight: 1 }])),
    width: 1,
    pack: (state, into, offset) => {
      into[offset] = state;
    },
  };
}

describe('a replay', () => {
  const model = graph([[{ to: 1, weight: 1 }], [{ to: 0, weight: 1 }, { to: 1, weight: 2 }]]);

  it('gives the states of the way, and one more than the choices', () => {
    assert.deepEqual(replay(model, 0, [0, 1, 0]).states, [0, 1, 1, 0]);
  });

  it('that goes another way says at which step and how many choices there were', () => {
    const played = replay(model, 0, [0, 5, 0]);
    assert.deepEqual([played.diverged, played.states], ['step 2 took choice 5 of 2', [0, 1]]);
    assert.equal(replay(model, 3, []).diverged, 'the model has no start 3');
  });
});

describe('the state set', () => {
  it('merges no two different states and finds every one again, across its growth', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(5), fc.constantFrom(0, 1, 0xffff_ffff, 0x8000_0000)), { maxLength: 400 }), (rows) => {
        const set = createStateSet(3, 4);
        const known = new Map<string, number>();
        for (const row of rows) {
          const key = row.join();
          const at = known.get(key);
          assert.equal(set.has(new Uint32Array(row), 0), at !== undefined);
          const index = set.add(new Uint32Array([9, ...row]), 1, -1, 0, 0);
          assert.equal(index, at === undefined ? known.size : -1 - at);
          if (at === undefined) known.set(key, known.size);
        }
        assert.equal(set.count(), known.size);
      }),
    );
  });

  it('keeps parents, choices and depths over several doublings', () => {
    const set = createStateSet(1, 4);
    for (let at = 0; at < 3000; at += 1) assert.equal(set.add(new Uint32Array([at]), 0, at - 1, at % 500, at), at);
    assert.ok(set.bytes() >= 3000 * 4 * 4);
    for (const at of [0, 3, 4, 5, 1023, 1024, 1025, 2999]) {
      assert.equal(set.add(new Uint32Array([at]), 0, -1, 0, 0), -1 - at);
      assert.deepEqual([set.parentOf(at), set.choiceOf(at), set.depthOf(at)], [at - 1, at % 500, at]);
    }
    assert.deepEqual(set.pathTo(2999), { root: 0, choices: Array.from({ length: 2999 }, (_, at) => (at + 1) % 500) });
  });
});
