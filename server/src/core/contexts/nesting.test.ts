// A stub that is entered again while it runs: what is found for any number of events, with reductions, is what every boundary
// shows with two, step for step.
import assert from 'node:assert/strict';
import { kernelOf, kernelText } from '../../testing/kernel.ts';
import type { Program } from '../program/program.ts';
import { entrySetup, outsideContexts } from './entry-start.ts';
import { newKeptWords } from './nesting-dead.ts';
import { exploreNesting } from './nesting-exploration.ts';
import type { NestingPlan } from './nesting-exploration.ts';
import { nestingStarts } from './nesting-starts.ts';
import type { NestingStart } from './nesting-starts.ts';
import { ANY_NUMBER } from './nesting.ts';

const two = { nmis: 2, traps: new Map([[3, 1]]) };
const MOST = 300_000;

function startsOf(program: Program): readonly NestingStart[] {
  const outside = outsideContexts(program, { name: 'PTI, PCID', present: [] });
  const [user, kernel] = ['user', 'kernel'].map((name) => outside.find((one) => one.name === name) ?? assert.fail(name));
  return user === undefined || kernel === undefined ? [] : nestingStarts(program, user.state, kernel.state);
}

function found(program: Program, { state }: NestingStart, plan: Pick<NestingPlan, 'kept' | 'reduced'>, slice: number): { readonly said: string; readonly any: boolean } {
  const exploration = exploreNesting(program, entrySetup(program), state, { ...plan, bounds: [two], maxStates: MOST });
  while (!exploration.advance(slice));
  const last = exploration.last();
  const fault = last.fault();
  return { said: fault === null ? 'holds' : `${fault.what.kind} in ${fault.steps}`, any: last.bounds === ANY_NUMBER };
}

const guarded = kernelText.split('\n').flatMap((line, at) => (line.endsWith('# guard') ? [at] : []));

const kernels: readonly (readonly [string, string])[] = [
  ['the small kernel', kernelText],
  ...[guarded.length - 1, guarded.length - 2, guarded.length - 3, 3].map((dropped): readonly [string, string] => [
    `the small kernel without line ${(guarded[dropped] ?? 0) + 1}`,
    kernelText.split('\n').filter((_, at) => at !== guarded[dropped]).join('\n'),
  ]),
];

describe('nested NMIs', () => {
  for (const [title, text] of kernels) {
    it(`break ${title} for any number of events as they do for two at every boundary`, async function () {
      this.timeout(60_000);
      const { program } = await kernelOf(text);
      let broken = 0;
      for (const start of startsOf(program)) {
        const whole = found(program, start, { kept: null, reduced: false }, 50_000);
        const kept = newKeptWords();
        const any = found(program, start, { kept, reduced: true }, 50_000);
        assert.equal(any.said, whole.said, start.title);
        assert.deepEqual(found(program, start, { kept: newKeptWords(), reduced: true }, 7), any, `${start.title}, in slices`);
        assert.equal(any.any, any.said === 'holds', `${start.title}: what holds does so for any number of events`);
        if (any.said !== 'holds') broken += 1;
      }
      assert.ok(broken > 0, 'nothing is broken');
    });
  }
});
