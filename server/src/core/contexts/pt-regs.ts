// Moves of struct pt_regs between stacks, with the live frame in it.
import { relocate } from '../machine/frames.ts';
import { carriedFrom, carryToMemory } from '../machine/carry.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Draft } from '../machine/draft.ts';
import { stackNamed, top } from '../machine/layout.ts';

/** Bytes of struct pt_regs, and the offset of the frame that hardware pushed in it (arch/x86/include/asm/ptrace.h). */
export const PT_REGS_BYTES = 168n;
export const FRAME_OFFSET = 0x80n;

export function copyWords(draft: Draft, setup: MachineSetup, from: bigint, to: bigint, bytes: bigint): void {
  const words = [];
  for (let offset = 0n; offset < bytes; offset += 8n) words.push(carriedFrom(draft, setup, from + offset));
  words.forEach((word, index) => carryToMemory(draft, setup, to + BigInt(index * 8), word));
}

/** Ghost frames follow the copy that counts from now on. */
export function moveFrame(draft: Draft, setup: MachineSetup, from: bigint, to: bigint): void {
  const frame = draft.frames.find((one) => one.base === from);
  if (frame !== undefined && from !== to) relocate(draft, setup, frame, to);
}

/** arch/x86/kernel/traps.c, sync_regs(): nothing moves where the frame is there already. */
export function syncRegs(draft: Draft, setup: MachineSetup, regs: bigint): bigint {
  const task = stackNamed(setup.layout, 'task');
  const to = (task === null ? 0n : top(task)) - PT_REGS_BYTES;
  if (to === regs) return to;
  copyWords(draft, setup, regs, to, PT_REGS_BYTES);
  moveFrame(draft, setup, regs + FRAME_OFFSET, to + FRAME_OFFSET);
  return to;
}
