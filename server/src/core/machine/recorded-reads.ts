// What a recording notes: which pieces of the state that it begins with are read, each once, in the order of their first
// reading. Knows pieces of states, not what they mean.
import type { RegisterIndex } from './code.ts';
import type { RecordedDraft } from './recorded-draft.ts';
import type { Cpu, State } from './state.ts';
import type { Word } from './word.ts';

/** A piece of a state, as small as the step asks for. */
export type Piece =
  | { readonly kind: 'register'; readonly index: RegisterIndex }
  | { readonly kind: 'slot'; readonly region: number; readonly slot: number }
  | { readonly kind: 'region'; readonly region: number }
  | { readonly kind: 'cpu'; readonly field: keyof Cpu }
  /** Whether a CPU feature is known to be there, or not to be. */
  | { readonly kind: 'feature'; readonly name: string }
  /** `calm`: `isCalm`; `interrupt flag`: what is known of IF; `innermost`: what `innermostOf` tells;
   * `system flags`: those that no arithmetic changes; `trap flags`: TF and RF. */
  | { readonly kind: 'registers' | 'flags' | 'system flags' | 'trap flags' | 'calm' | 'interrupt flag' | 'frames' | 'innermost' | 'depth' | 'pending' | 'features' | 'ghosts' };

/** Where a word came from that was carried and not looked at, and what lies there where nothing was ever written. */
export interface Origin {
  readonly piece: Piece & { readonly kind: 'register' | 'slot' };
  readonly missing: Word;
}

/** Reads of one recording, shared by its state and all its drafts. */
export interface Reads {
  readonly list: Piece[];
  readonly keys: Set<number>;
  readonly finished: Map<State, RecordedDraft>;
}

const SIMPLE = { registers: 1, flags: 2, calm: 3, 'interrupt flag': 4, frames: 5, innermost: 6, depth: 7, pending: 8, features: 9, ghosts: 10, 'system flags': 11, 'trap flags': 12 } as const;

export function noteSimple(reads: Reads, kind: keyof typeof SIMPLE): void {
  const key = SIMPLE[kind];
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push({ kind });
}

/** Few features are asked for in one recording. */
export function noteFeature(reads: Reads, name: string): void {
  if (reads.keys.has(SIMPLE.features) || reads.list.some((piece) => piece.kind === 'feature' && piece.name === name)) return;
  reads.list.push({ kind: 'feature', name });
}

export function noteRegister(reads: Reads, index: RegisterIndex): void {
  const key = 16 + index;
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push({ kind: 'register', index });
}

const CPU_FIELDS: readonly (keyof Cpu)[] = ['cpl', 'cs', 'ss', 'gsBase', 'kernelGsBase', 'cr2', 'cr3', 'specCtrl', 'breakpoints', 'dr6', 'dr7', 'pendingDebug', 'nmiBlocked', 'nmiLatched', 'mcip', 'veInfoValid', 'shadow', 'level'];
const FIRST_CPU_FIELD = 32;

export function noteCpu(reads: Reads, field: keyof Cpu): void {
  const key = FIRST_CPU_FIELD + CPU_FIELDS.indexOf(field);
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push({ kind: 'cpu', field });
}

/** A CPU whose fields are noted when they are read, but for those that the draft has written. */
export class RecordedCpu {
  own: Cpu;
  readonly reads: Reads;
  written: CpuFields;

  constructor(own: Cpu, reads: Reads, written: CpuFields) {
    this.own = own;
    this.reads = reads;
    this.written = written;
  }
}

/** Fields of a CPU, a bit each. */
export type CpuFields = number;

export const NO_CPU_FIELD: CpuFields = 0;
const bitOf = new Map(CPU_FIELDS.map((field, index) => [field, 1 << index]));
export const cpuField = (field: keyof Cpu): CpuFields => bitOf.get(field) ?? 0;
export const cpuFieldsOf = (fields: CpuFields): readonly (keyof Cpu)[] => CPU_FIELDS.filter((field) => (fields & cpuField(field)) !== 0);

for (const field of CPU_FIELDS) {
  const bit = cpuField(field);
  Object.defineProperty(RecordedCpu.prototype, field, {
    get(this: RecordedCpu): unknown {
      if ((this.written & bit) === 0) noteCpu(this.reads, field);
      return this.own[field];
    },
  });
}

const FIRST_REGION = 64;
const MOST_SLOTS = 1 << 20;

/** A whole region is the slot before its first. */
export function noteSlot(reads: Reads, region: number, slot: number): void {
  const key = FIRST_REGION + region * MOST_SLOTS + slot + 1;
  if (reads.keys.has(key)) return;
  reads.keys.add(key);
  reads.list.push(slot < 0 ? { kind: 'region', region } : { kind: 'slot', region, slot });
}

/** A carried word is looked at after all. */
export function noteOrigin(reads: Reads, { piece }: Origin): void {
  if (piece.kind === 'register') noteRegister(reads, piece.index);
  else noteSlot(reads, piece.region, piece.slot);
}
