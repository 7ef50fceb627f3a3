// A state in the making: a step copies what it changes and leaves the rest shared with the state before it. Stack
// memory and the named words are read and written here, by concrete address.
import type { AccessSize, RegisterIndex } from './code.ts';
import type { MachineSetup } from './config.ts';
import type { Effect } from './effects.ts';
import { regionIndexOf, top } from './layout.ts';
import type { Region } from './layout.ts';
import { innermostOf, recorded, recordedDraft, recordedFork } from './recording.ts';
import type { Origin } from './recording.ts';
import { RSP } from './registers.ts';
import { ARITHMETIC } from './state.ts';
import type { Cpu, Frame, GuardGhost, Pending, State } from './state.ts';
import { and, constant, equal, extractBytes, insertBytes, isConstant, or, replaceBits, shiftLeft, shiftRight, truncate, UNKNOWN, ZERO } from './word.ts';
import type { Word } from './word.ts';

export interface Draft {
  node: number;
  /** Shared with the state before until the first write; written by `setRegister` alone. */
  registers: readonly Word[];
  ownsRegisters: boolean;
  flags: Word;
  cpu: Cpu;
  /** Shared likewise; written by the functions below alone. */
  memory: readonly (readonly (Word | undefined)[])[];
  ownsMemory: boolean;
  frames: readonly Frame[];
  pending: readonly Pending[];
  budgets: readonly number[];
  features: readonly string[];
  ghosts: readonly GuardGhost[];
  ended: string | null;
  effects: Effect[];
  /** What the step read and wrote, where a data breakpoint is set; else null. */
  accesses: Access[] | null;
}

/** One access to memory by its linear address. */
export interface Access {
  readonly address: bigint;
  readonly size: AccessSize;
  readonly write: boolean;
}

export function draftOf(state: State): Draft {
  const noted = recordedDraft(state);
  if (noted !== null) return noted;
  const { node, registers, flags, cpu, memory, frames, pending, budgets, features, ghosts, ended } = state;
  return { node, registers, ownsRegisters: false, flags, cpu, memory, ownsMemory: false, frames, pending, budgets, features, ghosts, ended, effects: [], accesses: null };
}

/** A second draft that goes its own way from here. */
export function fork(draft: Draft): Draft {
  draft.ownsRegisters = false;
  draft.ownsMemory = false;
  const second = recordedFork(draft) ?? { ...draft };
  second.effects = [...draft.effects];
  second.accesses = draft.accesses;
  return second;
}

/** The state of a finished draft; the draft must not be used any more. */
export function finish(draft: Draft): State {
  const noted = recorded(draft);
  if (noted !== null) return noted.finish();
  const { node, registers, flags, cpu, memory, frames, pending, budgets, features, ghosts, ended } = draft;
  return { node, registers, flags, cpu, memory, frames, pending, budgets, features, ghosts, ended };
}

/** The state with some of its fields replaced, whatever keeps its fields. */
export function withChange(state: State, change: Partial<State>): State {
  return { ...finish(draftOf(state)), ...change };
}

export function changeCpu(draft: Draft, change: Partial<Cpu>): void {
  const noted = recorded(draft);
  if (noted === null) draft.cpu = { ...draft.cpu, ...change };
  else noted.changeCpu(change);
}

export function register(draft: Draft, index: RegisterIndex): Word {
  recorded(draft)?.noteRegisterRead(index);
  return draft.registers[index] ?? UNKNOWN;
}

/** All registers, to be kept with a frame; they are shared from now on. */
export function sharedRegisters(draft: Draft): readonly Word[] {
  recorded(draft)?.noteRegistersRead();
  draft.ownsRegisters = false;
  return draft.registers;
}

export function setRegister(draft: Draft, index: RegisterIndex, value: Word): void {
  recorded(draft)?.noteRegisterWrite(index, null);
  replaceRegister(draft, index, value);
}

/** Without a note of who wrote it. */
export function replaceRegister(draft: Draft, index: RegisterIndex, value: Word): void {
  if (draft.registers[index] === value) return;
  if (!draft.ownsRegisters) {
    draft.registers = draft.registers.slice();
    draft.ownsRegisters = true;
  }
  (draft.registers as Word[])[index] = value;
}

function setRegion(draft: Draft, index: number, slots: readonly (Word | undefined)[]): void {
  if (!draft.ownsMemory) {
    draft.memory = draft.memory.slice();
    draft.ownsMemory = true;
  }
  (draft.memory as (readonly (Word | undefined)[])[])[index] = slots;
}

/** RSP as a number, or null where it is not a known kernel address. */
export function stackPointer(draft: Draft): bigint | null {
  const rsp = register(draft, RSP);
  return isConstant(rsp) ? rsp.value : null;
}

