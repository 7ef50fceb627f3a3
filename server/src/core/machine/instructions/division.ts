// DIV, for the sake of #DE: a contributory exception that an instruction raises by itself (DF-01).
import type { Execution, InstructionRow } from './row.ts';
import { proceed, read } from './row.ts';
import { register, setArithmeticFlags, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { fault } from '../possible-fault.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { RAX, RDX } from '../registers.ts';
import { constant, insertBytes, isConstant, mask, truncate, UNKNOWN } from '../word.ts';
import type { Word } from '../word.ts';

const DIVIDE_ERROR = 0;

interface Division {
  readonly quotient: bigint;
  readonly remainder: bigint;
}

/** Null where an operand is not known; 'error' where the divisor is 0 or the quotient does not fit. */
function divided(x: Execution): Division | 'error' | null {
  const divisor = read(x, x.node.operands[0]);
  if (isConstant(divisor) && divisor.value === 0n) return 'error';
  const [low, high] = halves(x);
  if (!isConstant(divisor) || !isConstant(low) || !isConstant(high)) return null;
  const dividend = (high.value << BigInt(x.size * 8)) | low.value;
  const quotient = dividend / divisor.value;
  return quotient > mask(x.size) ? 'error' : { quotient, remainder: dividend % divisor.value };
}

/** The dividend is in xDX:xAX, but for bytes in AX. */
function halves(x: Execution): readonly [Word, Word] {
  const rax = register(x.draft, RAX);
  if (x.size === 1) return [truncate(rax, 2), constant(0n)];
  return [truncate(rax, x.size), truncate(register(x.draft, RDX), x.size)];
}

function check(x: Execution): readonly PossibleFault[] {
  const found = divided(x);
  if (found === 'error') return [fault(DIVIDE_ERROR, true, 'the divisor is 0, or the quotient does not fit')];
  return found === null ? [fault(DIVIDE_ERROR, false, 'the divisor may be 0, or the quotient too large')] : [];
}

function divide(x: Execution): readonly Draft[] {
  const { draft, size } = x;
  const found = divided(x);
  const [quotient, remainder] = found === null || found === 'error' ? [UNKNOWN, UNKNOWN] : [constant(found.quotient), constant(found.remainder)];
  if (size === 1) {
    setRegister(draft, RAX, insertBytes(insertBytes(register(draft, RAX), 0, 1, quotient), 1, 1, remainder));
  } else {
    for (const [index, value] of [[RAX, quotient], [RDX, remainder]] as const) setRegister(draft, index, size >= 4 ? truncate(value, size) : insertBytes(register(draft, index), 0, size, value));
  }
  // The arithmetic flags are undefined.
  setArithmeticFlags(draft, 0n, 0n);
  return proceed(x);
}

export const DIVISION_ROWS: readonly InstructionRow[] = [
  {
    mnemonic: 'div',
    suffixed: true,
    summary: 'divides xDX:xAX by the operand, unsigned; a divisor of 0 or too large a quotient is #DE',
    section: 'DIV - Unsigned Divide',
    faults: ['DE'],
    check,
    run: divide,
    examples: [{ code: 'divl %ecx', given: { rax: 17n, rdx: 0n, rcx: 5n }, then: { rax: 3n, rdx: 2n } }, { code: 'divb %cl', given: { rax: 17n, rcx: 5n }, then: { rax: 0x203n } }],
  },
];
