// What a step reads of the state that it begins with, and what it writes, noted while it runs: the same step need not run
// again for a state that is equal in what was read. Knows pieces of states, not what they mean.
import type { Draft } from './draft.ts';
import type { RegisterIndex } from './code.ts';
import { IF, INITIAL_CPU, RF, TF } from './state.ts';
import type { Cpu, Frame, GuardGhost, Pending, State } from './state.ts';
import type { Word } from './word.ts';

/** A piece of a state, as small as the step asks for. */
export type Piece =
  | { readonly kind: 'register'; readonly index: RegisterIndex }
  | { readonly kind: 'slot'; readonly region: number; readonly slot: number }
  | { readonly kind: 'region'; readonly region: number }
  | { readonly kind: 'cpu'; readonly field: keyof Cpu }
  /** `calm`: `isCalm`; `interrupt flag`: what is known of IF; `innermost`: the innermost frame's address. */
  | { readonly kind: 'registers' | 'flags' | 'calm' | 'interrupt flag' | 'frames' | 'innermost' | 'depth' | 'pending' | 'features' | 'ghosts' };

/** What happens to the words of a region, in this order. */
export type MemoryWrite =
  | { readonly kind: 'slot'; readonly region: number; readonly slot: number; readonly value: Word }
  /** Slots from `length` on are forgotten. */
  | { readonly kind: 'length'; readonly region: number; readonly length: number };

/** Null where the state before stays. */
export interface Writes {
  readonly node: number;
  readonly registers: readonly (readonly [RegisterIndex, Word])[];
  readonly memory: readonly MemoryWrite[];
  readonly flags: Word | null;
  readonly cpu: Partial<Cpu> | null;
  readonly frames: readonly Frame[] | null;
  readonly pending: readonly Pending[] | null;
  readonly features: readonly string[] | null;
  readonly ghosts: readonly GuardGhost[] | null;
  readonly ended: string | null;
}

export interface Recording {
  /** To be run in the place of the state that is recorded. */
  readonly state: State;
  /** In the order of their first reading. */
  readonly reads: readonly Piece[];
  /** Of a state that a step of this recording ended in. */
  readonly writesOf: (state: State) => Writes;
}

/** Reads of one recording, shared by its state and all its drafts. */
interface Reads {
  readonly list: Piece[];
  readonly keys: Set<number>;
  readonly finished: Map<State, RecordedDraft>;
}

const SIMPLE = { registers: 1, flags: 2, calm: 3, 'interrupt flag': 4, frames: 5, innermost: 6, depth: 7, pending: 8, features: 9, ghosts: 10 } as const;

function noteSimple(reads: Reads, kind: keyof typeof SIMPLE): void {
  const key = SIMPLE[kind];
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push({ kind });
}

function noteRegister(reads: Reads, index: RegisterIndex): void {
  const key = 16 + index;
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push({ kind: 'register', index });
}

const CPU_FIELDS: readonly (keyof Cpu)[] = ['cpl', 'cs', 'ss', 'gsBase', 'kernelGsBase', 'cr2', 'cr3', 'specCtrl', 'breakpoints', 'dr6', 'dr7', 'pendingDebug', 'nmiBlocked', 'nmiLatched', 'mcip', 'veInfoValid', 'shadow', 'level'];
const FIRST_CPU_FIELD = 32;

function noteCpu(reads: Reads, field: keyof Cpu): void {
  const key = FIRST_CPU_FIELD + CPU_FIELDS.indexOf(field);
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push({ kind: 'cpu', field });
}

/** A CPU whose fields are noted when they are read, but for those that the draft has written. */
class RecordedCpu {
  own: Cpu;
  readonly reads: Reads;
  readonly written: Set<keyof Cpu>;

  constructor(own: Cpu, reads: Reads, written: Iterable<keyof Cpu>) {
    this.own = own;
    this.reads = reads;
    this.written = new Set(written);
  }
}

for (const field of CPU_FIELDS) {
  Object.defineProperty(RecordedCpu.prototype, field, {
    get(this: RecordedCpu): unknown {
      if (!this.written.has(field)) noteCpu(this.reads, field);
      return this.own[field];
    },
  });
}

const FIRST_REGION = 64;
const MOST_SLOTS = 1 << 20;

/** A whole region is the slot before its first. */
function noteSlot(reads: Reads, region: number, slot: number): void {
  const key = FIRST_REGION + region * MOST_SLOTS + slot + 1;
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push(slot < 0 ? { kind: 'region', region } : { kind: 'slot', region, slot });
}

export function record(state: State): Recording {
  const reads: Reads = { list: [], keys: new Set(), finished: new Map() };
  return {
    state: new RecordedState(state, reads),
    reads: reads.list,
    writesOf: (after) => {
      const draft = reads.finished.get(after);
      if (draft === undefined) throw new Error('a state that no step of the recording ended in');
      return draft.writes();
    },
  };
}

class RecordedState implements State {
  readonly own: State;
  readonly reads: Reads;
  private readonly recordedCpu: RecordedCpu;

  constructor(own: State, reads: Reads) {
    this.own = own;
    this.reads = reads;
    this.recordedCpu = new RecordedCpu(own.cpu, reads, []);
  }

