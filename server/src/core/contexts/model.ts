// The machine as a model for the explorer: states by the numbers of their components, steps looked up where they were
// run before.
import type { Model } from '../explore/model.ts';
import type { EnvironmentEvent, MachineSetup } from '../machine/config.ts';
import type { Recording } from '../machine/recording.ts';
import { eventArrives, eventStep, mayBeSpent, ownSteps, pendingSteps, runnable, spent, waitsForFirst } from '../machine/machine.ts';
import type { Step } from '../machine/machine.ts';
import type { State } from '../machine/state.ts';
import { knowledgeOf } from './knowledge.ts';
import { createAnswers } from './known-steps.ts';
import type { Known } from './known-steps.ts';
import { PartedState } from './parts.ts';

export interface MachineTransition extends Step {
  readonly weight: number;
}

export interface MachineModel extends Model<State> {
  readonly successors: (state: State) => readonly MachineTransition[];
  /** Whether some path was cut off because frames were nested as deep as the bound allows. */
  readonly cutOff: () => boolean;
}

const WIDTH = 6;

/** Steps that one choice may stand for: a loop that touches nothing ends here. */
const LONGEST_CHAIN = 256;

/** Sees the states that a choice runs through without leaving another choice. */
export type Passed = (state: State) => void;

/**
 * `initial` are the start states. Packed states of models of one program on one machine compare, others do not. Where the
 * set-up names visible boundaries, steps that leave no choice and do nothing a rule could judge are taken together; with all
 * boundaries visible every step is a state.
 */
export function machineModel(setup: MachineSetup, initial: readonly State[], passed: Passed | null = null): MachineModel {
  const { parts, known, machine, own, event: knownEvent } = knowledgeOf(setup);
  const eventSteps = setup.events.map(knownEvent);
  const pending = createAnswers<readonly Known[]>(parts, 1);
  const arrivals = createAnswers<boolean>(parts, Math.max(1, setup.events.length));
  /** Numbers of the rest before to the rest behind an event that was counted. */
  const counted = setup.events.map(() => new Map<number, number>());
  let cut = false;

  const asKnown = (recording: Recording, made: readonly Step[]): readonly Known[] => made.map((step) => known.knownOf(step, recording.writesOf(step.state)));

  function withEventCounted(state: PartedState, event: EnvironmentEvent, index: number): PartedState {
    let rest = counted[index]?.get(state.restId);
    if (rest === undefined) {
      const old = parts.restOf(state.restId);
      rest = parts.restId({ ...old, budgets: spent(old.budgets, event) });
      counted[index]?.set(state.restId, rest);
    }
    return new PartedState(parts, state.node, state.registersId, state.controlId, state.memoryId, state.framesId, rest);
  }

  interface Choice {
    readonly step: Known;
    readonly state: PartedState;
  }

  /** All that may happen at a state, in the order of the machine's own list. */
  function choicesAt(state: PartedState): { readonly choices: readonly Choice[]; readonly cutOff: boolean } {
    const choices: Choice[] = [];
    const node = runnable(setup, state);
    if (node === null) return { choices, cutOff: false };
    const { budgets } = state;
    const waits = waitsForFirst(setup, budgets);
    let cutOff = false;
    for (const step of own.of(waits ? 1 : 0, state, (recording) => asKnown(recording, ownSteps(machine, recording.state, node, waits)))) choices.push({ step, state: known.after(state, step) });
    for (let index = 0; index < setup.events.length; index += 1) {
      const event = setup.events[index];
      if (event === undefined || !mayBeSpent(setup, budgets, event, waits)) continue;
      if (!arrivals.of(index, state, (recording) => eventArrives(setup, recording.state, node, event))) continue;
      if (state.frames.length >= setup.depth) {
        cutOff = true;
        continue;
      }
      const made = eventSteps[index]?.of(0, state, (recording) => asKnown(recording, [eventStep(machine, recording.state, node, event)])) ?? [];
      const before = withEventCounted(state, event, index);
      for (const step of made) choices.push({ step, state: known.after(before, step) });
    }
    if (!waits && state.pending.length > 0) for (const step of pending.of(0, state, (recording) => asKnown(recording, pendingSteps(setup, recording.state, node)))) choices.push({ step, state: known.after(state, step) });
    return { choices, cutOff };
  }

  /** A step that a rule could judge stands alone, so that a trace ends with it. */
  function chain({ step, state: first }: Choice): MachineTransition {
    const { visible } = setup;
    let state = first;
    let weight = 1;
    while (step.effects.length === 0 && visible !== null && weight < LONGEST_CHAIN && state.ended === null) {
      const { choices, cutOff } = choicesAt(state);
      const only = choices[0];
      if (cutOff || only === undefined || choices.length !== 1 || only.step.effects.length > 0 || only.state.ended !== null) break;
      passed?.(state);
      state = only.state;
      weight += 1;
    }
    return { label: step.label, event: step.event, effects: step.effects, state, weight };
  }

  return {
    width: WIDTH,
    initial: () => initial,
    successors: (state) => {
      const { choices, cutOff } = choicesAt(parts.stateOf(state));
      if (cutOff) cut = true;
      return choices.map(chain);
    },
    pack: (state, into, offset) => {
      const parted = parts.stateOf(state);
      into[offset] = parted.node;
      into[offset + 1] = parted.registersId;
      into[offset + 2] = parted.controlId;
      into[offset + 3] = parted.memoryId;
      into[offset + 4] = parted.framesId;
      into[offset + 5] = parted.restId;
    },
    cutOff: () => cut,
  };
}
