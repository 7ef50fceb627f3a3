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
