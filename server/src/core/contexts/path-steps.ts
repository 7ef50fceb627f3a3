// The steps of entry paths looked up where they were run before: what the machine, a call out of view or a delivery does
// to a state is known by the pieces of it that are read. Knows neither where paths start nor who judges them.
import type { Effect } from '../machine/effects.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Recording } from '../machine/recording.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { pathChoices, pathOutcomes } from './path-outcomes.ts';
import type { PathOutcome } from './path-outcomes.ts';
import { createAnswers, createKnownSteps } from './known-steps.ts';
import type { Known } from './known-steps.ts';
import { createParts } from './parts.ts';
import type { PartedState, Parts } from './parts.ts';

/** An outcome whose states are numbers. */
export interface PartedOutcome extends PathOutcome {
  readonly state: PartedState;
  readonly inside: PartedState | null;
}

interface KnownOutcome {
  readonly label: string;
  readonly effects: readonly Effect[];
  readonly calls: string | null;
  readonly step: Known;
  readonly inside: Known | null;
}

export interface PathSteps {
  readonly parts: Parts;
  readonly stateOf: (state: State) => PartedState;
  readonly hasEnded: (state: PartedState) => boolean;
  /** `pathOutcomes` of a state. */
  readonly outcomes: (state: PartedState) => readonly PartedOutcome[];
  /** `pathChoices` of a state. */
  readonly choices: (state: PartedState) => readonly PartedOutcome[];
  /** What `run` gives for one of these kinds. */
  readonly lookedUp: (kinds: readonly number[], run: (kind: number, state: State, continued: Recording['continued']) => readonly PathOutcome[]) => (kind: number, state: PartedState) => readonly PartedOutcome[];
}

const kept = new WeakMap<Program, { readonly setup: MachineSetup; readonly steps: PathSteps }>();

/** Components kept before they are dropped: what is shared must not grow for ever. */
const MOST_COMPONENTS = 1 << 22;

/** One for all that is run on a program with a set-up. */
export function pathStepsOf(program: Program, setup: MachineSetup): PathSteps {
  const found = kept.get(program);
  if (found !== undefined && found.setup === setup && found.steps.parts.size() < MOST_COMPONENTS) return found.steps;
  const steps = createPathSteps(program, setup);
  kept.set(program, { setup, steps });
  return steps;
}

function createPathSteps(program: Program, setup: MachineSetup): PathSteps {
  const parts = createParts(setup.layout.regions.length);
  const known = createKnownSteps(parts);

  function knownOf({ label, effects, calls, state, inside }: PathOutcome, recording: Recording): KnownOutcome {
    const stepTo = (to: State): Known => known.knownOf({ label, event: null, effects, state: to }, recording.writesOf(to));
    return { label, effects, calls, step: stepTo(state), inside: inside === null ? null : stepTo(inside) };
  }

  const lookedUp: PathSteps['lookedUp'] = (kinds, run) => {
    const answers = createAnswers<readonly KnownOutcome[]>(parts, kinds.length);
    return (kind, state) => behind(state, answers.of(kinds.indexOf(kind), state, (recording) => run(kind, recording.state, recording.continued).map((outcome) => knownOf(outcome, recording))));
  };

  function behind(state: PartedState, outcomes: readonly KnownOutcome[]): readonly PartedOutcome[] {
    const out: PartedOutcome[] = [];
    for (const { label, effects, calls, step, inside } of outcomes) out.push({ label, effects, state: known.after(state, step), calls, inside: inside === null ? null : known.after(state, inside) });
    return out;
  }

  const own = lookedUp([0], (_, state) => pathOutcomes(program, setup, state));
  const choices = lookedUp([0], (_, state, continued) => pathChoices(program, setup, state, continued));

  /** By the number of what seldom changes. */
  const ended: boolean[] = [];
  const hasEnded = (state: PartedState): boolean => (ended[state.restId] ??= state.ended !== null);

  return { parts, stateOf: parts.stateOf, lookedUp, hasEnded, outcomes: (state) => (hasEnded(state) ? NONE : own(0, state)), choices: (state) => (hasEnded(state) ? NONE : choices(0, state)) };
}

const NONE: readonly PartedOutcome[] = [];
