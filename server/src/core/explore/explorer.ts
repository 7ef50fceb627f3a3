// Exploration of a model in slices, by the number of steps: exact, deterministic, every state is expanded on a shortest
// path to it. Choices may stand for several steps, so states wait in one bucket a depth.
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
  /** Steps on that path. */
  readonly depthOf: (index: number) => number;
}

interface Waiting<S> {
  readonly index: number;
  readonly state: S;
}

export function createExplorer<S>(model: Model<S>, maxStates: number, watch: Watch<S>): Explorer {
  const seen = createStateSet(model.width);
  const buffer = new Uint32Array(model.width);
  /** States to expand, by depth; one that was reached again on a shorter path stands in two buckets. */
  const buckets: (Waiting<S>[] | undefined)[] = [];
  let depth = 0;
  let at = 0;
  let waiting = 0;
  let transitions = 0;
  let boundHit = false;
  let ended = false;

  function wait(index: number, state: S, when: number): void {
    const bucket = buckets[when];
    if (bucket === undefined) buckets[when] = [{ index, state }];
    else bucket.push({ index, state });
    waiting += 1;
  }

  model.initial().forEach((state, root) => {
    model.pack(state, buffer, 0);
    const index = seen.add(buffer, 0, -1 - root, 0, 0);
    if (index >= 0) wait(index, state, 0);
  });

  /** The next state to expand, or null at the end. */
  function next(): Waiting<S> | null {
    while (waiting > 0) {
      const bucket = buckets[depth];
      const entry = bucket?.[at];
      if (entry === undefined) {
        buckets[depth] = undefined;
        depth += 1;
        at = 0;
        continue;
      }
      at += 1;
      waiting -= 1;
      if (seen.depthOf(entry.index) === depth) return entry;
    }
    return null;
  }

  function expand(index: number, state: S): void {
    const steps = model.successors(state);
    for (let choice = 0; choice < steps.length; choice += 1) {
      const transition = steps[choice];
      if (transition === undefined) continue;
      transitions += 1;
      watch.onTransition(index, state, choice, transition);
      model.pack(transition.state, buffer, 0);
      if (seen.count() >= maxStates && !seen.has(buffer, 0)) {
        boundHit = true;
        continue;
      }
      const reached = depth + transition.weight;
      const added = seen.add(buffer, 0, index, choice, reached);
      if (added >= 0) wait(added, transition.state, reached);
      else if (seen.depthOf(-1 - added) > reached) {
        seen.shorten(-1 - added, index, choice, reached);
        wait(-1 - added, transition.state, reached);
      }
    }
  }

  const progress = (): ExplorerProgress => ({ states: seen.count(), transitions, depth, done: ended || waiting === 0, boundHit });

  return {
    run: (states) => {
      const stop = seen.count() + states;
      for (let expanded = 0; seen.count() < stop && expanded < states; expanded += 1) {
        ended = watch.enough?.(seen.count()) === true;
        const entry = ended ? null : next();
        if (entry === null) break;
        expand(entry.index, entry.state);
      }
      return progress();
    },
    pathTo: seen.pathTo,
    depthOf: seen.depthOf,
  };
}
