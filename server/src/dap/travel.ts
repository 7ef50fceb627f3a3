// Moves over a replay, forwards and backwards. A position where something stops is the same from both sides, and going
// back from where a step led is where it came from.
import type { Playback } from '../core/review-types.ts';

export type Timeline = Pick<Playback, 'steps' | 'depth'>;
export type StopsAt = (position: number) => boolean;

/** Over calls and whole events: to where as many wait as before, or fewer. */
export function next({ steps, depth }: Timeline, from: number, stops: StopsAt): number {
  const most = depth(from);
  for (let at = from + 1; at < steps; at += 1) if (depth(at) <= most || stops(at)) return at;
  return steps;
}

/** Until the code that runs has returned. */
export function stepOut({ steps, depth }: Timeline, from: number, stops: StopsAt): number {
  const most = depth(from);
  for (let at = from + 1; at < steps; at += 1) if (depth(at) < most || stops(at)) return at;
  return steps;
}

export function proceed({ steps }: Timeline, from: number, stops: StopsAt): number {
  for (let at = from + 1; at < steps; at += 1) if (stops(at)) return at;
  return steps;
}

export function nextBack({ depth }: Timeline, from: number, stops: StopsAt): number {
  const most = depth(from);
  for (let at = from - 1; at > 0; at -= 1) if (depth(at) <= most || stops(at)) return at;
  return 0;
}

export function proceedBack(from: number, stops: StopsAt): number {
  for (let at = from - 1; at > 0; at -= 1) if (stops(at)) return at;
  return 0;
}

/** Where the steps that led to a position came from, so that going back undoes them one by one. */
export interface Footprints {
  readonly position: () => number;
  /** By a step that going back undoes. */
  readonly step: (to: number) => void;
  /** By a move that it does not undo. */
  readonly jump: (to: number) => void;
  /** Undoes the last step; null where none led here. */
  readonly undo: () => number | null;
}

export function createFootprints(at: number): Footprints {
  let position = at;
  let came: number[] = [];
  return {
    position: () => position,
    step: (to) => {
      if (to !== position) came.push(position);
      position = to;
    },
    jump: (to) => {
      came = [];
      position = to;
    },
    undo: () => {
      const from = came.pop();
      if (from !== undefined) position = from;
      return from ?? null;
    },
  };
}
