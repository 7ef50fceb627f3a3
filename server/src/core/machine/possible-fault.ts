// What an instruction may raise itself, with the reason, and the checks that several instructions share: selectors,
// canonical addresses, accesses to memory.
import type { AccessSize } from './code.ts';
import type { MachineSetup } from './config.ts';
import { descriptorsOf, processorOf } from './config.ts';
import type { Draft } from './draft.ts';
import { GENERAL_PROTECTION, NOT_PRESENT, PAGE_FAULT, STACK_FAULT } from './event.ts';
import type { EventKind } from './event.ts';
import { mappingOf } from './mapping.ts';
import { isCanonical } from './processor.ts';
import type { Descriptor } from './processor.ts';
import { AC } from './state.ts';
import { and, constant, isConstant, SIGN, ZERO } from './word.ts';
import type { Word } from './word.ts';

export interface PossibleFault {
  readonly vector: number;
  readonly kind: EventKind;
  /** The instruction raises it in this state and does nothing else; otherwise what is not known decides. */
  readonly certain: boolean;
  readonly why: string;
  readonly errorCode: Word;
  /** #PF: the address. */
  readonly address: Word | null;
}

export function fault(vector: number, certain: boolean, why: string, errorCode: Word = ZERO, address: Word | null = null): PossibleFault {
  return { vector, kind: 'exception', certain, why, errorCode, address };
}

/** What a selector names, as far as the tables of the set-up tell: `anything` for local tables and unknown selectors. */
export function descriptorOf(setup: MachineSetup, selector: Word): Descriptor | 'null' | 'nothing' | 'anything' {
  if ((selector.known & 0xffffn) !== 0xffffn) return 'anything';
  const index = selector.value & 0xfffcn;
  if (index === 0n) return 'null';
  if ((index & 4n) !== 0n) return 'anything';
  const { entries, complete } = descriptorsOf(setup);
  return entries.get(index) ?? (complete ? 'nothing' : 'anything');
}

/** DEL-06: the selector without its RPL. */
export function selectorError(selector: Word): Word {
  return and(selector, constant(0xfffcn));
}

/** #GP, or #NP or #SS where the descriptor is not present, for a selector that may name anything. */
export function anythingFaults(selector: Word, name: string, notPresent: number): readonly PossibleFault[] {
  return [fault(GENERAL_PROTECTION, false, `${name} may name no fitting descriptor`, selectorError(selector)), fault(notPresent, false, `the descriptor that ${name} names may be not present`, selectorError(selector))];
}

/** MOV to DS, ES, FS, GS or SS (SDM vol. 2, "MOV - Move"). */
export function segmentLoadFaults(draft: Draft, setup: MachineSetup, name: string, selector: Word): readonly PossibleFault[] {
  const stack = name === 'ss';
  const shown = name.toUpperCase();
  const absent = stack ? STACK_FAULT : NOT_PRESENT;
  const found = descriptorOf(setup, selector);
  const rpl = Number(selector.value & 3n);
  const cpl = draft.cpu.cpl;
  if (found === 'null') return stack && (cpl === 3 || rpl !== cpl) ? [fault(GENERAL_PROTECTION, true, 'SS is null')] : [];
  if (found === 'anything') return anythingFaults(selector, shown, absent);
  if (found === 'nothing') return [fault(GENERAL_PROTECTION, true, `${shown} names no descriptor`, selectorError(selector))];
  const fits = stack ? found.kind === 'data' && found.writable && rpl === cpl && found.privilege === cpl : found.kind !== 'system' && (found.kind === 'code' || (found.privilege >= cpl && found.privilege >= rpl));
  if (!fits) return [fault(GENERAL_PROTECTION, true, `${shown} does not fit the privilege or type of its descriptor`, selectorError(selector))];
  return found.present ? [] : [fault(absent, true, `the descriptor that ${shown} names is not present`, selectorError(selector))];
}

/** A value that a base register or instruction pointer takes only where it is canonical. */
export function canonicalFaults(setup: MachineSetup, value: Word, name: string): readonly PossibleFault[] {
  const canonical = isCanonical(processorOf(setup), value);
  if (canonical === true) return [];
  return [fault(GENERAL_PROTECTION, canonical === false, canonical === false ? `${name} is not canonical` : `${name} may be not canonical`)];
}

export interface MemoryAccess {
  readonly address: Word;
  readonly size: AccessSize;
  readonly write: boolean;
  /** Addressed by RSP or RBP: not canonical is #SS then. */
  readonly stack: boolean;
}

const PRESENT = 1n;
const WRITE = 2n;
const USER = 4n;

/** What one access may raise: by the class of its address, the page table in force, and SMAP (EXT-02). */
export function accessFaults(draft: Draft, setup: MachineSetup, access: MemoryAccess): readonly PossibleFault[] {
  const { address } = access;
  const processor = processorOf(setup);
  const canonical = isCanonical(processor, address);
  const strange = access.stack ? STACK_FAULT : GENERAL_PROTECTION;
  if (canonical === false) return [fault(strange, true, 'the address is not canonical')];
  const out: PossibleFault[] = canonical === null ? [fault(strange, false, 'the address may be not canonical')] : [];
  const code = (access.write ? WRITE : 0n) | (draft.cpu.cpl === 3 ? USER : 0n);
  const page = (certain: boolean, why: string, present: bigint): void => {
    out.push(fault(PAGE_FAULT, certain, why, constant(code | present), address));
  };
  if (isConstant(address) && (address.value & SIGN) !== 0n) {
    const mapping = mappingOf(draft, setup, address.value);
    if (mapping === 'absent') page(true, 'the address is not mapped', 0n);
    else if (mapping === 'read-only' && access.write) page(true, 'the page is read-only', PRESENT);
    else if (mapping === 'unknown') page(false, 'the address may be not mapped', 0n);
    return out;
  }
  const user = (address.known & SIGN) !== 0n && (address.value & SIGN) === 0n;
  const open = (draft.flags.known & AC) === 0n ? null : (draft.flags.value & AC) !== 0n;
  if (user && draft.cpu.cpl === 0 && processor.smap && open === false) page(canonical === true || isConstant(address), 'user memory is out of bounds while AC is 0', PRESENT);
  else page(false, user ? 'user memory may be not mapped' : 'the address may be not mapped, or user memory out of bounds', 0n);
  return out;
}
