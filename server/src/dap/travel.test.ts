// Moves over timelines of any shape: what steps did is undone in their order, and what stops is the same from both sides.
import assert from 'node:assert/strict';
import { array, assert as holds, boolean, constantFrom, integer, property, tuple } from 'fast-check';
import { createFootprints, next, nextBack, proceed, proceedBack, stepOut } from './travel.ts';
import type { Timeline } from './travel.ts';

/** Depths that go up and down by one, and where something stops. */
const timelines = array(tuple(constantFrom(-1, 0, 1), boolean()), { minLength: 1, maxLength: 60 }).map((all) => {
  let depth = 0;
  const depths = [0, ...all.map(([by]) => (depth = Math.max(0, depth + by)))];
  const timeline: Timeline = { steps: all.length, depth: (position) => depths[position] ?? 0 };
  return { timeline, stops: (position: number): boolean => all[position - 1]?.[1] === true && position % 3 === 0 };
});

describe('moves of a replay', () => {
  it('going back after steps goes back to where each began', () => {
    holds(
      property(timelines, integer({ min: 0, max: 59 }), array(constantFrom(next, stepOut, (_: Timeline, from: number) => from + 1), { maxLength: 12 }), ({ timeline, stops }, begin, moves) => {
        const footprints = createFootprints(Math.min(begin, timeline.steps));
        const visited: number[] = [];
        for (const move of moves) {
          const from = footprints.position();
          if (from === timeline.steps) break;
          visited.push(from);
          footprints.step(Math.min(timeline.steps, move(timeline, from, stops)));
        }
        for (const from of visited.reverse()) assert.equal(footprints.undo(), from);
        assert.equal(footprints.undo(), null);
      }),
    );
  });

  it('a step over goes on, past what is deeper only', () => {
    holds(
      property(timelines, integer({ min: 0, max: 59 }), ({ timeline }, begin) => {
        const from = Math.min(begin, timeline.steps - 1);
        const to = next(timeline, from, () => false);
        assert.ok(to > from);
        for (let at = from + 1; at < to; at += 1) assert.ok(timeline.depth(at) > timeline.depth(from));
        if (timeline.depth(to) === timeline.depth(from)) assert.equal(nextBack(timeline, to, () => false), from);
        const out = stepOut(timeline, from, () => false);
        assert.ok(out === timeline.steps || timeline.depth(out) < timeline.depth(from));
      }),
    );
  });

  it('what stops a move forwards stops it backwards', () => {
    holds(
      property(timelines, ({ timeline, stops }) => {
        const forwards: number[] = [];
        for (let at = proceed(timeline, 0, stops); at < timeline.steps; at = proceed(timeline, at, stops)) forwards.push(at);
        const backwards: number[] = [];
        for (let at = proceedBack(timeline.steps, stops); at > 0; at = proceedBack(at, stops)) backwards.push(at);
        assert.deepEqual(backwards.reverse(), forwards);
      }),
    );
  });
});
