// A draft of a recorded state: notes what is read of the state that the recording began with, and what is written.
import type { Draft } from './draft.ts';
import type { RegisterIndex } from './code.ts';
import { cpuField, cpuFieldsOf, NO_CPU_FIELD, noteOrigin, noteRegister, noteSimple, noteSlot, RecordedCpu } from './recorded-reads.ts';
import type { CpuFields, Origin, Reads } from './recorded-reads.ts';
import type { Cpu, Frame, GuardGhost, Pending, State } from './state.ts';
import { ARITHMETIC } from './state.ts';
import { replaceBits } from './word.ts';
import type { Word } from './word.ts';

/** What happens to the words of a region, in this order. */
export type MemoryWrite =
  | { readonly kind: 'slot'; readonly region: number; readonly slot: number; readonly value: Word; readonly from: Origin | null }
  /** Slots from `length` on are forgotten. */
  | { readonly kind: 'length'; readonly region: number; readonly length: number };

/** `from`: where the word is taken from in each state; null where it is this one in all. */
export interface RegisterWrite {
  readonly index: RegisterIndex;
  readonly value: Word;
  readonly from: Origin | null;
}

/** Null where the state before stays. */
export interface Writes {
  readonly node: number;
  readonly registers: readonly RegisterWrite[];
  readonly memory: readonly MemoryWrite[];
  readonly flags: Word | null;
  readonly cpu: Partial<Cpu> | null;
  readonly frames: readonly Frame[] | null;
  readonly pending: readonly Pending[] | null;
  readonly features: readonly string[] | null;
  readonly ghosts: readonly GuardGhost[] | null;
  readonly ended: string | null;
}

type Field = 'flags' | 'frames' | 'pending' | 'features' | 'ghosts';

const BIT: Readonly<Record<Field, number>> = { flags: 1, frames: 2, pending: 4, features: 8, ghosts: 16 };

/** Writes to memory, last one first: what a further step adds leaves the list of the steps before as it is. */
interface WriteList {
  readonly write: MemoryWrite;
  readonly before: WriteList | null;
}

/** Reads of what the draft has written itself are none of the state's. */
export class RecordedDraft implements Draft {
  node: number;
  registers: readonly Word[];
  ownsRegisters = false;
  memory: State['memory'];
  ownsMemory = false;
  effects: Draft['effects'] = [];
  accesses: Draft['accesses'] = null;
  readonly reads: Reads;
  private readonly fields: { flags: Word; frames: readonly Frame[]; pending: readonly Pending[]; budgets: readonly number[]; features: readonly string[]; ghosts: readonly GuardGhost[]; ended: string | null };
  private written: number;
  private readonly recordedCpu: RecordedCpu;
  /** By register; undefined where it is as it was. */
  private readonly writtenRegisters: (Origin | null | undefined)[];
  private memoryWrites: WriteList | null;

  constructor(state: { readonly own: State; readonly reads: Reads } | RecordedDraft) {
    this.reads = state.reads;
    if (!(state instanceof RecordedDraft)) {
      const { node, registers, memory, flags, cpu, frames, pending, budgets, features, ghosts, ended } = state.own;
      this.node = node;
      this.registers = registers;
      this.memory = memory;
      this.fields = { flags, frames, pending, budgets, features, ghosts, ended };
      this.written = 0;
      this.recordedCpu = new RecordedCpu(cpu, this.reads, NO_CPU_FIELD);
      this.writtenRegisters = [];
      this.memoryWrites = null;
    } else {
      this.node = state.node;
      this.registers = state.registers;
      this.memory = state.memory;
      this.fields = { ...state.fields };
      this.written = state.written;
      this.recordedCpu = new RecordedCpu(state.recordedCpu.own, this.reads, state.recordedCpu.written);
      this.writtenRegisters = state.writtenRegisters.slice();
      this.memoryWrites = state.memoryWrites;
    }
  }

  get flags(): Word {
    if (!this.wrote('flags')) noteSimple(this.reads, 'flags');
    return this.fields.flags;
  }

  set flags(value: Word) {
    this.written |= BIT.flags;
    this.fields.flags = value;
  }

  get cpu(): Cpu {
    return this.recordedCpu as unknown as Cpu;
  }

  set cpu(_: Cpu) {
    throw new Error('the CPU is changed field by field');
  }

  changeCpu(change: Partial<Cpu>): void {
    for (const field of Object.keys(change) as (keyof Cpu)[]) this.recordedCpu.written |= cpuField(field);
    this.recordedCpu.own = { ...this.recordedCpu.own, ...change };
  }

  get frames(): readonly Frame[] {
    if (!this.wrote('frames')) noteSimple(this.reads, 'frames');
    return this.fields.frames;
  }

  set frames(value: readonly Frame[]) {
    this.written |= BIT.frames;
    this.fields.frames = value;
  }

  get pending(): readonly Pending[] {
    if (!this.wrote('pending')) noteSimple(this.reads, 'pending');
    return this.fields.pending;
  }

