// The machine as a model for the explorer: states by the numbers of their components, steps looked up where they were
// run before.
import type { Model } from '../explore/model.ts';
import type { EnvironmentEvent, MachineSetup } from '../machine/config.ts';
import type { Effect } from '../machine/effects.ts';
import type { Recording } from '../machine/recording.ts';
import { eventArrives, eventStep, mayBeSpent, ownSteps, pendingSteps, runnable, spent, waitsForFirst } from '../machine/machine.ts';
import type { Step } from '../machine/machine.ts';
import type { State } from '../machine/state.ts';
import { knowledgeOf } from './knowledge.ts';
import { deadReads } from './dead-words.ts';
import type { DeadWord } from './dead-words.ts';
import { createAnswers } from './known-steps.ts';
import type { Known, Looked } from './known-steps.ts';
import type { Forgetting } from './nesting-dead.ts';
import { PartedState } from './parts.ts';

export interface MachineTransition extends Step {
  readonly weight: number;
}

export interface MachineModel extends Model<State> {
  readonly successors: (state: State) => readonly MachineTransition[];
  /** Whether some path was cut off because frames were nested as deep as the bound allows. */
  readonly cutOff: () => boolean;
  /** A step looked at a word that had been forgotten: what was explored says nothing. */
  readonly isVoid: () => boolean;
  /** Words that were found to be none to forget. */
  readonly learned: () => number;
}

const WIDTH = 6;

/** Steps that one choice may stand for: a loop that touches nothing ends here. */
const LONGEST_CHAIN = 256;

/** States of an exploration behind which it is worth while to learn whole stretches: fewer are sooner run step by step. */
const MANY = 2000;
/** The same where words are forgotten: such an exploration is one of several, which learn together. */
const MANY_FORGETTING = 200;

export interface ModelOptions {
  /** Sees the states that a choice runs through without leaving another choice. */
  readonly passed?: (state: State) => void;
  /** What a return leaves on a stack that keeps its words is forgotten as far as this does. */
  readonly forgetting?: Forgetting | null;
  /** Sees the steps that do what a rule could judge; a choice may then run through them, and no trace ends with them. */
  readonly judged?: (seen: { readonly before: State; readonly effects: readonly Effect[]; readonly after: State }) => void;
  /** Choices are the same, and each is its first step alone. */
  readonly single?: boolean;
}

/**
 * `initial` are the start states. Packed states of models of one program on one machine compare, others do not. Where the
 * set-up names visible boundaries, steps that leave no choice and do nothing a rule could judge are taken together; with all
 * boundaries visible every step is a state.
 */
