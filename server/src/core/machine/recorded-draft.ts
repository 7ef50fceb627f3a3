// A draft of a recorded state: notes what is read of the state that the recording began with, and what is written.
import type { Draft } from './draft.ts';
import type { RegisterIndex } from './code.ts';
import { noteOrigin, noteRegister, noteSimple, noteSlot, RecordedCpu } from './recorded-reads.ts';
import type { Origin, Reads } from './recorded-reads.ts';
import type { Cpu, Frame, GuardGhost, Pending, State } from './state.ts';
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

type Field = 'flags' | 'frames' | 'pending' | 'budgets' | 'features' | 'ghosts' | 'ended';

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
  private readonly written: Set<Field>;
  private readonly recordedCpu: RecordedCpu;
  private readonly writtenRegisters: Map<RegisterIndex, Origin | null>;
  private readonly memoryWrites: MemoryWrite[];

  constructor(state: { readonly own: State; readonly reads: Reads } | RecordedDraft) {
    this.reads = state.reads;
    if (!(state instanceof RecordedDraft)) {
      const { node, registers, memory, flags, cpu, frames, pending, budgets, features, ghosts, ended } = state.own;
      this.node = node;
      this.registers = registers;
      this.memory = memory;
      this.fields = { flags, frames, pending, budgets, features, ghosts, ended };
      this.written = new Set();
      this.recordedCpu = new RecordedCpu(cpu, this.reads, []);
      this.writtenRegisters = new Map();
      this.memoryWrites = [];
    } else {
      this.node = state.node;
      this.registers = state.registers;
      this.memory = state.memory;
      this.fields = { ...state.fields };
      this.written = new Set(state.written);
      this.recordedCpu = new RecordedCpu(state.recordedCpu.own, this.reads, state.recordedCpu.written);
      this.writtenRegisters = new Map(state.writtenRegisters);
      this.memoryWrites = [...state.memoryWrites];
    }
  }

  get flags(): Word {
    if (!this.written.has('flags')) noteSimple(this.reads, 'flags');
    return this.fields.flags;
  }

  set flags(value: Word) {
    this.written.add('flags');
    this.fields.flags = value;
  }

  get cpu(): Cpu {
    return this.recordedCpu as unknown as Cpu;
  }

  set cpu(_: Cpu) {
    throw new Error('the CPU is changed field by field');
  }

  changeCpu(change: Partial<Cpu>): void {
    for (const field of Object.keys(change) as (keyof Cpu)[]) this.recordedCpu.written.add(field);
    this.recordedCpu.own = { ...this.recordedCpu.own, ...change };
  }

  get frames(): readonly Frame[] {
    if (!this.written.has('frames')) noteSimple(this.reads, 'frames');
    return this.fields.frames;
  }

  set frames(value: readonly Frame[]) {
    this.written.add('frames');
    this.fields.frames = value;
  }

  get pending(): readonly Pending[] {
    if (!this.written.has('pending')) noteSimple(this.reads, 'pending');
    return this.fields.pending;
  }

  set pending(value: readonly Pending[]) {
    this.written.add('pending');
    this.fields.pending = value;
  }

  get budgets(): readonly number[] {
    return this.fields.budgets;
  }

  set budgets(value: readonly number[]) {
    this.fields.budgets = value;
  }

  get features(): readonly string[] {
    if (!this.written.has('features')) noteSimple(this.reads, 'features');
    return this.fields.features;
  }

  set features(value: readonly string[]) {
    this.written.add('features');
    this.fields.features = value;
  }

  get ghosts(): readonly GuardGhost[] {
    if (!this.written.has('ghosts')) noteSimple(this.reads, 'ghosts');
    return this.fields.ghosts;
  }

  set ghosts(value: readonly GuardGhost[]) {
    this.written.add('ghosts');
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
    return this.written.has(field);
  }

  writtenCpu(): ReadonlySet<keyof Cpu> {
    return this.recordedCpu.written;
  }

  noteRegisterRead(index: RegisterIndex): void {
    const from = this.writtenRegisters.get(index);
    if (from === undefined) noteRegister(this.reads, index);
    else if (from !== null) noteOrigin(this.reads, from);
  }

  noteRegistersRead(): void {
    noteSimple(this.reads, 'registers');
    for (const from of this.writtenRegisters.values()) if (from !== null) noteOrigin(this.reads, from);
  }

  noteRegisterWrite(index: RegisterIndex, from: Origin | null): void {
    this.writtenRegisters.set(index, from);
  }

  /** Null where the word is the same in all states. */
  originOfRegister(index: RegisterIndex, missing: Word): Origin | null {
    const from = this.writtenRegisters.get(index);
    return from === undefined ? { piece: { kind: 'register', index }, missing } : from;
  }

  originOfSlot(region: number, slot: number, missing: Word): Origin | null {
    for (let at = this.memoryWrites.length - 1; at >= 0; at -= 1) {
      const write = this.memoryWrites[at];
      if (write === undefined || write.region !== region) continue;
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
    for (const write of this.memoryWrites) if (write.kind === 'slot' && write.region === region && write.from !== null) noteOrigin(this.reads, write.from);
  }

  noteLookedAt(from: Origin): void {
    noteOrigin(this.reads, from);
  }

  noteMemoryWrite(write: MemoryWrite): void {
    this.memoryWrites.push(write);
  }

  noteInnermostRead(): void {
    if (!this.written.has('frames')) noteSimple(this.reads, 'innermost');
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
    const when = <T>(field: Field, value: T): T | null => (this.written.has(field) ? value : null);
    return {
      node: this.node,
      registers: [...this.writtenRegisters].flatMap(([index, from]): readonly RegisterWrite[] => {
        const value = this.registers[index];
        return value === undefined ? [] : [{ index, value, from }];
      }),
      memory: this.memoryWrites,
      flags: when('flags', flags),
      cpu: written.size === 0 ? null : Object.fromEntries([...written].map((field) => [field, own[field]])),
      frames: when('frames', frames),
      pending: when('pending', pending),
      features: when('features', features),
      ghosts: when('ghosts', ghosts),
      ended,
    };
  }
}
