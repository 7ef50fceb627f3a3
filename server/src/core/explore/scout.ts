// A look around in a model before it is explored: depth first, so that it comes soon to what lies deep. Finds no shortest
// paths and need not come to an end.
import type { Model } from './model.ts';
import { createStateSet } from './state-set.ts';

export interface Scout {
  /** Looks at that many states more; true at the end. */
  readonly run: (states: number) => boolean;
  /** States reached so far. */
  readonly states: () => number;
}

/** `enough`: asked before each state is looked at, with the number of states so far. */
export function createScout<S>(model: Model<S>, enough: (states: number) => boolean): Scout {
  const seen = createStateSet(model.width);
  const buffer = new Uint32Array(model.width);
  const waiting: S[] = [];

  function reach(state: S): void {
    model.pack(state, buffer, 0);
    if (seen.add(buffer, 0, -1, 0, 0) >= 0) waiting.push(state);
  }

  model.initial().forEach(reach);
  return {
    states: seen.count,
    run: (states) => {
      for (let left = states; left > 0; left -= 1) {
        const state = enough(seen.count()) ? undefined : waiting.pop();
        if (state === undefined) return true;
        for (const { state: behind } of model.successors(state)) reach(behind);
      }
      return false;
    },
  };
}
