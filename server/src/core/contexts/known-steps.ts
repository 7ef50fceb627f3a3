// Steps that were run once are known: by the code they start at and by the pieces of the state that they read. The
// semantics run for what is new; everything else is looked up.
import { createAnswersBy } from '../explore/answers.ts';
import { record } from '../machine/recording.ts';
import type { MemoryWrite, Origin, Piece, Recording, Writes } from '../machine/recording.ts';
import type { Effect } from '../machine/effects.ts';
import type { Step } from '../machine/machine.ts';
import type { Word } from '../machine/word.ts';
import { PartedState } from './parts.ts';
import type { Parts, Slots } from './parts.ts';

/** Writes to one region, and the numbers of its content before to those behind. */
interface RegionWrites {
  readonly region: number;
  readonly writes: readonly MemoryWrite[];
  /** Null where carried words make that depend on more than the region. */
  readonly after: Map<number, number> | null;
}

/** What one step does to any state in which it reads what it has read. */
interface Known {
  readonly label: string;
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly writes: Writes;
  /** Numbers of components before to those behind; null where nothing changes, and where carried words come from memory. */
  readonly registers: Map<number, number> | null;
  readonly regions: readonly RegionWrites[];
  readonly control: Map<number, number> | null;
  readonly rest: Map<number, number> | null;
  readonly frames: number | null;
}

export interface Answers<T> {
  /** The answer to the question of a kind at a state: made from a recording of it, or found. */
  readonly of: (kind: number, state: PartedState, make: (recording: Recording) => T) => T;
  /** Answers that were made. */
  readonly made: () => number;
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

function regionWrites(region: number, writes: readonly MemoryWrite[]): RegionWrites {
  const carries = writes.some((write) => write.kind === 'slot' && write.from !== null);
  return { region, writes, after: carries ? null : new Map() };
}

export interface KnownSteps {
  /** What a recorded step does to any state that is equal in what it read. */
  readonly knownOf: (step: Step, writes: Writes) => Known;
  readonly after: (state: PartedState, step: Known) => PartedState;
}

export type { Known };

export function createKnownSteps(parts: Parts): KnownSteps {
  function knownOf(step: Step, writes: Writes): Known {
    return {
      label: step.label,
      event: step.event,
      effects: step.effects,
      writes,
      registers: writes.registers.every(({ from }) => from?.piece.kind !== 'slot') ? new Map() : null,
      regions: [...new Set(writes.memory.map(({ region }) => region))].map((region) => regionWrites(region, writes.memory.filter((write) => write.region === region))),
      control: writes.flags !== null || writes.cpu !== null ? new Map() : null,
      rest: writes.pending !== null || writes.features !== null || writes.ghosts !== null || writes.ended !== null ? new Map() : null,
      frames: writes.frames === null ? null : parts.framesId(writes.frames),
    };
  }

  function wordOf(value: Word, from: Origin | null, state: PartedState): Word {
    return from === null ? value : (parts.wordAt(from.piece, state) ?? from.missing);
  }

  function registersAfter(state: PartedState, { registers, writes }: Known): number {
    const known = registers?.get(state.registersId);
    if (known !== undefined) return known;
    let after = state.registersId;
    for (const { index, value, from } of writes.registers) after = parts.withRegister(after, index, wordOf(value, from, state));
    registers?.set(state.registersId, after);
    return after;
  }

  function memoryAfter(state: PartedState, written: readonly RegionWrites[]): number {
    let memory = state.memoryId;
    for (const { region, writes, after } of written) {
      const old = parts.regionIn(memory, region);
      let now = after?.get(old);
      if (now === undefined) {
        const only = writes[0];
        now = writes.length === 1 && only?.kind === 'slot' ? parts.withSlot(old, only.slot, wordOf(only.value, only.from, state)) : parts.freshRegionId(writtenTo(parts.regionOf(old), writes, state));
        after?.set(old, now);
      }
      memory = parts.withRegion(memory, region, now);
    }
    return memory;
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

  function controlAfter(before: number, { control, writes }: Known): number {
    const known = control?.get(before);
    if (known !== undefined) return known;
    const after = parts.controlId(writes.flags ?? parts.flagsOf(before), writes.cpu === null ? parts.cpuOf(before) : { ...parts.cpuOf(before), ...writes.cpu });
    control?.set(before, after);
    return after;
  }

  function restAfter(before: number, { rest, writes }: Known): number {
    const known = rest?.get(before);
    if (known !== undefined) return known;
    const old = parts.restOf(before);
    const after = parts.restId({ budgets: old.budgets, pending: writes.pending ?? old.pending, features: writes.features ?? old.features, ghosts: writes.ghosts ?? old.ghosts, ended: writes.ended });
    rest?.set(before, after);
    return after;
  }

  return {
    knownOf,
    after: (state, step) =>
      new PartedState(
        parts,
        step.writes.node,
        step.writes.registers.length === 0 ? state.registersId : registersAfter(state, step),
        step.control === null ? state.controlId : controlAfter(state.controlId, step),
        step.regions.length === 0 ? state.memoryId : memoryAfter(state, step.regions),
        step.frames ?? state.framesId,
        step.rest === null ? state.restId : restAfter(state.restId, step),
      ),
  };
}
