// Delivery through the IDT (semantics.md §2.2; SDM vol. 3A, "Interrupt and Exception Handling in 64-bit Mode"). Nothing
// is changed before every check has passed.
import type { Gate, MachineSetup } from './config.ts';
import { processorOf } from './config.ts';
import { enter, pushOnUserStack, savedFlags, savedOf } from './enter.ts';
import { load, register, setRegister, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { deliveryFault, externalBit, gateErrorCode, GENERAL_PROTECTION, NOT_PRESENT, pushesErrorCode, pushFault, STACK_FAULT } from './event.ts';
import type { Happening } from './event.ts';
import { FRAME_BYTES, noteOverwritten } from './frames.ts';
import { addressOfNode, stackOf, top } from './layout.ts';
import { mappingOf } from './mapping.ts';
import { descriptorOf } from './possible-fault.ts';
import { isCanonical } from './processor.ts';
import { RSP } from './registers.ts';
import { IF, NT, RF, TF, VM } from './state.ts';
import { and, constant, isConstant, ZERO } from './word.ts';
import type { Word } from './word.ts';

/** The fault that delivery meets, or null where it went through or ended the run. */
export function deliverIdt(draft: Draft, setup: MachineSetup, event: Happening): Happening | null {
  const gate = setup.gates.get(event.vector);
  if (gate === undefined) {
    draft.ended = 'no-gate';
    draft.effects.push({ kind: 'unknown', what: `vector ${event.vector} has no gate` });
    return null;
  }
  const wrong = gateFault(draft, setup, event, gate);
  if (wrong !== null) return wrong;
  const old = register(draft, RSP);
  const start = newStack(draft, setup, gate, old);
  if (isCanonical(processorOf(setup), start) === false) return deliveryFault(event, STACK_FAULT, constant(externalBit(event)));
  if (!isConstant(start)) {
    pushOnUserStack(draft, event.vector);
    return null;
  }
  const errorCode = pushesErrorCode(event);
  const aligned = start.value & ~0xfn;
  const base = aligned - FRAME_BYTES;
  const lowest = errorCode ? base - 8n : base;
  const missing = firstUnwritable(draft, setup, aligned, lowest);
  if (missing !== null) return { ...missing, returnTo: event.kind === 'exception' ? event.returnTo : null };
  const region = stackOf(setup.layout, aligned);
  noteOverwritten(draft, setup, lowest, aligned, event.vector);
  const user = draft.cpu.cpl === 3;
  const image: readonly Word[] = [event.ripImage ?? constant(addressOfNode(event.returnTo ?? draft.node, user)), draft.cpu.cs, savedFlags(draft, event), old, draft.cpu.ss];
  const saved = savedOf(draft);
  image.forEach((value, slot) => store(draft, setup, base + BigInt(slot * 8), 8, value));
  if (errorCode) store(draft, setup, lowest, 8, event.errorCode);
  setRegister(draft, RSP, constant(lowest));
  // DEL-03 to DEL-05: DF, AC, IOPL and the rest stay.
  draft.flags = and(draft.flags, gate.type === 'trap' ? TRAP_KEEPS : INTERRUPT_KEEPS);
  enter(draft, setup, event, gate.stub, { base, end: aligned, old, region, level: 0, fred: false, saved, ss: user ? ZERO : draft.cpu.ss });
  return null;
}

const TRAP_KEEPS = constant(~(TF | NT | RF | VM));
const INTERRUPT_KEEPS = constant(~(TF | NT | RF | VM | IF));

/** IDT-01 to IDT-03, in the manual's order. */
function gateFault(draft: Draft, setup: MachineSetup, event: Happening, gate: Gate): Happening | null {
  if (gate.type === 'invalid') return deliveryFault(event, GENERAL_PROTECTION, gateErrorCode(event));
  const bySoftware = event.kind === 'software-interrupt' || event.kind === 'software-exception';
  if (bySoftware && gate.dpl < draft.cpu.cpl) return deliveryFault(event, GENERAL_PROTECTION, gateErrorCode(event));
  if (gate.present === false) return deliveryFault(event, NOT_PRESENT, gateErrorCode(event));
  const wrong = gate.selector === undefined ? null : selectorFault(setup, event, gate.selector);
  if (wrong !== null) return wrong;
  return gate.canonical === false ? deliveryFault(event, GENERAL_PROTECTION, constant(externalBit(event))) : null;
}

/** The segment of a gate is present 64-bit code. */
function selectorFault(setup: MachineSetup, event: Happening, selector: bigint): Happening | null {
  const found = descriptorOf(setup, constant(selector));
  const external = externalBit(event);
  if (found === 'null') return deliveryFault(event, GENERAL_PROTECTION, constant(external));
  const named = constant((selector & 0xfffcn) | external);
  if (found === 'anything') return null;
  if (found === 'nothing' || found.kind !== 'code' || !found.wide) return deliveryFault(event, GENERAL_PROTECTION, named);
  return found.present ? null : deliveryFault(event, NOT_PRESENT, named);
}

/** IDT-04: an IST stack always, from its top; RSP0 from user mode; else the stack in use. */
function newStack(draft: Draft, setup: MachineSetup, gate: Gate, old: Word): Word {
  const ist = gate.ist === null ? null : (setup.layout.regions[gate.ist] ?? null);
  const task = setup.taskState;
  if (ist !== null) {
    if (!ist.rewinding && isConstant(old) && stackOf(setup.layout, old.value) === ist) return old;
    const slot = task?.ist.get(ist.index);
    return task === undefined || slot === undefined ? constant(top(ist)) : load(draft, setup, task.address + FIRST_IST + BigInt((slot - 1) * 8), 8);
  }
  if (draft.cpu.cpl === 0) return old;
  return task === undefined ? constant(setup.rsp0) : load(draft, setup, task.address + RSP0, 8);
}

/** Offsets in the 64-bit task-state segment (SDM vol. 3A, "Task Management in 64-bit Mode"). */
const RSP0 = 4n;
const FIRST_IST = 36n;

/** Pushes go down from `end`; the first one that cannot be written faults, and RSP has not changed. */
function firstUnwritable(draft: Draft, setup: MachineSetup, end: bigint, lowest: bigint): Happening | null {
  for (let address = end - 8n; address >= lowest; address -= 8n) {
    const mapping = mappingOf(draft, setup, address);
    if (mapping === 'absent' || mapping === 'read-only') return pushFault(address, mapping === 'read-only');
  }
  return null;
}
