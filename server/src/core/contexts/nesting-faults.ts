// What a step of a stub that is entered again while it runs can break: the frame of what was interrupted, the way back to
// it, and the NMIs themselves.
import type { MachineSetup } from '../machine/config.ts';
import { addressOfNode } from '../machine/layout.ts';
import type { Frame, State } from '../machine/state.ts';
import { constant } from '../machine/word.ts';
import type { NestStep } from './nesting.ts';
import type { PartedState, Parts } from './parts.ts';

export interface NestingFault {
  readonly kind: 'frame-overwritten' | 'wrong-return' | 'nmi-lost' | 'nmi-repeated' | 'not-restored' | 'left-code';
  readonly what: string;
}

/** Whether some stack holds the saved RIP and RSP of a frame, as hardware pushed them. */
function hasCopy(setup: MachineSetup, memory: State['memory'], frame: Frame): boolean {
  const rip = constant(addressOfNode(frame.interrupted, frame.cpl === 3));
  for (const region of setup.layout.regions) {
    if (region.kind !== 'stack') continue;
    const slots = memory[region.index] ?? [];
    for (let slot = 3; slot < slots.length; slot += 1) if (slots[slot] === rip && slots[slot - 3] === frame.rsp) return true;
  }
  return false;
}

/** Answers by memory and frames: the same ones are asked about from every start. */
const known = new WeakMap<Parts, Map<number, Map<number, readonly boolean[]>>>();

/** For each live frame of a state, the outermost first, whether it has a copy. */
export function copiesOf(setup: MachineSetup, state: PartedState): readonly boolean[] {
  const byMemory = known.get(state.parts) ?? new Map<number, Map<number, readonly boolean[]>>();
  known.set(state.parts, byMemory);
  const byFrames = byMemory.get(state.memoryId) ?? new Map<number, readonly boolean[]>();
  byMemory.set(state.memoryId, byFrames);
  const found = byFrames.get(state.framesId);
  if (found !== undefined) return found;
  const { memory } = state;
  const made = state.frames.map((frame) => hasCopy(setup, memory, frame));
  byFrames.set(state.framesId, made);
  return made;
}

/** How a run ends that goes wrong, in words, by the machine's name for it. */
const ENDS: ReadonlyMap<string, string> = new Map([
  ['left-code', 'the CPU goes on where there is no code'],
  ['no-gate', 'an event arrives that has no gate'],
  ['no-handler', 'an event arrives that has no handler in view'],
  ['double-fault', 'a double fault is delivered'],
  ['shutdown', 'the CPU shuts down'],
  ['stack-on-user-rsp', 'an event is delivered on a stack pointer that user space chose'],
  ['frame-on-user-stack', 'an event is delivered on a stack pointer that user space chose'],
  ['frame-overwritten', 'the frame of the interrupted code is overwritten and no copy of it is left'],
  ['wrong-return', 'RSP comes back as another one'],
]);

/** What a step breaks, or null. */
export function nestingFault(setup: MachineSetup, step: NestStep, start: State): NestingFault | null {
  const state = step.left;
  for (const effect of step.effects) {
    if (effect.kind === 'frame-overwritten') return { kind: 'frame-overwritten', what: 'the frame of the interrupted code is overwritten and no copy of it is left' };
    if (effect.kind === 'wrong-return') return { kind: 'wrong-return', what: `RSP comes back as ${effect.found} instead of ${effect.expected}` };
    if (effect.kind === 'return' && effect.frame !== null) {
      const { saved } = effect.frame;
      const after = state;
      if (effect.frame.cpl === 0 && after.cpu.cpl === 0 && saved.gsBase !== after.cpu.gsBase) return { kind: 'not-restored', what: 'another GS base comes back' };
      if (effect.frame.cpl === 0 && saved.cr3.name !== after.cpu.cr3.name && saved.cr3.value !== after.cpu.cr3.value) return { kind: 'not-restored', what: 'another CR3 comes back' };
    }
  }
  if (step.effects.some((effect) => effect.kind === 'return') && copiesOf(setup, state).includes(false)) {
    return { kind: 'frame-overwritten', what: 'the frame of the interrupted code is overwritten by the stub itself and no copy of it is left' };
  }
  if (state.ended !== null && state.ended !== 'panic') return { kind: 'left-code', what: ENDS.get(state.ended) ?? state.ended };
  if (step.state.spare < 0) return { kind: 'nmi-repeated', what: 'the C handler runs again and no NMI has arrived for it' };
  if (state.frames.length === 0 && state.node === start.node && step.state.owed && step.event === null) return { kind: 'nmi-lost', what: 'an NMI was delivered and no handler ran for it' };
  return null;
}
