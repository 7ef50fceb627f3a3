// Steps that were run once are known: by the code they start at and by the pieces of the state that they read. The
// semantics run for what is new; everything else is looked up.
import { createAnswersBy } from '../explore/answers.ts';
import { createPairs } from '../explore/pairs.ts';
import { record } from '../machine/recording.ts';
import type { MemoryWrite, Origin, Piece, Recording, Writes } from '../machine/recording.ts';
import type { Effect } from '../machine/effects.ts';
import type { Step } from '../machine/machine.ts';
import type { Word } from '../machine/word.ts';
import type { DeadWord } from './dead-words.ts';
import { PartedState } from './parts.ts';
import type { Parts, Slots } from './parts.ts';

/** Writes to one region. */
interface RegionWrites {
  readonly region: number;
  readonly writes: readonly MemoryWrite[];
  /** Under this its content before and behind is remembered; null where carried words make that depend on more. */
  readonly id: number | null;
}

/** What one step does to any state in which it reads what it has read. */
interface Known {
  readonly label: string;
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly writes: Writes;
  /** Under this its components before and behind are remembered. */
  readonly id: number;
  readonly regions: readonly RegionWrites[];
  /** Whether what the registers become depends on them alone. */
  readonly registersAlone: boolean;
  /** Which components it changes. */
  readonly control: boolean;
  readonly rest: boolean;
  readonly frames: number | null;
}

export interface Answers<T> {
  /** The answer to the question of a kind at a state: made from a recording of it, or found. */
  readonly of: (kind: number, state: PartedState, make: (recording: Recording) => T) => T;
  /** Answers that were made. */
  readonly made: () => number;
}

/** An answer with the words taken to be dead that its making looked at all the same. */
export interface Looked<T> {
  readonly answer: T;
  readonly dead: readonly DeadWord[];
}

/** `kinds`: how many different questions are asked at a node. */
export function createAnswers<T>(parts: Parts, kinds: number): Answers<T> {
  const answers = createAnswersBy<T, Piece, PartedState>(parts.valueOf);
  return {
    of: (kind, state, make) =>
      answers.of(state.node * kinds + kind, state, () => {
        const recording = record(state);
        return { answer: make(recording), reads: recording.reads };
      }),
    made: answers.made,
  };
}

/** What components become by what is done to them, all by number; `made` where it was not asked for yet. */
type Behind = (what: number, before: number, made: () => number) => number;

function createBehind(): Behind {
  const pairs = createPairs();
  const results: number[] = [];
  return (what, before, made) => {
    const id = pairs.idOf(what, before);
    return (results[id] ??= made());
  };
}

export interface KnownSteps {
  /** What a recorded step does to any state that is equal in what it read. */
  readonly knownOf: (step: Step, writes: Writes) => Known;
  readonly after: (state: PartedState, step: Known) => PartedState;
}

export type { Known };

export function createKnownSteps(parts: Parts): KnownSteps {
  const registersBehind = createBehind();
  const regionBehind = createBehind();
  const controlBehind = createBehind();
  const restBehind = createBehind();
  let ids = 0;
  const carriesSlots = ({ from }: { readonly from: Origin | null }): boolean => from?.piece.kind === 'slot';

  function regionWrites(region: number, all: readonly MemoryWrite[]): RegionWrites {
    const writes = all.filter((write) => write.region === region);
    return { region, writes, id: writes.some((write) => write.kind === 'slot' && write.from !== null) ? null : (ids += 1) };
  }

  function knownOf(step: Step, writes: Writes): Known {
    return {
      label: step.label,
      event: step.event,
      effects: step.effects,
      writes,
      id: (ids += 1),
      registersAlone: !writes.registers.some(carriesSlots),
      regions: [...new Set(writes.memory.map(({ region }) => region))].map((region) => regionWrites(region, writes.memory)),
      control: writes.flags !== null || writes.cpu !== null,
      rest: writes.pending !== null || writes.features !== null || writes.ghosts !== null || writes.ended !== null,
      frames: writes.frames === null ? null : parts.framesId(writes.frames),
    };
  }

  function wordOf(value: Word, from: Origin | null, state: PartedState): Word {
    return from === null ? value : (parts.wordAt(from.piece, state) ?? from.missing);
  }

  function registersAfter(state: PartedState, { id, registersAlone, writes }: Known): number {
    const run = (): number => writes.registers.reduce((after, { index, value, from }) => parts.withRegister(after, index, wordOf(value, from, state)), state.registersId);
    return registersAlone ? registersBehind(id, state.registersId, run) : run();
  }

  function memoryAfter(state: PartedState, written: readonly RegionWrites[]): number {
    let memory = state.memoryId;
    for (const { region, writes, id } of written) {
      const old = parts.regionIn(memory, region);
      memory = parts.withRegion(memory, region, id === null ? regionAfter(old, writes, state) : regionBehind(id, old, () => regionAfter(old, writes, state)));
    }
    return memory;
  }

  function regionAfter(old: number, writes: readonly MemoryWrite[], state: PartedState): number {
    const only = writes[0];
    return writes.length === 1 && only?.kind === 'slot' ? parts.withSlot(old, only.slot, wordOf(only.value, only.from, state)) : parts.freshRegionId(writtenTo(parts.regionOf(old), writes, state));
  }

  function writtenTo(slots: Slots, writes: readonly MemoryWrite[], state: PartedState): Slots {
    const after: (Word | undefined)[] = slots.slice();
    for (const write of writes) {
      if (write.kind === 'length') {
        if (after.length > write.length) after.length = write.length;
        continue;
      }
      while (after.length < write.slot) after.push(undefined);
      after[write.slot] = wordOf(write.value, write.from, state);
    }
    return after;
  }

  function controlAfter(before: number, { id, writes }: Known): number {
    return controlBehind(id, before, () => parts.controlId(writes.flags ?? parts.flagsOf(before), writes.cpu === null ? parts.cpuOf(before) : { ...parts.cpuOf(before), ...writes.cpu }));
  }

  function restAfter(before: number, { id, writes }: Known): number {
    return restBehind(id, before, () => {
      const old = parts.restOf(before);
      return parts.restId({ budgets: old.budgets, pending: writes.pending ?? old.pending, features: writes.features ?? old.features, ghosts: writes.ghosts ?? old.ghosts, ended: writes.ended });
    });
  }

  return {
    knownOf,
    after: (state, step) =>
      new PartedState(
        parts,
        step.writes.node,
        step.writes.registers.length === 0 ? state.registersId : registersAfter(state, step),
        step.control ? controlAfter(state.controlId, step) : state.controlId,
        step.regions.length === 0 ? state.memoryId : memoryAfter(state, step.regions),
        step.frames ?? state.framesId,
        step.rest ? restAfter(state.restId, step) : state.restId,
      ),
  };
}
