// What can be delivered: vector, how it came about, and what it pushes; and what becomes of two at once (semantics.md
// §7; SDM vol. 3A, "Interrupt 8—Double Fault Exception").
import type { NodeId } from './code.ts';
import type { MachineSetup } from './config.ts';
import { processorOf } from './config.ts';
import type { Cpu } from './state.ts';
import { vectorByNumber } from './vectors.ts';
import type { DoubleFaultClass } from './vectors.ts';
import { constant, opaque, ZERO } from './word.ts';
import type { Word } from './word.ts';

export const DEBUG = 1;
export const NMI = 2;
export const DOUBLE_FAULT = 8;
export const NOT_PRESENT = 11;
export const STACK_FAULT = 12;
export const GENERAL_PROTECTION = 13;
export const PAGE_FAULT = 14;
export const MACHINE_CHECK = 18;
export const VIRTUALIZATION = 20;
export const VMM_COMMUNICATION = 29;

/** FRED delivers SYSCALL and SYSENTER as events 1 and 2 of a type of their own (FR-01); here they count above all vectors. */
export const SYSCALL_EVENT = 257;
export const SYSENTER_EVENT = 258;

export type EventKind = 'exception' | 'nmi' | 'external' | 'software-interrupt' | 'software-exception' | 'privileged-software-exception' | 'system-call';

export interface Happening {
  readonly vector: number;
  readonly kind: EventKind;
  /** Error code, where the vector pushes one. */
  readonly errorCode: Word;
  /** Where the interrupted code goes on, where that is not the instruction at RIP (DEL-10). */
  readonly returnTo: NodeId | null;
  /** The saved RIP where it is no node's address. */
  readonly ripImage: Word | null;
  /** #PF: the linear address that CR2 receives, null where it is set already. */
  readonly address: Word | null;
  /** #DB: what DR6 records; null where the cause is not known. */
  readonly debug: number | null;
  /** #DB before an instruction, which does not push RF=1 (DEL-09). */
  readonly instructionBreakpoint: boolean;
  /** Raised while another event was delivered: FRED tells. */
  readonly nested: boolean;
  /** What blocked events when it was delivered, and the length of the instruction that caused it: FRED tells both. */
  readonly shadow: Cpu['shadow'];
  readonly length: number;
}

/** #PF error code of a supervisor write: to a page that is not there, or that may not be written. */
const WRITE_NOT_PRESENT = constant(2n);
const WRITE_PROTECTED = constant(3n);

const SOME_ERROR_CODE = opaque('error code', 0xffff_ffff_ffff_0000n, 0n);

/** Bits of a selector error code (DEL-06). */
const EXTERNAL = 1n;
const IN_IDT = 2n;

export function happening(vector: number, given: Partial<Happening> = {}): Happening {
  const kind = given.kind ?? (vector === NMI ? 'nmi' : vector >= 32 ? 'external' : 'exception');
  const errorCode = vector === DOUBLE_FAULT || vector === 17 ? ZERO : SOME_ERROR_CODE;
  return { vector, kind, errorCode, returnTo: null, ripImage: null, address: null, debug: null, instructionBreakpoint: false, nested: false, shadow: 'none', length: 0, ...given };
}

/** DEL-07: software interrupts and external ones push no error code, whatever their vector. */
export function pushesErrorCode(event: Happening): boolean {
  return event.kind === 'exception' && vectorByNumber(event.vector)?.errorCode === true;
}

/** DEL-06: EXT is 0 only for INT n, INT3 and INTO. */
export function externalBit(event: Happening): bigint {
  return event.kind === 'software-interrupt' || event.kind === 'software-exception' ? 0n : EXTERNAL;
}

/** Error code that names the gate of an event. */
export function gateErrorCode(event: Happening): Word {
  return constant(BigInt(event.vector * 8) | IN_IDT | externalBit(event));
}

/** A fault that delivery itself meets. */
export function deliveryFault(event: Happening, vector: number, errorCode: Word): Happening {
  return happening(vector, { errorCode, nested: true, returnTo: event.kind === 'exception' ? event.returnTo : null });
}

export function pushFault(address: bigint, present: boolean): Happening {
  return happening(PAGE_FAULT, { errorCode: present ? WRITE_PROTECTED : WRITE_NOT_PRESENT, address: constant(address), nested: true });
}

function classOf(setup: MachineSetup, event: Happening): DoubleFaultClass {
  if (event.kind !== 'exception') return 'benign';
  if (event.vector === VMM_COMMUNICATION) return processorOf(setup).choices.vcDoubleFaultClass;
  return vectorByNumber(event.vector)?.doubleFault ?? 'benign';
}

/** DF-01: what is delivered after `second` came while `first` was: the second one, #DF, or nothing any more. */
export function combined(setup: MachineSetup, first: Happening, second: Happening): Happening | 'shutdown' {
  if (first.kind === 'exception' && first.vector === DOUBLE_FAULT) return 'shutdown';
  const [before, now] = [classOf(setup, first), classOf(setup, second)];
  const double = (before === 'contributory' && now === 'contributory') || (before === 'page-fault' && now !== 'benign');
  return double ? happening(DOUBLE_FAULT, { nested: false, returnTo: second.returnTo }) : second;
}
