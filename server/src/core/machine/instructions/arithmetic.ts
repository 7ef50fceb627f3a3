// Integer arithmetic, logic, comparisons and shifts.
import type { Execution, InstructionRow } from './row.ts';
import { flag, proceed, read, setResultFlags, write } from './row.ts';
import type { Draft } from '../draft.ts';
import { CF } from '../state.ts';
import { add, and, constant, isConstant, mask, not, ONE, or, shiftLeft, shiftRight, signExtend, subtract, truncate, UNKNOWN, word, xor, ZERO } from '../word.ts';
import type { Word } from '../word.ts';

type Combine = (a: Word, b: Word) => Word;

function source(x: Execution): Word {
  const operand = x.node.operands[0];
  return operand?.kind === 'immediate' ? truncate(constant(operand.value), x.size) : read(x, operand);
}

function addition(x: Execution, a: Word, b: Word, carryIn: bigint): { result: Word; carry: boolean | null; overflow: boolean | null } {
  const low = mask(x.size);
  if (!isConstant(a) || !isConstant(b)) return { result: truncate(carryIn === 0n ? add(a, b) : UNKNOWN, x.size), carry: null, overflow: null };
  const total = (a.value & low) + (b.value & low) + carryIn;
  const bits = x.size * 8;
  const signed = BigInt.asIntN(bits, a.value) + BigInt.asIntN(bits, b.value) + carryIn;
  return { result: constant(total & low), carry: total > low, overflow: signed !== BigInt.asIntN(bits, total) };
}

function subtraction(x: Execution, a: Word, b: Word, borrow: bigint): { result: Word; carry: boolean | null; overflow: boolean | null } {
  const low = mask(x.size);
  if (!isConstant(a) || !isConstant(b)) {
    const order = borrow === 0n ? compareOpaque(a, b) : null;
    return { result: borrow === 0n ? difference(x, a, b) : UNKNOWN, carry: order, overflow: null };
  }
  const left = a.value & low;
  const right = (b.value & low) + borrow;
  const bits = x.size * 8;
  const signed = BigInt.asIntN(bits, a.value) - BigInt.asIntN(bits, b.value) - borrow;
  return { result: constant((left - right) & low), carry: left < right, overflow: signed !== BigInt.asIntN(bits, signed) };
}

/** User pointers are below every kernel address: the sign bit alone decides an unsigned comparison. */
function compareOpaque(a: Word, b: Word): boolean | null {
  const top = 1n << 63n;
  if ((a.known & top) === 0n || (b.known & top) === 0n) return null;
  const left = (a.value & top) !== 0n;
  const right = (b.value & top) !== 0n;
  return left === right ? null : right;
}

/** Known to differ where one known bit differs: the result is then known not to be zero. */
function difference(x: Execution, a: Word, b: Word): Word {
  const result = truncate(subtract(a, b), x.size);
  const low = mask(x.size);
  const differ = (a.value ^ b.value) & a.known & b.known & low;
  if (differ === 0n || isConstant(result)) return result;
  return NONZERO;
}

/** Not zero, otherwise unknown: one bit stands for it. */
const NONZERO = word(1n, 1n, 'nonzero');

function arithmetic(mnemonic: 'add' | 'adc' | 'sub' | 'sbb' | 'cmp'): (x: Execution) => readonly Draft[] {
  return (x) => {
    const target = x.node.operands[1];
    const a = read(x, target);
    const b = source(x);
    const carryFlag = flag(x.draft, CF);
    const carry = mnemonic === 'adc' || mnemonic === 'sbb' ? (carryFlag === null ? null : carryFlag ? 1n : 0n) : 0n;
    const outcome =
      carry === null ? { result: UNKNOWN, carry: null, overflow: null } : mnemonic === 'add' || mnemonic === 'adc' ? addition(x, a, b, carry) : subtraction(x, a, b, carry);
    if (mnemonic !== 'cmp') write(x, target, outcome.result === NONZERO ? UNKNOWN : outcome.result);
    setResultFlags(x, outcome.result, outcome.carry, outcome.overflow);
    return proceed(x);
  };
}

function logic(combine: Combine, keep: boolean): (x: Execution) => readonly Draft[] {
  return (x) => {
    const target = x.node.operands[1];
    const same = sameRegister(x);
    const result = same && combine === xor ? ZERO : truncate(combine(read(x, target), source(x)), x.size);
    if (keep) write(x, target, result);
    setResultFlags(x, result, false, false);
    return proceed(x);
  };
}

function sameRegister(x: Execution): boolean {
  const [a, b] = x.node.operands;
  return a?.kind === 'register' && b?.kind === 'register' && a.register === b.register && a.size === b.size && a.high === b.high;
}

