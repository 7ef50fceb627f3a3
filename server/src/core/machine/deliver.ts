// Event delivery, written once for IDT and FRED: everything is checked first, then the frame is pushed; a fault of
// delivery itself is combined with the event by the double-fault table.
import type { MachineSetup } from './config.ts';
import { processorOf } from './config.ts';
import { deliverFred } from './deliver-fred.ts';
import { deliverIdt } from './deliver-idt.ts';
import { changeCpu, setGhost, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { combined, DEBUG, happening, MACHINE_CHECK, PAGE_FAULT } from './event.ts';
import type { Happening } from './event.ts';
import { and, constant, opaque, or } from './word.ts';

/** Whether an event can be delivered in this set-up. */
export function deliverable(setup: MachineSetup, vector: number): boolean {
  return setup.delivery === 'fred' ? setup.fred !== null : setup.gates.has(vector);
}

/** Pushes the frame and jumps. The caller has consumed the budget and set the guards. */
export function deliver(draft: Draft, setup: MachineSetup, vector: number, given: Partial<Happening> = {}): void {
  let event = happening(vector, { shadow: draft.cpu.shadow, ...given });
  // SHD-04; DB-06: a recorded debug trap outlives only what enters the kernel by instruction, INT1 excepted.
  const keeps = event.kind === 'software-interrupt' || event.kind === 'software-exception' || event.kind === 'system-call';
  changeCpu(draft, { shadow: 'none', pendingDebug: keeps ? draft.cpu.pendingDebug : 0, nmiBlocked: draft.cpu.nmiBlocked || event.kind === 'nmi', mcip: draft.cpu.mcip || vector === MACHINE_CHECK });
  if (vector === MACHINE_CHECK && processorOf(setup).vendor === 'intel' && !processorOf(setup).localMachineCheck) draft.effects.push({ kind: 'broadcast', vector });
  for (;;) {
    if (event.vector === PAGE_FAULT && event.kind === 'exception' && event.address !== null) changeCpu(draft, { cr2: event.address });
    if (event.vector === DEBUG && event.kind !== 'software-interrupt') recordDebug(draft, event);
    const fault = setup.delivery === 'fred' ? deliverFred(draft, setup, event) : deliverIdt(draft, setup, event);
    if (fault === null) break;
    // CR2-01: the page fault is detected, whatever it becomes.
    if (fault.vector === PAGE_FAULT && fault.address !== null) changeCpu(draft, { cr2: fault.address });
    const next = combined(setup, event, fault);
    const lost = event.kind === 'nmi' || event.kind === 'external';
    draft.effects.push({ kind: 'delivery-fault', vector: event.vector, fault: fault.vector, becomes: next === 'shutdown' ? next : next.vector, lost });
    if (next === 'shutdown') {
      draft.ended = 'shutdown';
      draft.effects.push({ kind: 'ended', why: 'shutdown' });
      break;
    }
    if (!deliverable(setup, next.vector)) {
      draft.ended = next.vector === 8 ? 'double-fault' : 'no-gate';
      break;
    }
    event = next;
  }
}

const DR6_CAUSES = 0xe00fn;
/** DR7.GD. */
const GENERAL_DETECT = 1n << 13n;

/** DB-07: DR6 records the cause on top of what software left there, and general detection is switched off. */
function recordDebug(draft: Draft, event: Happening): void {
  const kept = and(draft.cpu.dr6, constant(~0xfn));
  const causes = event.debug === null ? opaque('cause of #DB', ~DR6_CAUSES & 0xffff_ffff_ffff_ffffn, 0n) : constant(BigInt(event.debug));
  if (event.kind !== 'privileged-software-exception') changeCpu(draft, { dr6: or(kept, causes) });
  changeCpu(draft, { dr7: and(draft.cpu.dr7, constant(~GENERAL_DETECT)) });
}

/** Marks the guard of a vector as set by the event that is about to be delivered. */
export function setGuard(draft: Draft, setup: MachineSetup, guard: number): void {
  const row = setup.guards[guard];
  if (row === undefined) return;
  if (row.machineBit === 'tdx-valid') changeCpu(draft, { veInfoValid: true });
  if (row.address !== null) store(draft, setup, row.address, row.size, constant(row.busy));
  draft.effects.push({ kind: 'guard-set', guard });
  const ghost = draft.ghosts[guard];
  setGhost(draft, guard, { owner: -1n, clearedAt: ghost?.clearedAt ?? null, aboveFrame: ghost?.aboveFrame ?? false });
}
