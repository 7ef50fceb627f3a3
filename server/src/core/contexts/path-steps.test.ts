// Steps of real stubs that are looked up are those that the machine takes, one by one and in stretches; and states are
// told apart where a path has been before as their parts are.
import assert from 'node:assert/strict';
import { kernelOf, kernelText } from '../../testing/kernel.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { MachineSetup } from '../machine/config.ts';
import { delivered } from './entry-paths.ts';
import { entrySetup, outsideContexts } from './entry-start.ts';
import { pathOutcomes } from './path-outcomes.ts';
import { pathStepsOf } from './path-steps.ts';
import { createSeenStates } from './seen-states.ts';

const FEWEST = 400;
const MOST = 2_500;

/** A state as it reads, whoever made it. */
function plain({ node, registers, flags, cpu, memory, frames, pending, budgets, features, ghosts, ended }: State): object {
  return { node, registers, flags, cpu, memory: memory.map((slots) => [...slots]), frames, pending, budgets, features, ghosts, ended };
}

/** States that events in every context outside lead to, events at their first states included. */
function statesOf(program: Program, setup: MachineSetup, variant: { readonly name: string; readonly present: readonly string[] }): readonly State[] {
  const states: State[] = [];
  const waiting: State[] = outsideContexts(program, variant).flatMap(({ state }) => program.handlers.flatMap(({ vector }) => delivered(setup, state, vector) ?? []));
  for (let state = waiting.shift(); state !== undefined && states.length < MOST; state = waiting.shift()) {
    if (state.ended !== null) continue;
    states.push(state);
    if (state.frames.length === 1 && states.length % 9 === 0) waiting.push(...program.handlers.flatMap(({ vector }) => delivered(setup, state as State, vector) ?? []));
    waiting.push(...pathOutcomes(program, setup, state).flatMap((outcome) => [outcome.state, ...(outcome.inside === null ? [] : [outcome.inside])]));
  }
  return states;
}

describe('steps of paths', () => {
  it('are those of the machine, one by one and in stretches', async function () {
    this.timeout(60_000);
    const { program, variants } = await kernelOf(kernelText);
    const setup = entrySetup(program);
    const known = pathStepsOf(program, setup);
    const stretchFrom = known.stretches((state) => state.node % 11 === 0);
    let stretches = 0;
    for (const variant of variants) {
      const states = statesOf(program, setup, variant);
      assert.ok(states.length > FEWEST, `${states.length} states`);
      // Twice: the second time everything is found.
      for (const state of [...states, ...states]) {
        const parted = known.stateOf(state);
        assert.deepEqual(plain(parted), plain(state));
        const wanted = pathOutcomes(program, setup, state);
        assert.deepEqual(
          known.outcomes(parted).map((outcome) => ({ ...outcome, state: plain(outcome.state), inside: outcome.inside === null ? null : plain(outcome.inside) })),
          wanted.map((outcome) => ({ ...outcome, state: plain(outcome.state), inside: outcome.inside === null ? null : plain(outcome.inside), dead: [] })),
        );
        const stretch = stretchFrom(parted);
        if (stretch === null) continue;
        stretches += 1;
        let at = state;
        for (let step = 0; step < stretch.steps; step += 1) {
          if (step === stretch.steps - 1) assert.deepEqual(plain(stretch.before === null ? parted : known.behind(parted, stretch.before)), plain(at));
          const outcomes = pathOutcomes(program, setup, at);
          assert.equal(outcomes.length, 1);
          assert.ok(at.node % 11 !== 0);
          at = outcomes[0]?.state ?? at;
        }
        assert.deepEqual(plain(known.behind(parted, stretch.last)), plain(at));
      }
    }
    assert.ok(stretches > FEWEST, `${stretches} stretches`);
  });

  it('states are new where their parts are', async () => {
    const { program, variants } = await kernelOf(kernelText);
    const setup = entrySetup(program);
    const { parts } = pathStepsOf(program, setup);
    const seen = createSeenStates();
    const known = new Set<string>();
    let again = 0;
    for (const variant of [...variants, ...variants]) {
      for (const state of statesOf(program, setup, variant)) {
        for (const wrong of [false, true]) {
          const { node, registersId, controlId, memoryId, framesId, restId } = parts.stateOf(state);
          const key = [node, registersId, controlId, memoryId, framesId, restId, node % 3, wrong].join();
          if (known.has(key)) again += 1;
          assert.equal(seen.isNew(state, [node % 3], wrong), !known.has(key));
          known.add(key);
        }
      }
    }
    assert.ok(again > FEWEST && known.size > FEWEST, `${again} of ${known.size + again} again`);
  });
});