function step(by: bigint): (x: Execution) => readonly Draft[] {
  return (x) => {
    const operand = x.node.operands[0];
    const carry = flag(x.draft, CF);
    const before = read(x, operand);
    const result = truncate(add(before, constant(by)), x.size);
    write(x, operand, result);
    const limit = by > 0n ? 1n << BigInt(x.size * 8 - 1) : (1n << BigInt(x.size * 8 - 1)) - 1n;
    setResultFlags(x, result, carry, isConstant(result) ? result.value === limit : null);
    return proceed(x);
  };
}

function shift(direction: 'left' | 'right' | 'arithmetic'): (x: Execution) => readonly Draft[] {
  return (x) => {
    const operands = x.node.operands;
    const target = operands.length === 1 ? operands[0] : operands[1];
    const count = operands.length === 1 ? ONE : source(x);
    const a = read(x, target);
    if (!isConstant(count)) {
      write(x, target, UNKNOWN);
      setResultFlags(x, UNKNOWN, null, null);
      return proceed(x);
    }
    const by = Number(count.value & (x.size === 8 ? 63n : 31n));
    const wide = direction === 'arithmetic' ? signExtend(a, x.size) : truncate(a, x.size);
    const shifted = direction === 'left' ? shiftLeft(wide, by) : direction === 'right' ? shiftRight(wide, by) : arithmeticRight(wide, by);
    const result = truncate(shifted, x.size);
    const lost = direction === 'left' ? BigInt(x.size * 8 - by) : BigInt(by - 1);
    const carry = by === 0 ? flag(x.draft, CF) : (a.known >> lost) & 1n ? ((a.value >> lost) & 1n) === 1n : null;
    write(x, target, result);
    if (by !== 0) setResultFlags(x, result, carry, null);
    return proceed(x);
  };
}

function arithmeticRight(a: Word, by: number): Word {
  if (!isConstant(a)) return UNKNOWN;
  return constant(BigInt.asUintN(64, BigInt.asIntN(64, a.value) >> BigInt(by)));
}

function bitTest(change: 'none' | 'set' | 'reset'): (x: Execution) => readonly Draft[] {
  return (x) => {
    const target = x.node.operands[1];
    const a = read(x, target);
    const index = source(x);
    const bit = isConstant(index) ? 1n << (index.value & BigInt(x.size * 8 - 1)) : null;
    const carry = bit === null || (a.known & bit) === 0n ? null : (a.value & bit) !== 0n;
    const known = CF;
    x.draft.flags = or(and(x.draft.flags, constant(~CF)), carry === null ? word(~known & ((1n << 64n) - 1n), 0n, '') : constant(carry ? CF : 0n));
    if (change !== 'none') write(x, target, bit === null ? UNKNOWN : change === 'set' ? or(a, constant(bit)) : and(a, constant(~bit)));
    return proceed(x);
  };
}

function unary(combine: (a: Word) => Word, flags: boolean): (x: Execution) => readonly Draft[] {
  return (x) => {
    const operand = x.node.operands[0];
    const result = truncate(combine(read(x, operand)), x.size);
    write(x, operand, result);
    if (flags) setResultFlags(x, result, isConstant(result) ? result.value !== 0n : null, null);
    return proceed(x);
  };
}

interface Spec {
  readonly mnemonic: string;
  readonly summary: string;
  readonly section: string;
  readonly run: (x: Execution) => readonly Draft[];
  readonly examples?: InstructionRow['examples'];
}

