// What the returns of nested events leave on a stack that keeps its words, forgotten as far as nothing reads it. Which words
// are read is learned: a step that looks at a word taken to be dead makes it one to keep, and the exploration begins anew.
import type { MachineSetup } from '../machine/config.ts';
import { addressOfNode, PERCPU_REGION } from '../machine/layout.ts';
import type { State } from '../machine/state.ts';
import { constant, UNKNOWN, ZERO } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import { isStandIn, standIn } from './dead-words.ts';
import type { DeadWord } from './dead-words.ts';
import { PartedState } from './parts.ts';

/** Words of the stack that are read after a return, by how many events are still handled on it then. */
export interface KeptWords {
  readonly moments: Map<number, Moment>;
  /** Slots in use so far. */
  length: number;
  /** Per-CPU words that a run changed for good: counters and the like. Anything may be in them. */
  readonly unsteady: Set<number>;
}

interface Moment {
  readonly number: number;
  readonly slots: Set<number>;
}

export function newKeptWords(): KeptWords {
  return { moments: new Map(), length: 0, unsteady: new Set() };
}

function momentOf({ moments }: KeptWords, frames: State['frames'], region: number): Moment {
  const live = frames.filter((frame) => frame.region === region).length;
  const known = moments.get(live) ?? { number: moments.size, slots: new Set() };
  moments.set(live, known);
  return known;
}

export interface Forgetting {
  /** Index of the stack. */
  readonly region: number;
  /** A state behind a return, with stand-ins for what is dead. */
  readonly behindReturn: (state: PartedState) => PartedState;
  /** The memory with one stand-in for all of them: since when a word is dead, and which it was, tells no states apart. */
  readonly alike: (state: PartedState) => number;
  /** From the next exploration on these are kept; how many of them were not before. */
  readonly keep: (read: readonly DeadWord[]) => number;
}

/** Whether an exploration of so many states has found no more words to keep for `most` of them. */
export function nothingLearned({ learned }: { readonly learned: () => number }, most: number): (states: number) => boolean {
  let known = 0;
  let at = 0;
  return (states) => {
    if (learned() > known) {
      known = learned();
      at = states;
    }
    return states > at + most;
  };
}

/** A state behind a return, with anything in the per-CPU words that runs changed for good. */
export function unsteadyOf(start: State, kept: KeptWords): (state: PartedState) => PartedState {
  const perCpu = new Map<number, number>();
  const first = start.memory[PERCPU_REGION] ?? [];

  function steady(slots: readonly (Word | undefined)[]): readonly (Word | undefined)[] {
    slots.forEach((word, slot) => {
      if (word !== undefined && word !== (first[slot] ?? ZERO)) kept.unsteady.add(slot);
    });
    return Array.from({ length: Math.max(slots.length, ...[...kept.unsteady].map((slot) => slot + 1)) }, (_, slot) => (kept.unsteady.has(slot) ? UNKNOWN : slots[slot]));
  }

  return (state) => {
    const { parts, node, registersId, controlId, memoryId, framesId, restId } = state;
    const variables = parts.regionIn(memoryId, PERCPU_REGION);
    let now = perCpu.get(variables);
    if (now === undefined) perCpu.set(variables, (now = parts.freshRegionId(steady(parts.regionOf(variables)))));
    return new PartedState(parts, node, registersId, controlId, parts.withRegion(memoryId, PERCPU_REGION, now), framesId, restId);
  };
}

/** Null where no stack keeps its words. */
export function forgettingOf(setup: MachineSetup, kept: KeptWords): Forgetting | null {
  const region = setup.layout.regions.find((one) => one.kind === 'stack' && one.keepsStale);
  if (region === undefined) return null;
  const { index } = region;
  const known = new Map<string, number>();
  const alike: (number | undefined)[] = [];

  function forgotten(slots: readonly (Word | undefined)[], frames: State['frames']): readonly (Word | undefined)[] {
    const moment = momentOf(kept, frames, index);
    kept.length = Math.max(kept.length, slots.length);
    const copies = copiesIn(slots, frames);
    return Array.from({ length: kept.length }, (_, slot) => (moment.slots.has(slot) || copies.has(slot) ? (slots[slot] ?? ZERO) : standIn(moment.number, slot)));
  }

  return {
    region: index,
    behindReturn: (state) => {
      const { parts, node, registersId, controlId, memoryId, framesId, restId } = state;
      const before = parts.regionIn(memoryId, index);
      const key = `${before} ${framesId}`;
      let after = known.get(key);
      if (after === undefined) known.set(key, (after = parts.freshRegionId(forgotten(parts.regionOf(before), state.frames))));
      return new PartedState(parts, node, registersId, controlId, parts.withRegion(memoryId, index, after), framesId, restId);
    },
    alike: ({ parts, memoryId }) => {
      const own = parts.regionIn(memoryId, index);
      let one = alike[own];
      if (one === undefined) {
        const slots = parts.regionOf(own);
        one = slots.some((word) => word !== undefined && isStandIn(word)) ? parts.freshRegionId(slots.map((word) => (word !== undefined && isStandIn(word) ? standIn(0, 0) : word))) : own;
        alike[own] = one;
      }
      return one === own ? memoryId : parts.withRegion(memoryId, index, one);
    },
    keep: (read) => {
      let more = 0;
      for (const { moment, slot } of read) {
        for (const { number, slots } of kept.moments.values()) {
          if (number !== moment || slots.has(slot)) continue;
          slots.add(slot);
          more += 1;
        }
      }
      if (more > 0) known.clear();
      return more;
    },
  };
}

/** Slots of copies of live frames, which are looked for wherever they lie. */
function copiesIn(slots: readonly (Word | undefined)[], frames: State['frames']): ReadonlySet<number> {
  const found = new Set<number>();
  for (const frame of frames) {
    const rip = constant(addressOfNode(frame.interrupted, frame.cpl === 3));
    for (let slot = 3; slot < slots.length; slot += 1) {
      if (slots[slot] !== rip || slots[slot - 3] !== frame.rsp) continue;
      for (let word = slot - 4; word <= slot; word += 1) found.add(word);
    }
  }
  return found;
}
