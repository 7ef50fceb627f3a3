// A state as six numbers, one for each of its parts, and what can be asked of those numbers. Equal parts have the same
// number; which number that is, `part-numbers.ts` decides.
import type { Cpu, Frame, State } from '../machine/state.ts';
import type { Origin, Piece } from '../machine/recording.ts';
import type { Word } from '../machine/word.ts';

/** Slots of a region; those that were never written are missing. */
export type Slots = readonly (Word | undefined)[];

/** What seldom changes. */
export type Rest = Pick<State, 'pending' | 'budgets' | 'features' | 'ghosts' | 'ended'>;

/** A state by the numbers of its components; its fields are looked up. */
export class PartedState implements State {
  readonly node: number;
  readonly registersId: number;
  readonly controlId: number;
  readonly memoryId: number;
  readonly framesId: number;
  readonly restId: number;
  readonly parts: Parts;

  constructor(parts: Parts, node: number, registersId: number, controlId: number, memoryId: number, framesId: number, restId: number) {
    this.parts = parts;
    this.node = node;
    this.registersId = registersId;
    this.controlId = controlId;
    this.memoryId = memoryId;
    this.framesId = framesId;
    this.restId = restId;
  }

  get registers(): readonly Word[] {
    return this.parts.registersOf(this.registersId);
  }

  get flags(): Word {
    return this.parts.flagsOf(this.controlId);
  }

  get cpu(): Cpu {
    return this.parts.cpuOf(this.controlId);
  }

  get memory(): State['memory'] {
    return this.parts.memoryOf(this.memoryId);
  }

  get frames(): readonly Frame[] {
    return this.parts.framesOf(this.framesId);
  }

  get pending(): State['pending'] {
    return this.parts.restOf(this.restId).pending;
  }

  get budgets(): readonly number[] {
    return this.parts.restOf(this.restId).budgets;
  }

  get features(): readonly string[] {
    return this.parts.restOf(this.restId).features;
  }

  get ghosts(): State['ghosts'] {
    return this.parts.restOf(this.restId).ghosts;
  }

  get ended(): string | null {
    return this.parts.restOf(this.restId).ended;
  }
}

export interface Parts {
  readonly registersId: (registers: readonly Word[]) => number;
  readonly controlId: (flags: Word, cpu: Cpu) => number;
  readonly memoryId: (memory: State['memory']) => number;
  readonly framesId: (frames: readonly Frame[]) => number;
  readonly restId: (rest: Rest) => number;
  readonly registersOf: (id: number) => readonly Word[];
  /** The registers with another word in one of them, and a region with another word in a slot. */
  readonly withRegister: (registersId: number, index: number, value: Word) => number;
  readonly withSlot: (regionId: number, slot: number, value: Word) => number;
  readonly flagsOf: (controlId: number) => Word;
  readonly cpuOf: (controlId: number) => Cpu;
  readonly memoryOf: (id: number) => State['memory'];
  readonly regionId: (slots: Slots) => number;
  /** The same of slots that nobody asks about again as this object. */
  readonly freshRegionId: (slots: Slots) => number;
  readonly regionOf: (id: number) => Slots;
  /** Number of a region in a memory, and the memory with another region there. */
  readonly regionIn: (memoryId: number, region: number) => number;
  readonly withRegion: (memoryId: number, region: number, regionId: number) => number;
  readonly framesOf: (id: number) => readonly Frame[];
  readonly restOf: (id: number) => Rest;
  /** Components of all kinds. */
  readonly size: () => number;
  /** The same state by numbers; itself where it is one of these parts already. */
  readonly stateOf: (state: State) => PartedState;
  /** The word of a register or slot; undefined where it was never written. */
  readonly wordAt: (piece: Origin['piece'], state: PartedState) => Word | undefined;
  /** A number that stands for the value of a piece: equal values of one piece have the same number. */
  readonly valueOf: (piece: Piece, state: PartedState) => number;
}