function slotOf(region: Region, address: bigint): { slot: number; byte: number } {
  const offset = region.kind === 'stack' ? Number(top(region) - 1n - address) : Number(address - region.base);
  const byte = Number(address & 7n);
  return { slot: offset >> 3, byte };
}

/** What a slot holds that nothing was ever written to: stacks are dirty, but for those with a marker word; variables start zeroed. */
function neverWritten(region: Region): Word {
  return region.kind === 'stack' && !region.keepsStale ? UNKNOWN : ZERO;
}

function slotValue(draft: Draft, region: Region, slot: number): Word {
  recorded(draft)?.noteSlotRead(region.index, slot, neverWritten(region));
  return draft.memory[region.index]?.[slot] ?? neverWritten(region);
}

/** The slot of a stack that an address is the start of, or null. */
export function placeOf(setup: MachineSetup, address: bigint): { readonly region: Region; readonly slot: number } | null {
  const region = setup.layout.regions[regionIndexOf(setup.layout, address)];
  if (region === undefined || region.kind !== 'stack' || (address & 7n) !== 0n) return null;
  return { region, slot: slotOf(region, address).slot };
}

/** What a slot holds, nobody looking, and what it holds where it was never written. */
export function slotWord(draft: Draft, region: Region, slot: number): { readonly word: Word; readonly missing: Word } {
  const missing = neverWritten(region);
  return { word: draft.memory[region.index]?.[slot] ?? missing, missing };
}

/** All slots of a region, for those that search it. */
export function slotsOf(draft: Draft, region: Region): readonly (Word | undefined)[] {
  recorded(draft)?.noteRegionRead(region.index);
  return draft.memory[region.index] ?? [];
}

/** Value at an address; unknown outside the regions of the layout. */
export function load(draft: Draft, setup: MachineSetup, address: bigint, size: AccessSize): Word {
  const region = setup.layout.regions[regionIndexOf(setup.layout, address)];
  if (region === undefined || region.kind === 'code') return UNKNOWN;
  const { slot, byte } = slotOf(region, address);
  const whole = slotValue(draft, region, slot);
  if (byte + size <= 8) return extractBytes(whole, byte, size);
  const upper = address + BigInt(8 - byte);
  if (upper >= top(region)) return UNKNOWN;
  return truncate(or(shiftRight(whole, byte * 8), shiftLeft(slotValue(draft, region, slotOf(region, upper).slot), (8 - byte) * 8)), size);
}

/** Replaces the flags that arithmetic changes, all of them. */
export function setArithmeticFlags(draft: Draft, known: bigint, value: bigint): void {
  const noted = recorded(draft);
  if (noted === null) draft.flags = replaceBits(draft.flags, ARITHMETIC, known, value);
  else noted.setArithmeticFlags(known, value);
}

/** Writes memory and keeps the ghost state of the guards; false outside the regions of the layout. */
export function store(draft: Draft, setup: MachineSetup, address: bigint, size: AccessSize, value: Word): boolean {
  const region = setup.layout.regions[regionIndexOf(setup.layout, address)];
  if (region === undefined || region.kind === 'code') return false;
  const { slot, byte } = slotOf(region, address);
  if (size === 8 && byte === 0) setSlot(draft, region, slot, value);
  else if (byte + size > 8) storeAcross(draft, region, address, size, value);
  else setSlot(draft, region, slot, insertBytes(slotValue(draft, region, slot), byte, size, value));
  if (region.kind !== 'stack') noteGuardStore(draft, setup, address, size);
  else noteFrameEdited(draft, address, size, value);
  return true;
}

/** A value that lies in two slots, as the fields of the task-state segment do. */
function storeAcross(draft: Draft, region: Region, address: bigint, size: AccessSize, value: Word): void {
  const { slot, byte } = slotOf(region, address);
  const low = 8 - byte;
  setSlot(draft, region, slot, or(and(slotValue(draft, region, slot), constant((1n << BigInt(byte * 8)) - 1n)), shiftLeft(value, byte * 8)));
  const upper = address + BigInt(low);
  if (upper >= top(region)) return;
  const above = slotOf(region, upper).slot;
  const kept = ~((1n << BigInt((size - low) * 8)) - 1n);
  setSlot(draft, region, above, or(and(slotValue(draft, region, above), constant(kept)), shiftRight(truncate(value, size), low * 8)));
}

/** A handler may send its own return elsewhere: the saved RSP of the innermost frame is its to change. */
function noteFrameEdited(draft: Draft, address: bigint, size: AccessSize, value: Word): void {
  if (!isEditOfFrame(draft, address) || size !== 8) return;
  const frame = draft.frames.at(-1);
  if (frame === undefined || frame.rsp === value) return;
  draft.frames = [...draft.frames.slice(0, -1), { ...frame, rsp: value }];
}

