// What an event return checks before it changes anything (IRET-03; SDM vol. 2, "IRET/IRETD/IRETQ - Interrupt Return";
// FR-06 for ERETS and ERETU).
import type { MachineSetup } from './config.ts';
import type { Draft } from './draft.ts';
import { GENERAL_PROTECTION, NOT_PRESENT, STACK_FAULT } from './event.ts';
import { accessFaults, anythingFaults, canonicalFaults, descriptorOf, fault, selectorError } from './possible-fault.ts';
import type { PossibleFault } from './possible-fault.ts';
import { NT } from './state.ts';
import { add, constant, equal, truncate } from './word.ts';
import type { Word } from './word.ts';

/** The five words that a return pops. */
export interface Image {
  readonly rip: Word;
  readonly cs: Word;
  readonly flags: Word;
  readonly rsp: Word;
  readonly ss: Word;
}

/** Privilege that a CS selector returns to, null where its RPL is not known. */
export function privilegeOf(cs: Word): number | null {
  return (cs.known & 3n) === 3n ? Number(cs.value & 3n) : null;
}

/** Reads of the image itself. */
export function imageFaults(draft: Draft, setup: MachineSetup, rsp: Word): readonly PossibleFault[] {
  return wordsRead(draft, setup, rsp, 5);
}

/** Reads of so many words from RSP up. */
export function wordsRead(draft: Draft, setup: MachineSetup, rsp: Word, count: number): readonly PossibleFault[] {
  for (let index = 0; index < count; index += 1) {
    const found = accessFaults(draft, setup, { address: add(rsp, constant(BigInt(index * 8))), size: 8, write: false, stack: true });
    if (found.length > 0) return found;
  }
  return [];
}

/** RETFQ; `ss` is null where the privilege does not change. */
export function farReturnFaults(draft: Draft, setup: MachineSetup, { rip, cs }: Pick<Image, 'rip' | 'cs'>, ss: Word | null): readonly PossibleFault[] {
  const to = privilegeOf(cs);
  return [...codeFaults(draft, setup, cs, to), ...(ss === null ? [] : stackFaults(setup, ss, to)), ...targetFaults(setup, { rip, cs })];
}

export function iretFaults(draft: Draft, setup: MachineSetup, image: Image): readonly PossibleFault[] {
  const out: PossibleFault[] = [];
  const nested = (draft.flags.known & NT) === 0n ? null : (draft.flags.value & NT) !== 0n;
  if (nested !== false) out.push(fault(GENERAL_PROTECTION, nested === true, nested === true ? 'NT is set' : 'NT may be set'));
  const to = privilegeOf(image.cs);
  if (setup.delivery === 'fred' && to !== draft.cpu.cpl) out.push(fault(GENERAL_PROTECTION, to !== null, 'IRET changes no privilege under FRED'));
  out.push(...codeFaults(draft, setup, image.cs, to), ...stackFaults(setup, image.ss, to), ...targetFaults(setup, image));
  return out;
}

function codeFaults(draft: Draft, setup: MachineSetup, written: Word, to: number | null): readonly PossibleFault[] {
  const cs = truncate(written, 2);
  const found = descriptorOf(setup, cs);
  if (found === 'null') return [fault(GENERAL_PROTECTION, true, 'CS is null')];
  if (found === 'nothing') return [fault(GENERAL_PROTECTION, true, 'CS names no descriptor', selectorError(cs))];
  if (to !== null && to < draft.cpu.cpl) return [fault(GENERAL_PROTECTION, true, 'CS has more privilege than there is', selectorError(cs))];
  if (found === 'anything') return anythingFaults(cs, 'CS', NOT_PRESENT);
  if (found.kind !== 'code' || found.privilege !== to) return [fault(GENERAL_PROTECTION, true, 'CS does not fit the privilege or type of its descriptor', selectorError(cs))];
  return found.present ? [] : [fault(NOT_PRESENT, true, 'the descriptor that CS names is not present', selectorError(cs))];
}

function stackFaults(setup: MachineSetup, written: Word, to: number | null): readonly PossibleFault[] {
  const ss = truncate(written, 2);
  const found = descriptorOf(setup, ss);
  if (found === 'null') return to === 3 ? [fault(GENERAL_PROTECTION, true, 'SS is null')] : [];
  if (found === 'nothing') return [fault(GENERAL_PROTECTION, true, 'SS names no descriptor', selectorError(ss))];
  if (found === 'anything') return anythingFaults(ss, 'SS', STACK_FAULT);
  const rpl = Number(ss.value & 3n);
  if (found.kind !== 'data' || !found.writable || (to !== null && (rpl !== to || found.privilege !== to))) return [fault(GENERAL_PROTECTION, true, 'SS does not fit the privilege or type of its descriptor', selectorError(ss))];
  return found.present ? [] : [fault(STACK_FAULT, true, 'the descriptor that SS names is not present', selectorError(ss))];
}

/** IRET-04; 32-bit code has a limit of 4 GiB. */
function targetFaults(setup: MachineSetup, image: Pick<Image, 'rip' | 'cs'>): readonly PossibleFault[] {
  const found = descriptorOf(setup, truncate(image.cs, 2));
  if (typeof found === 'string' || found.wide) return canonicalFaults(setup, image.rip, 'the saved RIP');
  const beyond = equal(truncate(image.rip, 4), image.rip);
  return beyond === true ? [] : [fault(GENERAL_PROTECTION, beyond === false, 'the saved RIP is beyond the limit of CS')];
}

/** Bits of RFLAGS that must be 0 in a FRED image, and bit 1 that must be 1. */
const ERETS_RESERVED = 0xffff_ffff_ffc2_802an;
const ERETU_RESERVED = 0xffff_ffff_ffc2_b02an;
const SS_RESERVED = 0xfff8_0000n;

/** ERETS returns to the same segments; ERETU comes from stack level 0 and goes to user mode. */
export function eretFaults(draft: Draft, setup: MachineSetup, image: Image, toUser: boolean): readonly PossibleFault[] {
  if (setup.delivery !== 'fred') return [fault(6, true, 'FRED is not enabled')];
  if (toUser && draft.cpu.level > 0) return [fault(GENERAL_PROTECTION, true, `ERETU runs on stack level ${draft.cpu.level}`)];
  const out: PossibleFault[] = [...canonicalFaults(setup, image.rip, 'the saved RIP')];
  const wrong = (bits: Word, mask: bigint, wanted: bigint, name: string): void => {
    if (((bits.value ^ wanted) & bits.known & mask) !== 0n) out.push(fault(GENERAL_PROTECTION, true, `the saved ${name} is not one that delivery pushed`));
    else if ((bits.known & mask) !== mask) out.push(fault(GENERAL_PROTECTION, false, `the saved ${name} may be not one that delivery pushed`));
  };
  wrong(image.cs, toUser ? 0xffff_ffff_ffff_0003n : 0xffff_ffff_fff8_ffffn, toUser ? 3n : draft.cpu.cs.value, 'CS');
  wrong(image.flags, toUser ? ERETU_RESERVED : ERETS_RESERVED, 2n, 'RFLAGS');
  wrong(image.ss, SS_RESERVED | (toUser ? 3n : 0xffffn), toUser ? 3n : draft.cpu.ss.value, 'SS');
  if (toUser) out.push(...codeFaults(draft, setup, image.cs, 3), ...stackFaults(setup, image.ss, 3));
  return out;
}
