// Live frames and their copies: what a delivery writes over, where a frame went that code moved. A frame is live from
// its delivery to its event return (ST-01).
import type { MachineSetup } from './config.ts';
import { load, register, slotsOf } from './draft.ts';
import type { Draft } from './draft.ts';
import { innermostOf } from './recording.ts';
import { stackOf, top } from './layout.ts';
import type { Region } from './layout.ts';
import { RSP } from './registers.ts';
import type { Frame } from './state.ts';
import { isConstant } from './word.ts';
import type { Word } from './word.ts';

/** Bytes of RIP, CS, RFLAGS, RSP and SS. */
export const FRAME_BYTES = 40n;

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
    const slots = slotsOf(draft, region);
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
export function noteOverwritten(draft: Draft, setup: MachineSetup, start: bigint, end: bigint, byVector: number): void {
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
  const innermost = innermostOf(draft);
  const target = isConstant(to) ? stackOf(setup.layout, to.value) : null;
  if (from === target && from !== null) return;
  // VE-20: an event handler that goes on at CPL 0 on a stack pointer that user space chose writes where user space wants.
  const goesOn = target === null && innermost?.cpl === 0 && !isConstant(to);
  // SYSCALL entries use RSP as a scratch register: what was no stack pointer and is none is no switch.
  const chosen = goesOn || to.name.startsWith('user RSP');
  if (from !== null || target !== null || chosen) {
    draft.effects.push({
      kind: 'stack-switch',
      from: from?.name ?? 'unknown',
      to: target?.name ?? (chosen ? 'a stack pointer that user space chose' : 'what is no stack pointer'),
      userChosen: target === null,
    });
  }
  if (goesOn) draft.ended = 'stack-on-user-rsp';
  if (innermost === undefined || from === null || innermost.region !== from.index || target === null) return;
  const frame = draft.frames.at(-1);
  if (frame === undefined) return;
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
