// Event returns: IRET, and FRED's ERETS and ERETU.
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import { changeCpu, forgetBelow, load, poison, register, setRegister, stackPointer } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { nameAddress, nodeAtAddress, stackOf } from '../layout.ts';
import type { Region } from '../layout.ts';
import { RSP } from '../registers.ts';
import { RF, VM } from '../state.ts';
import { and, constant, equal, extractBytes, isConstant, or, show, truncate } from '../word.ts';
import type { Word } from '../word.ts';

interface Image {
  readonly rip: Word;
  readonly cs: Word;
  readonly flags: Word;
  readonly rsp: Word;
  readonly ss: Word;
}

function image(x: Execution, at: bigint): Image {
  const word = (offset: bigint): Word => load(x.draft, x.setup, at + offset, 8);
  return { rip: word(0n), cs: word(8n), flags: word(16n), rsp: word(24n), ss: word(32n) };
}

/** IRET ends blocking by NMI whatever it returns from (NMI-01, NMI-02). */
function iret(x: Execution): readonly Draft[] {
  const rsp = stackPointer(x.draft);
  if (rsp === null) return goTo(x.draft, null, `${x.node.text}: RSP is not known`);
  unblockNmi(x.draft);
  return returnTo(x, image(x, rsp), rsp);
}

function unblockNmi(draft: Draft): void {
  if (!draft.cpu.nmiBlocked) return;
  const inNmi = draft.frames.some((frame) => frame.vector === 2) && draft.frames.at(-1)?.vector !== 2;
  changeCpu(draft, { nmiBlocked: false });
  draft.effects.push({ kind: 'nmi-unblocked', inNmi });
}

/** ERETS and ERETU unblock NMIs only where the frame says so (FR-05); ERETS restores the stack level (FR-06). */
function eret(toUser: boolean): (x: Execution) => readonly Draft[] {
  return (x) => {
    const rsp = stackPointer(x.draft);
    if (rsp === null) return goTo(x.draft, null, `${x.node.text}: RSP is not known`);
    const popped = image(x, rsp + 8n);
    const nmi = extractBytes(popped.ss, 2, 1);
    if ((nmi.known & 4n) !== 0n && (nmi.value & 4n) !== 0n) unblockNmi(x.draft);
    const level = extractBytes(popped.cs, 2, 1);
    if (!toUser && isConstant(level)) changeCpu(x.draft, { level: Math.min(x.draft.cpu.level, Number(level.value & 3n)) });
    if (toUser) changeCpu(x.draft, { gsBase: x.draft.cpu.kernelGsBase, kernelGsBase: x.draft.cpu.gsBase });
    return returnTo(x, popped, rsp);
  };
}

function returnTo(x: Execution, popped: Image, rsp: bigint): readonly Draft[] {
  const draft = x.draft;
  const target = isConstant(popped.rip) ? nodeAtAddress(popped.rip.value) : null;
  const user = isConstant(popped.cs) ? (popped.cs.value & 3n) === 3n : (popped.cs.known & 3n) === 3n && (popped.cs.value & 3n) === 3n;
  const frame = draft.frames.at(-1) ?? null;
  const here = stackOf(x.setup.layout, rsp);
  const same = frame === null ? null : equal(frame.rsp, popped.rsp);
  const stays = isConstant(popped.rsp) && here !== null && stackOf(x.setup.layout, popped.rsp.value) === here;
  if (frame !== null && same !== true) {
    if (!stays || target === null) {
      draft.effects.push({ kind: 'wrong-return', expected: showRsp(x, frame.rsp), found: showRsp(x, popped.rsp) });
      draft.ended = 'wrong-return';
      return [draft];
    }
    draft.effects.push({ kind: 'return', frame: null, toUser: false });
  } else {
    draft.effects.push({ kind: 'return', frame, toUser: user });
    if (frame !== null) draft.frames = draft.frames.slice(0, -1);
  }
  setRegister(draft, RSP, popped.rsp);
  draft.flags = or(and(popped.flags, constant(~(RF | VM))), constant(2n));
  changeCpu(draft, { cpl: user ? 3 : 0, cs: truncate(popped.cs, 2), ss: truncate(popped.ss, 2), shadow: 'none' });
  forgetDead(x, here);
  if (target === null || x.setup.code.nodes[target] === undefined) return goTo(draft, null, `${x.node.text}: the saved RIP is ${show(popped.rip)}`);
  return goTo(draft, target, '');
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

function row(mnemonic: string, summary: string, section: string, run: InstructionRow['run'], faults: readonly string[]): InstructionRow {
  return { mnemonic, suffixed: false, summary, section, faults, run, examples: [] };
}

export const RETURN_ROWS: readonly InstructionRow[] = [
  row('iretq', 'pops RIP, CS, RFLAGS, RSP and SS and ends blocking by NMI', 'IRET/IRETD/IRETQ - Interrupt Return', iret, ['GP', 'SS', 'NP', 'PF']),
  row('iret', 'pops RIP, CS, RFLAGS, RSP and SS and ends blocking by NMI', 'IRET/IRETD/IRETQ - Interrupt Return', iret, ['GP', 'SS', 'NP', 'PF']),
  row('erets', 'returns to kernel mode from a FRED frame', 'ERETS - Event Return to Supervisor', eret(false), ['GP', 'SS', 'PF']),
  row('eretu', 'returns to user mode from a FRED frame', 'ERETU - Event Return to User', eret(true), ['GP', 'SS', 'PF']),
];

export const RETURN_MNEMONICS: ReadonlySet<string> = new Set(RETURN_ROWS.map((one) => one.mnemonic));
