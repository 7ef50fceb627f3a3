// Frames of live events that are lost on the way of an event raised over them: overwritten, left without a copy, or returned
// from wrongly. Knows neither paths nor rules.
import type { PathOutcome } from '../contexts/path-outcomes.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Effect } from '../machine/effects.ts';
import { addressOfNode } from '../machine/layout.ts';
import type { Frame, State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { constant } from '../machine/word.ts';

export interface LostFrame {
  readonly kind: 'frame-overwritten' | 'wrong-return';
  readonly frame: Frame | null;
  readonly what: string;
}

/** What the effects of one step do to frames. */
export function lostFrame(effects: readonly Effect[]): LostFrame | null {
  for (const effect of effects) {
    if (effect.kind === 'frame-overwritten') return { kind: 'frame-overwritten', frame: effect.frame, what: `the live ${vectorTitle(effect.frame.vector)} frame is overwritten and no copy of it is left` };
    if (effect.kind === 'frame-on-user-stack') return { kind: 'frame-overwritten', frame: null, what: `the ${vectorTitle(effect.vector)} frame goes to the RSP that user space chose` };
    if (effect.kind === 'wrong-return') return { kind: 'wrong-return', frame: null, what: `RSP comes back as ${effect.found} instead of ${effect.expected}` };
  }
  return null;
}

/** Indices of the live frames of which some stack holds what brings them back. */
export function framesWithCopies(setup: MachineSetup, state: State): readonly number[] {
  return state.frames.flatMap((frame, index) => (hasCopy(setup, state, frame) ? [index] : []));
}

/** NMI-06: an event that returns leaves what the frames below it need; `kept` are those that had a copy when it came. */
export function lostCopy(setup: MachineSetup, kept: readonly number[], { effects, state }: PathOutcome, event: string): LostFrame | null {
  if (kept.length === 0 || !effects.some((effect) => effect.kind === 'return')) return null;
  for (const index of kept) {
    const frame = state.frames[index];
    if (frame !== undefined && !hasCopy(setup, state, frame)) return { kind: 'frame-overwritten', frame, what: `no copy of the live ${vectorTitle(frame.vector)} frame is left when ${event} returns` };
  }
  return null;
}

/** Whether some stack holds the saved RIP and RSP of a frame as hardware pushed them. */
function hasCopy(setup: MachineSetup, state: State, frame: Frame): boolean {
  const rip = constant(addressOfNode(frame.interrupted, frame.cpl === 3));
  for (const region of setup.layout.regions) {
    if (region.kind !== 'stack') continue;
    const slots = state.memory[region.index] ?? [];
    for (let slot = 3; slot < slots.length; slot += 1) if (slots[slot] === rip && slots[slot - 3] === frame.rsp) return true;
  }
  return false;
}