  get node(): number {
    return this.own.node;
  }

  get registers(): readonly Word[] {
    noteSimple(this.reads, 'registers');
    return this.own.registers;
  }

  get flags(): Word {
    noteSimple(this.reads, 'flags');
    return this.own.flags;
  }

  get cpu(): Cpu {
    return this.recordedCpu as unknown as Cpu;
  }

  get memory(): State['memory'] {
    throw new Error('memory is read through a draft');
  }

  get frames(): readonly Frame[] {
    noteSimple(this.reads, 'frames');
    return this.own.frames;
  }

  get pending(): readonly Pending[] {
    noteSimple(this.reads, 'pending');
    return this.own.pending;
  }

  /** Who counts events does so outside of the recording. */
  get budgets(): readonly number[] {
    return this.own.budgets;
  }

  get features(): readonly string[] {
    noteSimple(this.reads, 'features');
    return this.own.features;
  }

  get ghosts(): readonly GuardGhost[] {
    noteSimple(this.reads, 'ghosts');
    return this.own.ghosts;
  }

  /** Only states that have not ended are recorded. */
  get ended(): string | null {
    return this.own.ended;
  }
}

type Field = 'flags' | 'frames' | 'pending' | 'budgets' | 'features' | 'ghosts' | 'ended';

/** Reads of what the draft has written itself are none of the state's. */
class RecordedDraft implements Draft {
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
  private readonly writtenRegisters: Set<RegisterIndex>;
  private readonly memoryWrites: MemoryWrite[];

  constructor(state: RecordedState | RecordedDraft) {
    this.reads = state.reads;
    if (state instanceof RecordedState) {
      const { node, registers, memory, flags, cpu, frames, pending, budgets, features, ghosts, ended } = state.own;
      this.node = node;
      this.registers = registers;
      this.memory = memory;
      this.fields = { flags, frames, pending, budgets, features, ghosts, ended };
      this.written = new Set();
      this.recordedCpu = new RecordedCpu(cpu, this.reads, []);
      this.writtenRegisters = new Set();
      this.memoryWrites = [];
    } else {
      this.node = state.node;
      this.registers = state.registers;
      this.memory = state.memory;
      this.fields = { ...state.fields };
      this.written = new Set(state.written);
      this.recordedCpu = new RecordedCpu(state.recordedCpu.own, this.reads, state.recordedCpu.written);
      this.writtenRegisters = new Set(state.writtenRegisters);
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

  noteRegisterRead(index: RegisterIndex): void {
    if (!this.writtenRegisters.has(index)) noteRegister(this.reads, index);
  }

  noteRegistersRead(): void {
    noteSimple(this.reads, 'registers');
  }

  noteRegisterWrite(index: RegisterIndex): void {
    this.writtenRegisters.add(index);
  }

  noteSlotRead(region: number, slot: number): void {
    if (!this.memoryWrites.some((write) => write.kind === 'slot' && write.region === region && write.slot === slot)) noteSlot(this.reads, region, slot);
  }

  noteRegionRead(region: number): void {
    noteSlot(this.reads, region, -1);
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
      registers: [...this.writtenRegisters].flatMap((index): (readonly [RegisterIndex, Word])[] => {
        const value = this.registers[index];
        return value === undefined ? [] : [[index, value]];
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

/** A draft of a recorded state, or null where the state is none. */
export function recordedDraft(state: State): Draft | null {
  return state instanceof RecordedState ? new RecordedDraft(state) : null;
}

/** A second draft of a recording, or null where the first is none. */
export function recordedFork(draft: Draft): Draft | null {
  return draft instanceof RecordedDraft ? new RecordedDraft(draft) : null;
}

/** The recorded draft behind a draft, or null. */
export function recorded(draft: Draft): RecordedDraft | null {
  return draft instanceof RecordedDraft ? draft : null;
}

export type { RecordedDraft };

/**
 * Whether a step is one of code alone, as nearly all are: nothing was recorded or latched for this boundary, no shadow lies
 * on it, nothing single-steps and no breakpoint is set.
 */
export function isCalm(state: Pick<State, 'cpu' | 'flags'>): boolean {
  const { cpu, flags } = state instanceof RecordedState ? state.own : state;
  if (state instanceof RecordedState) noteSimple(state.reads, 'calm');
  return cpu.pendingDebug === 0 && !cpu.nmiLatched && cpu.shadow === 'none' && cpu.dr7 === INITIAL_CPU.dr7 && (flags.value & (TF | RF)) === 0n;
}

/** IF of a state: null where it is not known. */
export function interruptFlag(state: State): boolean | null {
  const own = state instanceof RecordedState ? state.own : state;
  if (state instanceof RecordedState) noteSimple(state.reads, 'interrupt flag');
  return (own.flags.known & IF) === 0n ? null : (own.flags.value & IF) !== 0n;
}

/** Live frames of a state. */
export function depthOf(state: State): number {
  const own = state instanceof RecordedState ? state.own : state;
  if (state instanceof RecordedState) noteSimple(state.reads, 'depth');
  return own.frames.length;
}
