// What is looked up instead of being run again is what running it again would give.
import assert from 'node:assert/strict';
import { design, designNames, linked, scenarioNamed } from '../../testing/review.ts';
import { createExplorer } from '../explore/explorer.ts';
import { successors } from '../machine/machine.ts';
import type { State } from '../machine/state.ts';
import type { StartContext } from '../scenarios/scenario.ts';
import { machineModel } from './model.ts';
import type { ModelOptions } from './model.ts';
import type { Forgetting } from './nesting-dead.ts';
import { prepare } from './setup.ts';

/** A state as it reads, whoever made it. */
function plain({ node, registers, flags, cpu, memory, frames, pending, budgets, features, ghosts, ended }: State): object {
  return { node, registers, flags, cpu, memory: memory.map((slots) => [...slots]), frames, pending, budgets, features, ghosts, ended };
}

const most = 1_200;

describe('known steps', () => {
  for (const name of designNames) {
    it(`are those that the machine takes in ${name}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      let compared = 0;
      for (const scenario of ['ve-in-task', 'perf-nmi-user-copy-fails-twice', 've-in-syscall-gap', 'nmi-nested', 'apf-flags-stolen-by-nmi', 'perf-nmi-mc-twice'].map((one) => scenarioNamed(one))) {
        for (const start of ['user', 'kernel', 'gap'] satisfies StartContext[]) {
          const { setup, initial } = prepare(program, scenario, start, { reference: true });
          const model = machineModel(setup, [initial]);
          const seen = new Set<State>();
          const explorer = createExplorer<State>(model, most, {
            onTransition: (_, before) => {
              if (seen.has(before)) return;
              seen.add(before);
              const wanted = successors(setup, before);
              const found = model.successors(before);
              assert.deepEqual(
                found.map(({ label, event, effects, weight, state }) => ({ label, event, effects, weight, state: plain(state) })),
                wanted.steps.map(({ label, event, effects, state }) => ({ label, event, effects, weight: 1, state: plain(state) })),
              );
              compared += 1;
            },
          });
          for (let progress = explorer.run(500); !progress.done && progress.states < most; ) progress = explorer.run(500);
        }
      }
      assert.ok(compared > 300, `${compared} states were compared`);
    });
  }
});

/** Forgets nothing: with it stretches are looked up from the first state on. */
const remembering: Forgetting = { region: 0, behindReturn: (state) => state, alike: ({ memoryId }) => memoryId, keep: () => 0 };

describe('stretches of steps', () => {
  for (const name of designNames) {
    it(`end where one step after the other does in ${name}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      let compared = 0;
      for (const scenario of ['ve-in-task', 've-in-syscall-gap', 'nmi-nested', 'apf-flags-stolen-by-nmi', 'perf-nmi-mc-twice'].map((one) => scenarioNamed(one))) {
        for (const start of ['user', 'kernel', 'gap'] satisfies StartContext[]) {
          const { setup, initial } = prepare(program, scenario, start);
          const transitionsOf = (options: ModelOptions): readonly string[] => {
            const model = machineModel(setup, [initial], { forgetting: remembering, ...options });
            const words = new Uint32Array(model.width);
            const out: string[] = [];
            createExplorer<State>(model, most, {
              onTransition: (from, _, choice, { label, weight, state }) => {
                model.pack(state, words, 0);
                out.push(`${from} ${choice} ${label} ${weight} ${words.join()}`);
              },
            }).run(most);
            return out;
          };
          const stepwise = transitionsOf({ passed: () => undefined });
          assert.deepEqual(transitionsOf({}), stepwise);
          compared += stepwise.length;
        }
      }
      assert.ok(compared > 200, `${compared} transitions were compared`);
    });
  }
});
