// Event returns: IRET, and FRED's ERETS and ERETU.
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import type { InstructionNode } from '../code.ts';
import type { MachineSetup } from '../config.ts';
import { processorOf } from '../config.ts';
import { SINGLE_STEP } from '../debug.ts';
import { changeCpu, forgetBelow, load, noteAccess, poison, register, setRegister, stackPointer } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { DEBUG } from '../event.ts';
import { loadFlags } from '../flags.ts';
import { nameAddress, nodeAtAddress, stackOf } from '../layout.ts';
import type { Region } from '../layout.ts';
import { descriptorOf } from '../possible-fault.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { RSP } from '../registers.ts';
import { eretFaults, imageFaults, iretFaults, privilegeOf } from '../return-checks.ts';
import type { Image } from '../return-checks.ts';
import { IF, RF, TF } from '../state.ts';
import { add, and, constant, equal, extractBytes, insertBytes, isConstant, show, truncate, UNKNOWN } from '../word.ts';
import type { Word } from '../word.ts';

function image(x: Execution, at: bigint): Image {
  const word = (offset: bigint): Word => {
    noteAccess(x.draft, at + offset, 8, false);
    return load(x.draft, x.setup, at + offset, 8);
  };
  return { rip: word(0n), cs: word(8n), flags: word(16n), rsp: word(24n), ss: word(32n) };
}

const UNKNOWN_IMAGE: Image = { rip: UNKNOWN, cs: UNKNOWN, flags: UNKNOWN, rsp: UNKNOWN, ss: UNKNOWN };

/** IRET-03: all of it before anything changes. */
function checkIret(x: Execution): readonly PossibleFault[] {
  const rsp = register(x.draft, RSP);
  const reads = imageFaults(x.draft, x.setup, rsp);
  if (reads.some((one) => one.certain)) return reads;
  return [...reads, ...iretFaults(x.draft, x.setup, isConstant(rsp) ? image(x, rsp.value) : UNKNOWN_IMAGE)];
}

function checkEret(toUser: boolean): (x: Execution) => readonly PossibleFault[] {
  return (x) => {
    const rsp = register(x.draft, RSP);
    const reads = imageFaults(x.draft, x.setup, add(rsp, constant(8n)));
    if (reads.some((one) => one.certain)) return reads;
    return [...reads, ...eretFaults(x.draft, x.setup, isConstant(rsp) ? image(x, rsp.value + 8n) : UNKNOWN_IMAGE, toUser)];
  };
}

/** IRET ends blocking by NMI whatever it returns from (NMI-01, NMI-02); of an SEV-ES guest the hypervisor keeps that state (VC-04). */
function iret(x: Execution): readonly Draft[] {
  const rsp = stackPointer(x.draft);
  if (rsp === null) return goTo(x.draft, null, `${x.node.text}: RSP is not known`);
  if (processorOf(x.setup).guest !== 'sev-es') unblockNmi(x.draft);
  return returnTo(x, image(x, rsp), rsp);
}

/** NMI-03: a fault of IRET itself comes when NMIs are unblocked already, where the processor does so. */
export function unblocksByFault(draft: Draft, setup: MachineSetup, node: InstructionNode, vector: number): void {
  const { guest, choices } = processorOf(setup);
  if (vector !== DEBUG && node.mnemonic.startsWith('iret') && guest !== 'sev-es' && choices.faultingIretUnblocksNmi) unblockNmi(draft);
}

export function unblockNmi(draft: Draft): void {
  if (!draft.cpu.nmiBlocked) return;
  const inNmi = draft.frames.some((frame) => frame.vector === 2) && draft.frames.at(-1)?.vector !== 2;
  changeCpu(draft, { nmiBlocked: false });
  draft.effects.push({ kind: 'nmi-unblocked', inNmi });
}

/** Bits of the SS image (FR-02). */
const STI_SHADOW = 1n << 16n;
const SOFTWARE_EVENT = 1n << 17n;
const NMI_EVENT = 1n << 18n;

/** ERETS and ERETU unblock NMIs only where the frame says so (FR-05); ERETS restores the stack level (FR-06). */
function eret(toUser: boolean): (x: Execution) => readonly Draft[] {
  return (x) => {
    const rsp = stackPointer(x.draft);
    if (rsp === null) return goTo(x.draft, null, `${x.node.text}: RSP is not known`);
    const popped = image(x, rsp + 8n);
    const says = (bit: bigint): boolean => (popped.ss.value & bit) !== 0n;
    if (says(NMI_EVENT)) unblockNmi(x.draft);
    const level = extractBytes(popped.cs, 2, 1);
    if (!toUser && isConstant(level)) changeCpu(x.draft, { level: Math.min(x.draft.cpu.level, Number(level.value & 3n)) });
    if (toUser) changeCpu(x.draft, { gsBase: x.draft.cpu.kernelGsBase, kernelGsBase: x.draft.cpu.gsBase });
    const drafts = returnTo(x, popped, rsp);
    const flags = x.draft.flags.value;
    if (says(STI_SHADOW) && (flags & IF) !== 0n) changeCpu(x.draft, { shadow: 'sti' });
    // FR-09: what would have trapped behind INT n or a system call traps now.
    if (says(SOFTWARE_EVENT) && (flags & TF) !== 0n) changeCpu(x.draft, { pendingDebug: SINGLE_STEP });
    return drafts;
  };
}

