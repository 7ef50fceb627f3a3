// Steps that leave no choice and do nothing that anybody could judge, taken together: what a whole stretch of them does to a
// state is known by the pieces of it that they read. Knows neither what runs nor where a stretch ends.
import type { State } from '../machine/state.ts';
import { deadReads } from './dead-words.ts';
import type { DeadWord } from './dead-words.ts';
import { createAnswers } from './known-steps.ts';
import type { Known, KnownSteps } from './known-steps.ts';
import type { PartedState, Parts } from './parts.ts';

export interface Stretch {
  readonly steps: number;
  readonly last: Known;
  /** Behind all of them but the last; null where that is the state it begins with. */
  readonly before: Known | null;
  /** Words taken to be dead that it looked at all the same. */
  readonly dead: readonly DeadWord[];
}

/** A longer one is looked up in pieces: what reads more is found again less often. */
const LONGEST_STRETCH = 24;

/**
 * The stretch from a state; null where it has none. `next`: the state behind the one step from a state, or null where the
 * stretch ends before it.
 */
export function createStretches(parts: Parts, known: KnownSteps, next: (at: State) => State | null): (state: PartedState) => Stretch | null {
  const answers = createAnswers<Stretch | null>(parts, 1);
  return (first) =>
    answers.of(0, first, (recording) => {
      const knownTo = (state: State): Known => known.knownOf({ label: '', event: null, effects: [], state }, recording.writesOf(state));
      let at = recording.state;
      let before: State | null = null;
      let last: State | null = null;
      let steps = 0;
      for (; steps < LONGEST_STRETCH; steps += 1) {
        const behind = next(at);
        if (behind === null) break;
        before = last;
        last = behind;
        at = recording.continued(behind);
      }
      return last === null ? null : { steps, last: knownTo(last), before: before === null ? null : knownTo(before), dead: deadReads(first, recording.reads) };
    });
}
