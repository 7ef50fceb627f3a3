// A trace is a root and a list of choices; replaying it gives its states back.
import type { Model, Transition } from './model.ts';

export interface Replay<S> {
  readonly states: readonly S[];
  readonly transitions: readonly Transition<S>[];
  /** Why the replay stopped early: the model is not the one that the choices were made in. */
  readonly diverged: string | null;
}

export function replay<S>(model: Model<S>, root: number, choices: readonly number[]): Replay<S> {
  const start = model.initial()[root];
  if (start === undefined) return { states: [], transitions: [], diverged: `the model has no start ${root}` };
  const states: S[] = [start];
  const transitions: Transition<S>[] = [];
  for (const [step, choice] of choices.entries()) {
    const state = states[states.length - 1];
    const steps = state === undefined ? [] : model.successors(state);
    const transition = steps[choice];
    if (transition === undefined) return { states, transitions, diverged: `step ${step + 1} took choice ${choice} of ${steps.length}` };
    transitions.push(transition);
    states.push(transition.state);
  }
  return { states, transitions, diverged: null };
}

/**
 * The steps one by one that choices stand for, by the weight of each. `take` gives step `step` of a choice from a state. Throws
 * where there is none: the model is not the one that the choices were made in.
 */
export function unfold<S, T extends Transition<S>>(start: S, weights: readonly number[], take: (state: S, choice: number, step: number) => T | undefined): { readonly states: readonly S[]; readonly transitions: readonly T[] } {
  const states: S[] = [start];
  const transitions: T[] = [];
  let state = start;
  for (const [choice, weight] of weights.entries()) {
    for (let step = 0; step < weight; step += 1) {
      const next = take(state, choice, step);
      if (next === undefined) throw new Error(`the replay of choice ${choice + 1} ends behind ${step} of ${weight} steps: the model is not the one that it was made in`);
      transitions.push(next);
      states.push(next.state);
      state = next.state;
    }
  }
  return { states, transitions };
}