  set pending(value: readonly Pending[]) {
    this.written |= BIT.pending;
    this.fields.pending = value;
  }

  get budgets(): readonly number[] {
    return this.fields.budgets;
  }

  set budgets(value: readonly number[]) {
    this.fields.budgets = value;
  }

  get features(): readonly string[] {
    if (!this.wrote('features')) noteSimple(this.reads, 'features');
    return this.fields.features;
  }

  set features(value: readonly string[]) {
    this.written |= BIT.features;
    this.fields.features = value;
  }

  get ghosts(): readonly GuardGhost[] {
    if (!this.wrote('ghosts')) noteSimple(this.reads, 'ghosts');
    return this.fields.ghosts;
  }

  set ghosts(value: readonly GuardGhost[]) {
    this.written |= BIT.ghosts;
    this.fields.ghosts = value;
  }

  get ended(): string | null {
    return this.fields.ended;
  }

  set ended(value: string | null) {
    this.fields.ended = value;
  }

  /** Whether the field is the draft's own by now. */
  wrote(field: Field): boolean {
    return (this.written & BIT[field]) !== 0;
  }

  writtenCpu(): CpuFields {
    return this.recordedCpu.written;
  }

  noteRegisterRead(index: RegisterIndex): void {
    const from = this.writtenRegisters[index];
    if (from === undefined) noteRegister(this.reads, index);
    else if (from !== null) noteOrigin(this.reads, from);
  }

  noteRegistersRead(): void {
    noteSimple(this.reads, 'registers');
    for (const from of this.writtenRegisters) if (from !== null && from !== undefined) noteOrigin(this.reads, from);
  }

  noteRegisterWrite(index: RegisterIndex, from: Origin | null): void {
    this.writtenRegisters[index] = from;
  }

  /** Null where the word is the same in all states. */
  originOfRegister(index: RegisterIndex, missing: Word): Origin | null {
    const from = this.writtenRegisters[index];
    return from === undefined ? { piece: { kind: 'register', index }, missing } : from;
  }

  originOfSlot(region: number, slot: number, missing: Word): Origin | null {
    for (let at = this.memoryWrites; at !== null; at = at.before) {
      const { write } = at;
      if (write.region !== region) continue;
      if (write.kind === 'slot' && write.slot === slot) return write.from;
      if (write.kind === 'length' && slot >= write.length) return null;
    }
    return { piece: { kind: 'slot', region, slot }, missing };
  }

  noteSlotRead(region: number, slot: number, missing: Word): void {
    const from = this.originOfSlot(region, slot, missing);
    if (from !== null) noteOrigin(this.reads, from);
  }

  noteRegionRead(region: number): void {
    noteSlot(this.reads, region, -1);
    for (const write of this.writesToMemory()) if (write.kind === 'slot' && write.region === region && write.from !== null) noteOrigin(this.reads, write.from);
  }

  noteLookedAt(from: Origin): void {
    noteOrigin(this.reads, from);
  }

  noteMemoryWrite(write: MemoryWrite): void {
    this.memoryWrites = { write, before: this.memoryWrites };
  }

  /** The first one first. */
  private writesToMemory(): readonly MemoryWrite[] {
    const writes: MemoryWrite[] = [];
    for (let at = this.memoryWrites; at !== null; at = at.before) writes.push(at.write);
    return writes.reverse();
  }

  /** Replaces the flags that arithmetic changes, all of them. */
  setArithmeticFlags(known: bigint, value: bigint): void {
    if (!this.wrote('flags')) noteSimple(this.reads, 'system flags');
    this.flags = replaceBits(this.fields.flags, ARITHMETIC, known, value);
  }

  noteInnermostRead(): void {
    if (!this.wrote('frames')) noteSimple(this.reads, 'innermost');
  }

  innermost(): Frame | undefined {
    return this.fields.frames.at(-1);
  }

  finish(): State {
    const { node, registers, memory } = this;
    const state: State = { node, registers, memory, cpu: this.recordedCpu.own, ...this.fields };
    this.reads.finished.set(state, this);
    return state;
  }

  writes(): Writes {
    const { flags, frames, pending, features, ghosts, ended } = this.fields;
    const { own, written } = this.recordedCpu;
    const when = <T>(field: Field, value: T): T | null => (this.wrote(field) ? value : null);
    const registers: RegisterWrite[] = [];
    this.writtenRegisters.forEach((from, index) => {
      const value = this.registers[index];
      if (from !== undefined && value !== undefined) registers.push({ index, value, from });
    });
    return {
      node: this.node,
      registers,
      memory: this.writesToMemory(),
      flags: when('flags', flags),
      cpu: written === NO_CPU_FIELD ? null : Object.fromEntries(cpuFieldsOf(written).map((field) => [field, own[field]])),
      frames: when('frames', frames),
      pending: when('pending', pending),
      features: when('features', features),
      ghosts: when('ghosts', ghosts),
      ended,
    };
  }
}
