// Breadth-first exploration of a model in slices: exact, deterministic, the first path to a state is a shortest one.
import type { Model, Transition } from './model.ts';
import { createStateSet } from './state-set.ts';

export interface Watch<S> {
  /** Sees every transition once, in breadth-first order; `from` is the index of the state before it. */
  readonly onTransition: (from: number, before: S, choice: number, transition: Transition<S>) => void;
  /** Asked before each state is expanded, with the number of states so far: true ends the exploration there. */
  readonly enough?: (states: number) => boolean;
}

export interface ExplorerProgress {
  readonly states: number;
  readonly transitions: number;
  /** Steps from a root to the deepest state expanded so far. */
  readonly depth: number;
  readonly done: boolean;
  /** A state was left out because of the bound: what follows from `done` holds only for what was explored. */
  readonly boundHit: boolean;
}

export interface Explorer {
  readonly run: (states: number) => ExplorerProgress;
  /** Root and choices of the path to a state. */
  readonly pathTo: (index: number) => { readonly root: number; readonly choices: readonly number[] };
}

export function createExplorer<S>(model: Model<S>, maxStates: number, watch: Watch<S>): Explorer {
  const seen = createStateSet(model.width);
  const buffer = new Uint32Array(model.width);
  let level: { readonly index: number; readonly state: S }[] = [];
  let nextLevel: { readonly index: number; readonly state: S }[] = [];
  let at = 0;
  let depth = 0;
  let transitions = 0;
  let boundHit = false;
  let ended = false;

  model.initial().forEach((state, root) => {
    model.pack(state, buffer, 0);
    const index = seen.add(buffer, 0, -1 - root, 0);
    if (index >= 0) level.push({ index, state });
  });

  function expand(index: number, state: S): void {
    const steps = model.successors(state);
    for (let choice = 0; choice < steps.length; choice += 1) {
      const transition = steps[choice];
      if (transition === undefined) continue;
      transitions += 1;
      watch.onTransition(index, state, choice, transition);
      model.pack(transition.state, buffer, 0);
      if (seen.count() >= maxStates) {
        if (!seen.has(buffer, 0)) boundHit = true;
        continue;
      }
      const added = seen.add(buffer, 0, index, choice);
      if (added >= 0) nextLevel.push({ index: added, state: transition.state });
    }
  }

  return {
    run: (states) => {
      const stop = seen.count() + states;
      let expanded = 0;
      while (!ended && seen.count() < stop && expanded < states) {
        if (watch.enough?.(seen.count()) === true) {
          ended = true;
          break;
        }
        if (at >= level.length) {
          if (nextLevel.length === 0) return { states: seen.count(), transitions, depth, done: true, boundHit };
          level = nextLevel;
          nextLevel = [];
          at = 0;
          depth += 1;
        }
        const entry = level[at];
        at += 1;
        expanded += 1;
        if (entry !== undefined) expand(entry.index, entry.state);
      }
      return { states: seen.count(), transitions, depth, done: ended || (at >= level.length && nextLevel.length === 0), boundHit };
    },
    pathTo: seen.pathTo,
  };
}
