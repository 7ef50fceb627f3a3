// What IRET and POPF load into RFLAGS: in user mode IOPL, VIF and VIP are out of reach, and IF is unless IOPL is 3
// (IRET-02; SDM vol. 2, "POPF/POPFD/POPFQ - Pop Stack Into EFLAGS Register").
import type { Draft } from './draft.ts';
import { IF, IOPL, VIF, VIP } from './state.ts';
import { and, constant, or, replaceBits } from './word.ts';
import type { Word } from './word.ts';

const ALWAYS_ONE = constant(2n);

/** RFLAGS after `image` was popped by an instruction that loads the bits of `loaded` at CPL 0. */
export function loadFlags(draft: Draft, image: Word, loaded: bigint): Word {
  if (draft.cpu.cpl === 0) return or(and(image, constant(loaded)), ALWAYS_ONE);
  const reach = reachesIf(draft.flags);
  const kept = IOPL | VIF | VIP | (reach === true ? 0n : IF);
  const flags = or(or(and(image, constant(loaded & ~kept)), and(draft.flags, constant(kept))), ALWAYS_ONE);
  const agree = (image.known & draft.flags.known & ~(image.value ^ draft.flags.value) & IF) !== 0n;
  return reach === null && !agree ? replaceBits(flags, IF, 0n, 0n) : flags;
}

/** Whether user mode may change IF; null where IOPL is not known. */
function reachesIf(flags: Word): boolean | null {
  if ((flags.known & ~flags.value & IOPL) !== 0n) return false;
  return (flags.known & IOPL) === IOPL ? true : null;
}