const specs: readonly Spec[] = [
  { mnemonic: 'add', summary: 'adds', section: 'ADD - Add', run: arithmetic('add'), examples: [{ code: 'addq $8, %rax', given: { rax: 1n }, then: { rax: 9n, ZF: 0n, CF: 0n } }, { code: 'addl $1, %eax', given: { rax: 0xffff_ffffn }, then: { rax: 0n, ZF: 1n, CF: 1n } }] },
  { mnemonic: 'adc', summary: 'adds with carry', section: 'ADC - Add With Carry', run: arithmetic('adc'), examples: [{ code: 'adcq $0, %rax', given: { rax: 1n, CF: 1n }, then: { rax: 2n } }] },
  { mnemonic: 'sub', summary: 'subtracts', section: 'SUB - Subtract', run: arithmetic('sub'), examples: [{ code: 'subq $8, %rax', given: { rax: 1n }, then: { rax: (1n << 64n) - 7n, CF: 1n, SF: 1n } }] },
  { mnemonic: 'sbb', summary: 'subtracts with borrow', section: 'SBB - Integer Subtraction With Borrow', run: arithmetic('sbb'), examples: [{ code: 'sbbq $0, %rax', given: { rax: 1n, CF: 1n }, then: { rax: 0n, ZF: 1n } }] },
  { mnemonic: 'cmp', summary: 'compares by subtraction without storing', section: 'CMP - Compare Two Operands', run: arithmetic('cmp'), examples: [{ code: 'cmpq %rbx, %rax', given: { rax: 1n, rbx: 2n }, then: { CF: 1n, ZF: 0n, rax: 1n } }] },
  { mnemonic: 'and', summary: 'bitwise and', section: 'AND - Logical AND', run: logic(and, true), examples: [{ code: 'andq $-16, %rax', given: { rax: 0x1fn }, then: { rax: 0x10n } }] },
  { mnemonic: 'or', summary: 'bitwise or', section: 'OR - Logical Inclusive OR', run: logic(or, true), examples: [{ code: 'orq $1, %rax', given: { rax: 2n }, then: { rax: 3n } }] },
  { mnemonic: 'xor', summary: 'bitwise exclusive or; of a register with itself always zero', section: 'XOR - Logical Exclusive OR', run: logic(xor, true), examples: [{ code: 'xorl %eax, %eax', given: { rax: 5n }, then: { rax: 0n, ZF: 1n } }] },
  { mnemonic: 'test', summary: 'sets the flags of a bitwise and', section: 'TEST - Logical Compare', run: logic(and, false), examples: [{ code: 'testb $3, %al', given: { rax: 0x33n }, then: { ZF: 0n, CF: 0n } }, { code: 'testb $3, %al', given: { rax: 0x10n }, then: { ZF: 1n } }] },
  { mnemonic: 'inc', summary: 'adds one; CF stays', section: 'INC - Increment by 1', run: step(1n), examples: [{ code: 'incl %eax', given: { rax: 1n, CF: 1n }, then: { rax: 2n, CF: 1n } }] },
  { mnemonic: 'dec', summary: 'subtracts one; CF stays', section: 'DEC - Decrement by 1', run: step(-1n), examples: [{ code: 'decl %eax', given: { rax: 1n }, then: { rax: 0n, ZF: 1n } }] },
  { mnemonic: 'neg', summary: 'two’s complement negation', section: 'NEG - Two’s Complement Negation', run: unary((a) => subtract(ZERO, a), true), examples: [{ code: 'negq %rax', given: { rax: 1n }, then: { rax: (1n << 64n) - 1n, CF: 1n } }] },
  { mnemonic: 'not', summary: 'one’s complement negation', section: 'NOT - One’s Complement Negation', run: unary(not, false), examples: [{ code: 'notq %rax', given: { rax: 0n }, then: { rax: (1n << 64n) - 1n } }] },
  { mnemonic: 'shl', summary: 'shifts left', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('left'), examples: [{ code: 'shlq $4, %rax', given: { rax: 1n }, then: { rax: 16n } }] },
  { mnemonic: 'sal', summary: 'shifts left', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('left'), examples: [{ code: 'salq $4, %rax', given: { rax: 1n }, then: { rax: 16n } }] },
  { mnemonic: 'shr', summary: 'shifts right, filling with zeros', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('right'), examples: [{ code: 'shrq $4, %rax', given: { rax: 0x11n }, then: { rax: 1n } }] },
  { mnemonic: 'sar', summary: 'shifts right, keeping the sign', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('arithmetic'), examples: [{ code: 'sarq $63, %rax', given: { rax: 1n << 63n }, then: { rax: (1n << 64n) - 1n } }] },
  { mnemonic: 'bt', summary: 'copies a bit to CF', section: 'BT - Bit Test', run: bitTest('none'), examples: [{ code: 'btq $63, %rax', given: { rax: 1n << 63n }, then: { CF: 1n } }] },
  { mnemonic: 'bts', summary: 'copies a bit to CF and sets it', section: 'BTS - Bit Test and Set', run: bitTest('set'), examples: [{ code: 'btsq $1, %rax', given: { rax: 0n }, then: { rax: 2n, CF: 0n } }] },
  { mnemonic: 'btr', summary: 'copies a bit to CF and clears it', section: 'BTR - Bit Test and Reset', run: bitTest('reset'), examples: [{ code: 'btrq $1, %rax', given: { rax: 2n }, then: { rax: 0n, CF: 1n } }] },
];

export const ARITHMETIC_ROWS: readonly InstructionRow[] = specs.map((spec) => ({
  mnemonic: spec.mnemonic,
  suffixed: true,
  summary: spec.summary,
  section: spec.section,
  faults: [],
  run: spec.run,
  examples: spec.examples ?? [],
}));
