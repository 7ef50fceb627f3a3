// Steps that were run once are known: by the code they start at and by the pieces of the state that they read. The
// semantics run for what is new; everything else is looked up.
import { createAnswersBy } from '../explore/answers.ts';
import { record } from '../machine/recording.ts';
import type { MemoryWrite, Piece, Recording, Writes } from '../machine/recording.ts';
import type { Effect } from '../machine/effects.ts';
import type { Step } from '../machine/machine.ts';
import { PartedState } from './parts.ts';
import type { Parts } from './parts.ts';

/** Writes to one region, and the numbers of its content before to those behind. */
interface RegionWrites {
  readonly region: number;
  readonly writes: readonly MemoryWrite[];
  readonly after: Map<number, number>;
}

/** What one step does to any state in which it reads what it has read. */
interface Known {
  readonly label: string;
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly writes: Writes;
  /** Numbers of components before to those behind. */
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
      registers: writes.registers.length > 0 ? new Map() : null,
      regions: [...new Set(writes.memory.map(({ region }) => region))].map((region) => ({ region, writes: writes.memory.filter((write) => write.region === region), after: new Map() })),
      control: writes.flags !== null || writes.cpu !== null ? new Map() : null,
      rest: writes.pending !== null || writes.features !== null || writes.ghosts !== null || writes.ended !== null ? new Map() : null,
      frames: writes.frames === null ? null : parts.framesId(writes.frames),
    };
  }

  function registersAfter(before: number, { registers, writes }: Known): number {
    const known = registers?.get(before);
    if (known !== undefined) return known;
    let after = before;
    for (const [index, value] of writes.registers) after = parts.withRegister(after, index, value);
    registers?.set(before, after);
    return after;
  }

  /** Slots from `length` on are forgotten. */
  function cut(region: number, length: number): number {
    const slots = parts.regionOf(region);
    return slots.length > length ? parts.regionId(slots.slice(0, length)) : region;
  }

  function memoryAfter(before: number, written: readonly RegionWrites[]): number {
    let memory = before;
    for (const { region, writes, after } of written) {
      const old = parts.regionIn(memory, region);
      let now = after.get(old);
      if (now === undefined) {
        now = old;
        for (const write of writes) now = write.kind === 'slot' ? parts.withSlot(now, write.slot, write.value) : cut(now, write.length);
        after.set(old, now);
      }
      memory = parts.withRegion(memory, region, now);
    }
    return memory;
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
        step.registers === null ? state.registersId : registersAfter(state.registersId, step),
        step.control === null ? state.controlId : controlAfter(state.controlId, step),
        step.regions.length === 0 ? state.memoryId : memoryAfter(state.memoryId, step.regions),
        step.frames ?? state.framesId,
        step.rest === null ? state.restId : restAfter(state.restId, step),
      ),
  };
}