export function machineModel(setup: MachineSetup, initial: readonly State[], { passed, forgetting = null, judged, single = false }: ModelOptions = {}): MachineModel {
  const { parts, known, machine, own, event: knownEvent, stretches } = knowledgeOf(setup);
  // Who wants to see the states that a choice runs through sees them one by one; in the SYSCALL gap any access may fail.
  const stretchFrom = setup.visible === null || setup.gap !== null || single || passed !== undefined ? null : stretches(setup.visible, setup.events);
  const many = forgetting === null ? MANY : MANY_FORGETTING;
  let expanded = 0;
  const eventSteps = setup.events.map(knownEvent);
  const pending = createAnswers<Looked<readonly Known[]>>(parts, 1);
  const arrivals = createAnswers<Looked<boolean>>(parts, Math.max(1, setup.events.length));
  /** Numbers of the rest before to the rest behind an event that was counted. */
  const counted = setup.events.map(() => new Map<number, number>());
  let cut = false;
  let looked = false;
  let learned = 0;

  const asKnown = (state: PartedState, recording: Recording, made: readonly Step[]): Looked<readonly Known[]> => ({
    answer: made.map((step) => known.knownOf(step, recording.writesOf(step.state))),
    dead: deadReads(state, recording.reads),
  });

  /** Nothing is said of what lies behind a look at a word that was forgotten, but that it may show more such words. */
  function noteDead(dead: readonly DeadWord[]): void {
    if (dead.length === 0 || forgetting === null) return;
    learned += forgetting.keep(dead);
    looked = true;
  }

  function behind(state: PartedState, step: Known): PartedState {
    const after = known.after(state, step);
    return forgetting !== null && step.effects.some((effect) => effect.kind === 'return') ? forgetting.behindReturn(after) : after;
  }

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

  function take(choices: Choice[], from: PartedState, { answer, dead }: Looked<readonly Known[]>): void {
    noteDead(dead);
    for (const step of answer) choices.push({ step, state: behind(from, step) });
  }

  /** All that may happen at a state, in the order of the machine's own list. */
  function choicesAt(state: PartedState): { readonly choices: readonly Choice[]; readonly cutOff: boolean } {
    const choices: Choice[] = [];
    const node = runnable(setup, state);
    if (node === null) return { choices, cutOff: false };
    const { budgets } = state;
    const waits = waitsForFirst(setup, budgets);
    let cutOff = false;
    take(choices, state, own.of(waits ? 1 : 0, state, (recording) => asKnown(state, recording, ownSteps(machine, recording.state, node, waits))));
    for (let index = 0; index < setup.events.length; index += 1) {
      const event = setup.events[index];
      const answers = eventSteps[index];
      if (event === undefined || answers === undefined || !mayBeSpent(setup, budgets, event, waits)) continue;
      const arrives = arrivals.of(index, state, (recording) => ({ answer: eventArrives(setup, recording.state, node, event), dead: deadReads(state, recording.reads) }));
      noteDead(arrives.dead);
      if (!arrives.answer) continue;
      if (state.frames.length >= setup.depth) {
        cutOff = true;
        continue;
      }
      take(choices, withEventCounted(state, event, index), answers.of(0, state, (recording) => asKnown(state, recording, [eventStep(machine, recording.state, node, event)])));
    }
    if (!waits && state.pending.length > 0) take(choices, state, pending.of(0, state, (recording) => asKnown(state, recording, pendingSteps(setup, recording.state, node))));
    return { choices, cutOff };
  }

  /** A step that a rule could judge stands alone, so that a trace ends with it. */
  function stands({ effects }: Known): boolean {
    return judged === undefined && effects.length > 0;
  }

  function judge(from: PartedState, { effects }: Known, to: PartedState): void {
    if (effects.length > 0) judged?.({ before: from, effects, after: to });
  }

  function chain(before: PartedState, { step, state: first }: Choice): MachineTransition {
    const { visible } = setup;
    let state = first;
    let weight = 1;
    judge(before, step, state);
    while (!single && !stands(step) && visible !== null && weight < LONGEST_CHAIN && state.ended === null) {
      const stretch = expanded < many || stretchFrom === null ? null : stretchFrom(state);
      if (stretch !== null && weight + stretch.steps <= LONGEST_CHAIN) {
        noteDead(stretch.dead);
        state = known.after(state, stretch.last);
        weight += stretch.steps;
        continue;
      }
      const { choices, cutOff } = choicesAt(state);
      const only = choices[0];
      if (cutOff || only === undefined || choices.length !== 1 || stands(only.step) || (judged === undefined && only.state.ended !== null)) break;
      passed?.(state);
      judge(state, only.step, only.state);
      state = only.state;
      weight += 1;
    }
    return { label: step.label, event: step.event, effects: step.effects, state, weight };
  }

  return {
    width: WIDTH,
    initial: () => (forgetting === null ? initial : initial.map((state) => forgetting.behindReturn(parts.stateOf(state)))),
    isVoid: () => looked,
    learned: () => learned,
    successors: (state) => {
      expanded += 1;
      const from = parts.stateOf(state);
      const { choices, cutOff } = choicesAt(from);
      if (cutOff) cut = true;
      return choices.map((choice) => chain(from, choice));
    },
    pack: (state, into, offset) => {
      const parted = parts.stateOf(state);
      into[offset] = parted.node;
      into[offset + 1] = parted.registersId;
      into[offset + 2] = parted.controlId;
      into[offset + 3] = forgetting === null ? parted.memoryId : forgetting.alike(parted);
      into[offset + 4] = parted.framesId;
      into[offset + 5] = parted.restId;
    },
    cutOff: () => cut,
  };
}