/** IRET-02: the bits of RFLAGS that a return at CPL 0 loads; VM does not exist in 64-bit mode. */
const LOADED = 0x3d_7fd5n;

function returnTo(x: Execution, popped: Image, rsp: bigint): readonly Draft[] {
  const draft = x.draft;
  const address = isConstant(popped.rip) ? nodeAtAddress(popped.rip.value) : null;
  const user = privilegeOf(popped.cs) === 3;
  const frame = draft.frames.at(-1) ?? null;
  const here = stackOf(x.setup.layout, rsp);
  const same = frame === null ? null : equal(frame.rsp, popped.rsp);
  const stays = isConstant(popped.rsp) && here !== null && stackOf(x.setup.layout, popped.rsp.value) === here;
  if (frame !== null && same !== true) {
    if (!stays || address === null) {
      draft.effects.push({ kind: 'wrong-return', expected: showRsp(x, frame.rsp), found: showRsp(x, popped.rsp) });
      draft.ended = 'wrong-return';
      return [draft];
    }
    draft.effects.push({ kind: 'return', frame: null, toUser: false });
  } else {
    draft.effects.push({ kind: 'return', frame, toUser: user });
    if (frame !== null) draft.frames = draft.frames.slice(0, -1);
  }
  const stack = descriptorOf(x.setup, truncate(popped.ss, 2));
  // IRET-06: only SP is loaded for a 16-bit stack; the rest of RSP shows the kernel's.
  setRegister(draft, RSP, typeof stack !== 'string' && stack.kind === 'data' && !stack.wide ? insertBytes(register(draft, RSP), 0, 2, popped.rsp) : popped.rsp);
  draft.flags = loadFlags(draft, popped.flags, LOADED);
  changeCpu(draft, { cpl: user ? 3 : 0, cs: truncate(popped.cs, 2), ss: truncate(popped.ss, 2), shadow: 'none' });
  forgetDead(x, here);
  const target = address !== null && x.setup.code.nodes[address] !== undefined ? address : null;
  // Wherever user space continues, it is user space that does.
  const next = target ?? (user ? (x.setup.contexts.get('user') ?? null) : null);
  // Code outside the review goes on running, and its first instruction clears RF.
  if (next !== null && x.setup.code.nodes[next]?.kind !== 'instruction') draft.flags = and(draft.flags, constant(~RF));
  return goTo(draft, next, `${x.node.text}: the saved RIP is ${show(popped.rip)}`);
}

function showRsp(x: Execution, value: Word): string {
  return isConstant(value) ? nameAddress(x.setup.layout, value.value) : show(value);
}

/**
 * What a return leaves behind is dead: below RSP on ordinary stacks, and all of the stack it came from where no frame is
 * live. Of other stacks only once nothing is live at all: a handler may be copying its frame there.
 */
function forgetDead(x: Execution, left: Region | null): void {
  const { draft, setup } = x;
  const rsp = register(draft, RSP);
  const current = isConstant(rsp) ? stackOf(setup.layout, rsp.value) : null;
  for (const region of setup.layout.regions) {
    if (region.kind !== 'stack') continue;
    const live = draft.frames.some((frame) => frame.region === region.index);
    if (region === current && !region.rewinding && isConstant(rsp)) forgetBelow(draft, region, rsp.value);
    else if (region !== left && draft.frames.length > 0) continue;
    else if (!live && region !== current && !region.keepsStale && !holdsInterruptedStack(draft, setup, region.index)) poison(draft, region);
  }
}

/** Whether some live event interrupted code that ran on this stack: its words below are still in use. */
function holdsInterruptedStack(draft: Draft, setup: Execution['setup'], region: number): boolean {
  return draft.frames.some((frame) => isConstant(frame.rsp) && stackOf(setup.layout, frame.rsp.value)?.index === region);
}

type Check = NonNullable<InstructionRow['check']>;

function row(mnemonic: string, summary: string, section: string, run: InstructionRow['run'], check: Check): InstructionRow {
  return { mnemonic, suffixed: false, summary, section, faults: ['GP', 'SS', 'NP', 'PF'], check, run, examples: [] };
}

const IRET_SECTION = 'IRET/IRETD/IRETQ - Interrupt Return';

export const RETURN_ROWS: readonly InstructionRow[] = [
  row('iretq', 'pops RIP, CS, RFLAGS, RSP and SS and ends blocking by NMI', IRET_SECTION, iret, checkIret),
  row('iret', 'pops RIP, CS, RFLAGS, RSP and SS and ends blocking by NMI', IRET_SECTION, iret, checkIret),
  row('erets', 'returns to kernel mode from a FRED frame', 'ERETS - Event Return to Supervisor', eret(false), checkEret(false)),
  row('eretu', 'returns to user mode from a FRED frame', 'ERETU - Event Return to User', eret(true), checkEret(true)),
];

export const RETURN_MNEMONICS: ReadonlySet<string> = new Set(RETURN_ROWS.map((one) => one.mnemonic));
