// The ends of every delivery, IDT or FRED: what the frame holds of the interrupted context, and the frame going live.
import type { MachineSetup } from './config.ts';
import { selectorsOf } from './config.ts';
import { changeCpu, setGhost, sharedRegisters } from './draft.ts';
import type { Draft } from './draft.ts';
import { DEBUG } from './event.ts';
import type { Happening } from './event.ts';
import type { Region } from './layout.ts';
import { RF } from './state.ts';
import type { Frame, Saved } from './state.ts';
import { vectorByNumber } from './vectors.ts';
import { constant, or } from './word.ts';
import type { Word } from './word.ts';

/** DEL-09: faults push RF=1, so that a code breakpoint does not come again; all else pushes RF as it is. */
export function savedFlags(draft: Draft, event: Happening): Word {
  const fault = event.kind === 'exception' && vectorByNumber(event.vector)?.class === 'fault';
  const detected = event.vector === DEBUG && event.debug !== null && (event.debug & 0x2000) !== 0;
  return fault || detected ? or(draft.flags, constant(RF)) : draft.flags;
}

/** What the frame refers to for its return; the draft's registers are shared with it from now on. */
export function savedOf(draft: Draft): Saved {
  const { cs, ss, gsBase, kernelGsBase, cr3, specCtrl } = draft.cpu;
  return { registers: sharedRegisters(draft), flags: draft.flags, cs, ss, gsBase, kernelGsBase, cr3, specCtrl };
}

export interface Pushed {
  readonly base: bigint;
  readonly end: bigint;
  readonly old: Word;
  readonly region: Region | null;
  readonly level: number;
  readonly fred: boolean;
  readonly saved: Saved;
  readonly ss: Word;
}

/** The last part of every delivery: the frame is live, and its stub is next. */
export function enter(draft: Draft, setup: MachineSetup, event: Happening, stub: number, pushed: Pushed): void {
  const frame: Frame = {
    vector: event.vector,
    base: pushed.base,
    end: pushed.end,
    interrupted: event.returnTo ?? draft.node,
    rsp: pushed.old,
    cpl: draft.cpu.cpl,
    region: pushed.region?.index ?? -1,
    fred: pushed.fred,
    level: pushed.level,
    saved: pushed.saved,
  };
  draft.frames = [...draft.frames, frame];
  draft.effects.push({ kind: 'deliver', vector: event.vector, frame, stack: pushed.region?.name ?? 'unknown', rewinding: pushed.region?.rewinding === true });
  setup.guards.forEach((guard, index) => {
    if (guard.vector !== event.vector || draft.ghosts[index]?.owner !== -1n) return;
    setGhost(draft, index, { owner: frame.base, clearedAt: draft.ghosts[index]?.clearedAt ?? null, aboveFrame: draft.ghosts[index]?.aboveFrame ?? false });
  });
  changeCpu(draft, { cpl: 0, cs: constant(selectorsOf(setup).kernelCode), ss: pushed.ss });
  draft.node = stub;
}

/** VE-20: without a stack switch, an event in the SYSCALL gap writes its frame where user space pointed RSP. */
export function pushOnUserStack(draft: Draft, vector: number): void {
  draft.effects.push({ kind: 'frame-on-user-stack', vector });
  draft.ended = 'frame-on-user-stack';
}