/** Whether the word there is the saved RSP of the innermost frame. */
export function isEditOfFrame(draft: Draft, address: bigint): boolean {
  const innermost = innermostOf(draft);
  return innermost !== undefined && address === innermost.base + SAVED_RSP;
}

/** Offset of the saved RSP from the saved RIP. */
const SAVED_RSP = 24n;

export function setSlot(draft: Draft, region: Region, slot: number, value: Word, from: Origin | null = null): void {
  recorded(draft)?.noteMemoryWrite({ kind: 'slot', region: region.index, slot, value, from });
  const before = draft.memory[region.index] ?? [];
  const after = withSlot(before, slot, value);
  if (after !== before) setRegion(draft, region.index, after);
}

/** Slots with one changed; the same list where it holds the value already. */
export function withSlot(slots: readonly (Word | undefined)[], slot: number, value: Word): readonly (Word | undefined)[] {
  if (slots[slot] === value) return slots;
  const after = slots.slice();
  while (after.length < slot) after.push(undefined);
  after[slot] = value;
  return after;
}

/** Everything below `rsp` on a stack that does not rewind is dead: no event handler may leave anything there. */
export function forgetBelow(draft: Draft, region: Region, rsp: bigint): void {
  const live = Number((top(region) - rsp) >> 3n);
  recorded(draft)?.noteMemoryWrite({ kind: 'length', region: region.index, length: live });
  const before = draft.memory[region.index];
  if (before === undefined) return;
  if (before.length > live) setRegion(draft, region.index, before.slice(0, live));
}

/** Forgets a stack on which nothing is live, and below whose RSP no code looks: a later read finds an unknown word. */
export function poison(draft: Draft, region: Region): void {
  recorded(draft)?.noteMemoryWrite({ kind: 'length', region: region.index, length: 0 });
  const before = draft.memory[region.index];
  if (before === undefined || before.length === 0) return;
  setRegion(draft, region.index, []);
}

export function guardBusy(draft: Draft, setup: MachineSetup, guard: number): boolean | null {
  const row = setup.guards[guard];
  if (row === undefined) return false;
  if (row.machineBit === 'mcip') return draft.cpu.mcip;
  if (row.machineBit === 'tdx-valid') return draft.cpu.veInfoValid;
  if (row.address === null) return null;
  const clear = equal(load(draft, setup, row.address, row.size), ZERO);
  return clear === null ? null : !clear;
}

/** A frame of the guard's vector that is live, innermost first. */
export function liveFrameOf(draft: { readonly frames: readonly Frame[] }, vector: number): Frame | null {
  for (let index = draft.frames.length - 1; index >= 0; index -= 1) {
    const frame = draft.frames[index];
    if (frame !== undefined && frame.vector === vector) return frame;
  }
  return null;
}

function noteGuardStore(draft: Draft, setup: MachineSetup, address: bigint, size: AccessSize): void {
  setup.guards.forEach((row, index) => {
    if (row.address === null || row.address + BigInt(row.size) <= address || address + BigInt(size) <= row.address) return;
    if (guardBusy(draft, setup, index) === false) noteGuardCleared(draft, setup, index);
  });
}

/** The word became zero by software: says whether a frame of its vector was live then, and on what stack. */
export function noteGuardCleared(draft: Draft, setup: MachineSetup, guard: number): void {
  const row = setup.guards[guard];
  const ghost = draft.ghosts[guard];
  if (row === undefined || ghost === undefined) return;
  const frame = liveFrameOf(draft, row.vector);
  const region = frame === null ? undefined : setup.layout.regions[frame.region];
  const rewinding = region?.rewinding === true;
  draft.effects.push({ kind: 'guard-cleared', guard, live: frame !== null, rewinding });
  const owner = ghost.owner === null ? null : (draft.frames.find((live) => live.base === ghost.owner) ?? null);
  if (owner !== null && frame !== null && frame !== owner) draft.effects.push({ kind: 'guard-stolen', guard, owner });
  const above = frame === null ? false : draft.frames.slice(draft.frames.indexOf(frame) + 1).some((other) => other.region === frame.region && other.vector !== row.vector);
  setGhost(draft, guard, { owner: null, clearedAt: frame !== null && rewinding ? draft.node : null, aboveFrame: above });
}

export function setGhost(draft: Draft, guard: number, ghost: GuardGhost): void {
  draft.ghosts = draft.ghosts.map((before, index) => (index === guard ? ghost : before));
}

/** An instruction's own access, for data breakpoints. */
export function noteAccess(draft: Draft, address: bigint, size: AccessSize, write: boolean): void {
  if (draft.accesses !== null) draft.accesses.push({ address, size, write });
}
