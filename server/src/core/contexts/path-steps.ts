// The steps of entry paths looked up where they were run before: what the machine, a call out of view or a delivery does
// to a state is known by the pieces of it that are read. Knows neither where paths start nor who judges them.
import { returnsFromEvent } from '../machine/code.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Effect } from '../machine/effects.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Recording } from '../machine/recording.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { outsideName } from './outside.ts';
import { pathOutcomes } from './path-outcomes.ts';
import type { PathOutcome } from './path-outcomes.ts';
import { createAnswers, createKnownSteps } from './known-steps.ts';
import type { Known } from './known-steps.ts';
import { deadReads } from './dead-words.ts';
import type { DeadWord } from './dead-words.ts';
import { createParts } from './part-numbers.ts';
import type { PartedState, Parts } from './parts.ts';
import { createStretches } from './stretches.ts';
import type { Stretch } from './stretches.ts';

/** An outcome whose states are numbers. */
export interface PartedOutcome extends PathOutcome {
  readonly state: PartedState;
  readonly inside: PartedState | null;
  /** Words taken to be dead that it looked at all the same. */
  readonly dead: readonly DeadWord[];
}

interface KnownOutcome {
  readonly label: string;
  readonly effects: readonly Effect[];
  readonly calls: string | null;
  readonly step: Known;
  readonly inside: Known | null;
  readonly dead: readonly DeadWord[];
}

export interface PathSteps {
  readonly parts: Parts;
  readonly stateOf: (state: State) => PartedState;
  readonly hasEnded: (state: PartedState) => boolean;
  /** `pathOutcomes` of a state. */
  readonly outcomes: (state: PartedState) => readonly PartedOutcome[];
  /** The stretch from a state that calls nothing, up to where `stops` holds or more than the next step is to be seen; null where it is none. */
  readonly stretches: (stops: (state: State) => boolean) => (state: PartedState) => Stretch | null;
  readonly behind: (state: PartedState, step: Known) => PartedState;
  /** What `run` gives for one of these kinds. */
  readonly lookedUp: (kinds: readonly number[], run: (kind: number, state: State) => readonly PathOutcome[]) => (kind: number, state: PartedState) => readonly PartedOutcome[];
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

/** What was run on a program is not known any more: to be run again it would be learned again. */
export function forgetPathSteps(program: Program): void {
  kept.delete(program);
}

function createPathSteps(program: Program, setup: MachineSetup): PathSteps {
  const parts = createParts(setup.layout.regions.length);
  const known = createKnownSteps(parts);

  function knownOf({ label, effects, calls, state, inside }: PathOutcome, recording: Recording, dead: readonly DeadWord[]): KnownOutcome {
    const stepTo = (to: State): Known => known.knownOf({ label, event: null, effects, state: to }, recording.writesOf(to));
    return { label, effects, calls, step: stepTo(state), inside: inside === null ? null : stepTo(inside), dead };
  }

  const lookedUp: PathSteps['lookedUp'] = (kinds, run) => {
    const answers = createAnswers<readonly KnownOutcome[]>(parts, kinds.length);
    return (kind, state) =>
      behind(state, answers.of(kinds.indexOf(kind), state, (recording) => {
        const outcomes = run(kind, recording.state);
        const dead = deadReads(state, recording.reads);
        return outcomes.map((outcome) => knownOf(outcome, recording, dead));
      }));
  };

  function behind(state: PartedState, outcomes: readonly KnownOutcome[]): readonly PartedOutcome[] {
    const out: PartedOutcome[] = [];
    for (const { label, effects, calls, step, inside, dead } of outcomes) out.push({ label, effects, state: known.after(state, step), calls, inside: inside === null ? null : known.after(state, inside), dead });
    return out;
  }

  const stretches: PathSteps['stretches'] = (stops) => {
    const stretchFrom = createStretches(parts, known, (at) => {
      if (stops(at) || asksMore(program.code.nodes[at.node])) return null;
      const outcomes = pathOutcomes(program, setup, at);
      const only = outcomes[0];
      return only === undefined || outcomes.length > 1 || only.inside !== null || only.effects.length > 0 || only.state.ended !== null ? null : only.state;
    });
    return (state) => (hasEnded(state) ? null : stretchFrom(state));
  };
  const own = lookedUp([0], (_, state) => pathOutcomes(program, setup, state));

  /** By the number of what seldom changes. */
  const ended: boolean[] = [];
  const hasEnded = (state: PartedState): boolean => (ended[state.restId] ??= state.ended !== null);

  return { parts, stateOf: parts.stateOf, lookedUp, hasEnded, stretches, behind: known.after, outcomes: (state) => (hasEnded(state) ? NONE : own(0, state)) };
}

/** Event returns, and calls out of view, which are asked about live frames. */
function asksMore(node: CodeNode | undefined): boolean {
  return node?.kind === 'instruction' && (returnsFromEvent(node) || outsideName(node) !== null);
}

const NONE: readonly PartedOutcome[] = [];
