// Event delivery, written once: everything is checked first, then the frame is pushed. IDT delivery follows
// semantics.md §2.2 (SDM vol. 3A, "Interrupt and Exception Handling in 64-bit Mode"), FRED delivery §17.
import type { MachineSetup } from './config.ts';
import { changeCpu, load, register, setGhost, setRegister, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { addressOfNode, stackOf, top } from './layout.ts';
import type { Region } from './layout.ts';
import { RSP } from './registers.ts';
import { IF, KERNEL_CS, KERNEL_SS, NT, RF, TF, VM } from './state.ts';
import type { Frame, Saved } from './state.ts';
import { vectorByNumber } from './vectors.ts';
import { and, constant, isConstant, opaque, or, truncate, ZERO } from './word.ts';
import type { Word } from './word.ts';

const FRAME_BYTES = 40n;
const FRED_FRAME_BYTES = 64n;
const KERNEL_CODE = constant(KERNEL_CS);

/** Why an event cannot be delivered in this set-up, or null. */
export function deliverable(setup: MachineSetup, vector: number): boolean {
  return setup.delivery === 'fred' ? setup.fred !== null : setup.gates.has(vector);
}

/** Pushes the frame and jumps. The caller has consumed the budget and set the guards. */
export function deliver(draft: Draft, setup: MachineSetup, vector: number): void {
  changeCpu(draft, { shadow: 'none' });
  if (setup.delivery === 'fred') deliverFred(draft, setup, vector);
  else deliverIdt(draft, setup, vector);
  if (vector === 2) changeCpu(draft, { nmiBlocked: true });
  if (vector === 18) changeCpu(draft, { mcip: true });
}

function savedFlags(draft: Draft, vector: number): Word {
  const fault = vectorByNumber(vector)?.class === 'fault';
  return fault ? or(draft.flags, constant(RF)) : and(draft.flags, constant(~RF));
}

function deliverIdt(draft: Draft, setup: MachineSetup, vector: number): void {
  const gate = setup.gates.get(vector);
  if (gate === undefined) {
    draft.ended = 'no-gate';
    draft.effects.push({ kind: 'unknown', what: `vector ${vector} has no gate` });
    return;
  }
  const ist = gate.ist === null ? null : (setup.layout.regions[gate.ist] ?? null);
  const old = register(draft, RSP);
  const nested = ist !== null && !ist.rewinding && isConstant(old) && stackOf(setup.layout, old.value) === ist;
  const start = ist !== null && !nested ? constant(top(ist)) : draft.cpu.cpl === 3 && !nested ? constant(setup.rsp0) : old;
  if (!isConstant(start)) {
    pushOnUserStack(draft, vector);
    return;
  }
  const errorCode = vectorByNumber(vector)?.errorCode === true;
  const aligned = start.value & ~0xfn;
  const base = aligned - FRAME_BYTES;
  const lowest = errorCode ? base - 8n : base;
  const region = stackOf(setup.layout, aligned);
  noteOverwritten(draft, setup, lowest, aligned, vector);
  const user = draft.cpu.cpl === 3;
  const image: readonly Word[] = [
    constant(addressOfNode(draft.node, user)),
    draft.cpu.cs,
    savedFlags(draft, vector),
    old,
    draft.cpu.ss,
  ];
  const saved = savedOf(draft);
  image.forEach((value, slot) => store(draft, setup, base + BigInt(slot * 8), 8, value));
  if (errorCode) store(draft, setup, lowest, 8, opaque('error code', 0xffff_ffff_ffff_0000n, 0n));
  setRegister(draft, RSP, constant(lowest));
  draft.flags = and(draft.flags, constant(~(TF | NT | RF | VM | IF)));
  enter(draft, setup, vector, gate.stub, { base, end: aligned, old, region, level: 0, fred: false, saved, ss: user ? ZERO : draft.cpu.ss });
}

function savedOf(draft: Draft): Saved {
  const { cs, ss, gsBase, kernelGsBase, cr3, specCtrl } = draft.cpu;
  // The draft shares its registers with the state before, or owns them and copies them at its next write.
  draft.ownsRegisters = false;
  return { registers: draft.registers, flags: draft.flags, cs, ss, gsBase, kernelGsBase, cr3, specCtrl };
}

interface Pushed {
  readonly base: bigint;
  readonly end: bigint;
  readonly old: Word;
  readonly region: Region | null;
  readonly level: number;
  readonly fred: boolean;
  readonly saved: Saved;
  readonly ss: Word;
}

function enter(draft: Draft, setup: MachineSetup, vector: number, stub: number, pushed: Pushed): void {
  const frame: Frame = {
    vector,
    base: pushed.base,
    end: pushed.end,
    interrupted: draft.node,
    rsp: pushed.old,
    cpl: draft.cpu.cpl,
    region: pushed.region?.index ?? -1,
    fred: pushed.fred,
    level: pushed.level,
    saved: pushed.saved,
  };
  draft.frames = [...draft.frames, frame];
  draft.effects.push({
    kind: 'deliver',
    vector,
    frame,
    stack: pushed.region?.name ?? 'unknown',
    rewinding: pushed.region?.rewinding === true,
  });
  setup.guards.forEach((guard, index) => {
    if (guard.vector !== vector || draft.ghosts[index]?.owner !== -1n) return;
    setGhost(draft, index, { owner: frame.base, clearedAt: draft.ghosts[index]?.clearedAt ?? null, aboveFrame: draft.ghosts[index]?.aboveFrame ?? false });
  });
  changeCpu(draft, { cpl: 0, cs: KERNEL_CODE, ss: pushed.ss });
  draft.node = stub;
}

/** VE-20: without a stack switch, an event in the SYSCALL gap writes its frame where user space pointed RSP. */
function pushOnUserStack(draft: Draft, vector: number): void {
  draft.effects.push({ kind: 'frame-on-user-stack', vector });
  draft.ended = 'frame-on-user-stack';
}

/**
 * FRED (semantics.md FR-02 to FR-05): one entry point for each origin, a stack level by event, 64-byte frames that
 * never rewind, RFLAGS cleared to 2.
 */
function deliverFred(draft: Draft, setup: MachineSetup, vector: number): void {
  const fred = setup.fred;
  if (fred === null) return;
  const user = draft.cpu.cpl === 3;
  const old = register(draft, RSP);
  const level = user && vector !== 8 ? 0 : Math.max(draft.cpu.level, fred.levels.get(vector) ?? 0);
  const region = setup.layout.regions[fred.stacks[level] ?? -1];
  const fresh = user || level > draft.cpu.level;
  if (!fresh && !isConstant(old)) {
    pushOnUserStack(draft, vector);
    return;
  }
  const start = fresh ? (region === undefined ? setup.rsp0 : top(region)) : old.value & ~63n;
  const base = start - FRED_FRAME_BYTES + 8n;
  noteOverwritten(draft, setup, base - 8n, start, vector);
  const nmi = vector === 2 ? 1n << 18n : 0n;
  const type = vector === 2 ? 2n : vector >= 32 ? 0n : 3n;
  const image: readonly Word[] = [
    constant(addressOfNode(draft.node, user)),
    or(truncate(draft.cpu.cs, 2), constant(BigInt(draft.cpu.level) << 16n)),
    savedFlags(draft, vector),
    old,
    or(truncate(draft.cpu.ss, 2), constant(nmi | (BigInt(vector) << 32n) | (type << 48n))),
    ZERO,
    ZERO,
  ];
  const saved = savedOf(draft);
  store(draft, setup, base - 8n, 8, ZERO);
  image.forEach((value, slot) => store(draft, setup, base + BigInt(slot * 8), 8, value));
  const before = draft.cpu.level;
  setRegister(draft, RSP, constant(base - 8n));
  draft.flags = constant(2n);
  if (user) changeCpu(draft, { gsBase: draft.cpu.kernelGsBase, kernelGsBase: draft.cpu.gsBase });
  changeCpu(draft, { level });
  enter(draft, setup, vector, user ? fred.user : fred.kernel, { base, end: base + FRAME_BYTES, old, region: stackOf(setup.layout, start), level: before, fred: true, saved, ss: user ? constant(KERNEL_SS) : draft.cpu.ss });
}

function words(draft: Draft, setup: MachineSetup, base: bigint): readonly Word[] {
  return [0n, 8n, 16n, 24n, 32n].map((offset) => load(draft, setup, base + offset, 8));
}

/**
 * Address of another intact copy of a frame's five words on any stack, outside [start, end), or null. Nesting protocols
 * live off such copies (NMI-06), and so does code that moves a frame off its stack.
 */
export function intactCopy(draft: Draft, setup: MachineSetup, frame: Frame, start: bigint, end: bigint, only: Region | null): bigint | null {
  const wanted = words(draft, setup, frame.base);
  for (const region of setup.layout.regions) {
    if (region.kind !== 'stack' || (only !== null && only !== region)) continue;
    const slots = draft.memory[region.index] ?? [];
    for (let slot = 4; slot < slots.length; slot += 1) {
      if (slots[slot] !== wanted[0] || slots[slot - 1] !== wanted[1] || slots[slot - 2] !== wanted[2]) continue;
      if (slots[slot - 3] !== wanted[3] || slots[slot - 4] !== wanted[4]) continue;
      const base = top(region) - BigInt((slot + 1) * 8);
      if (base === frame.base || (base < end && start < base + FRAME_BYTES)) continue;
      return base;
    }
  }
  return null;
}

/** A delivery is about to write [start, end): live frames there move to an intact copy, or are lost. */
function noteOverwritten(draft: Draft, setup: MachineSetup, start: bigint, end: bigint, byVector: number): void {
  for (const frame of draft.frames) {
    if (frame.base >= end || start >= frame.end) continue;
    const copy = intactCopy(draft, setup, frame, start, end, null);
    if (copy !== null) {
      relocate(draft, setup, frame, copy);
      continue;
    }
    const guard = setup.guards.findIndex((row) => row.protectsStack && row.vector === frame.vector);
    draft.effects.push({ kind: 'frame-overwritten', frame, byVector, guard: guard < 0 ? null : guard });
    draft.ended = 'frame-overwritten';
  }
}

export function relocate(draft: Draft, setup: MachineSetup, frame: Frame, base: bigint): void {
  const region = stackOf(setup.layout, base + FRAME_BYTES);
  const moved: Frame = { ...frame, base, end: base + FRAME_BYTES, region: region?.index ?? -1 };
  draft.frames = draft.frames.map((live) => (live === frame ? moved : live));
  draft.ghosts = draft.ghosts.map((ghost) => (ghost.owner === frame.base ? { ...ghost, owner: base } : ghost));
}

/** RSP went from one stack to another: the innermost frame counts as moved where its copy is. */
export function noteStackSwitch(draft: Draft, setup: MachineSetup, from: Region | null, to: Word): void {
  const frame = draft.frames.at(-1);
  const target = isConstant(to) ? stackOf(setup.layout, to.value) : null;
  if (from === target && from !== null) return;
  draft.effects.push({
    kind: 'stack-switch',
    from: from?.name ?? 'unknown',
    to: target?.name ?? 'a stack pointer that user space chose',
    userChosen: target === null,
  });
  // VE-20: an event handler that goes on at CPL 0 on a stack pointer that user space chose writes where user space wants.
  if (target === null && frame !== undefined && frame.cpl === 0 && !isConstant(to)) draft.ended = 'stack-on-user-rsp';
  if (frame === undefined || from === null || frame.region !== from.index || target === null) return;
  const copy = intactCopy(draft, setup, frame, 0n, 0n, target);
  if (copy !== null) relocate(draft, setup, frame, copy);
}

/** C code runs on another stack than its event's frame, and a copy of the frame is there: the frame has moved. */
export function settleFrame(draft: Draft, setup: MachineSetup): void {
  const frame = draft.frames.at(-1);
  const rsp = register(draft, RSP);
  if (frame === undefined || !isConstant(rsp)) return;
  const here = stackOf(setup.layout, rsp.value);
  if (here === null || here.index === frame.region || setup.layout.regions[frame.region]?.rewinding !== true) return;
  const copy = intactCopy(draft, setup, frame, 0n, 0n, here);
  if (copy !== null) relocate(draft, setup, frame, copy);
}

/** Marks the guard of a vector as set by the event that is about to be delivered. */
export function setGuard(draft: Draft, setup: MachineSetup, guard: number): void {
  const row = setup.guards[guard];
  if (row === undefined) return;
  if (row.address !== null) {
    store(draft, setup, row.address, row.size, constant(row.busy));
  }
  draft.effects.push({ kind: 'guard-set', guard });
  const ghost = draft.ghosts[guard];
  setGhost(draft, guard, { owner: -1n, clearedAt: ghost?.clearedAt ?? null, aboveFrame: ghost?.aboveFrame ?? false });
}
