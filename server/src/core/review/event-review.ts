// What the review answers of events that are raised in entry code; explores first what the answer rests on.
import type { EventReview } from '../event-types.ts';
import { EVENT_NAMES, eventNamed, eventTitle } from './arrivals.ts';
import type { EntryCode } from './entry-code.ts';
import type { KernelReview } from './kernel-review.ts';

const STEPS_AT_ONCE = 10_000;

export function createEventReview({ ofFile }: EntryCode): EventReview {
  /** The entry code of a file with all that a place needs explored. */
  function exploredAt(file: string, offset: number | null, vectors: readonly number[]): KernelReview | null {
    const paths = ofFile(file);
    while (paths !== null && !paths.advanceAt(file, offset, vectors, STEPS_AT_ONCE));
    return paths;
  }

  return {
    prepareAt: (file, offset, events, steps) => ofFile(file)?.advanceAt(file, offset, vectorsOf(events), steps) ?? true,
    raise: (file, offset, events) => exploredAt(file, offset, vectorsOf(events))?.raise(file, offset, vectorsOf(events)) ?? null,
    survey: (file, events) => exploredAt(file, null, [])?.survey(file, events.map(vectorsOf)) ?? null,
    eventsAt: (file, offset) => ofFile(file)?.eventsAt(file, offset) ?? null,
    entryIn: (file, span) => ofFile(file)?.entryIn(file, span) ?? null,
    eventNamed: (name) => {
      const vector = eventNamed(name);
      return { name: vector === null ? null : eventTitle(vector), names: EVENT_NAMES };
    },
  };
}

/** Names were checked by `eventNamed`; what is none of them is left out. */
function vectorsOf(events: readonly string[]): readonly number[] {
  return events.flatMap((name) => eventNamed(name) ?? []);
}
