// Integer arithmetic, logic, comparisons and shifts.
import type { MachineOperand } from '../code.ts';
import type { Decided, Execution, InstructionRow } from './row.ts';
import { flag, proceed, read, setResultFlags, write } from './row.ts';
import type { Draft } from '../draft.ts';
import { CF } from '../state.ts';
import { add, ALL, and, constant, equal, isConstant, mask, not, ONE, or, replaceBits, shiftLeft, shiftRight, shiftRightArithmetic, signExtend, subtract, truncate, UNKNOWN, xor, ZERO } from '../word.ts';
import type { Word } from '../word.ts';

type Combine = (a: Word, b: Word) => Word;

function source(x: Execution): Word {
  const operand = x.node.operands[0];
  return operand?.kind === 'immediate' ? truncate(constant(operand.value), x.size) : read(x, operand);
}

interface Outcome {
  readonly result: Word;
  readonly carry: boolean | null;
  readonly overflow: boolean | null;
  readonly decided: Decided;
}

interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/** What a value of `size` bytes can be at least and at most, unsigned. */
function unsignedRange(x: Execution, a: Word): Range {
  const low = mask(x.size);
  return { low: a.value & low, high: (a.value | (ALL & ~a.known)) & low };
}

/** The same, signed. */
function signedRange(x: Execution, a: Word): Range {
  const bits = x.size * 8;
  const top = 1n << BigInt(bits - 1);
  const open = ALL & ~a.known;
  return { low: BigInt.asIntN(bits, a.value | (open & top)), high: BigInt.asIntN(bits, a.value | (open & ~top)) };
}

/** An exact sum or difference that lies in `range`, against what `bits` hold signed. */
function overflowOf(x: Execution, range: Range): boolean | null {
  const limit = 1n << BigInt(x.size * 8 - 1);
  if (range.low >= -limit && range.high < limit) return false;
  return range.high < -limit || range.low >= limit ? true : null;
}

/** The sign of the result: of the exact value where that fits, the opposite where it does not. */
function signOf(range: Range, overflow: boolean | null): boolean | null {
  if (overflow === null) return null;
  return range.high < 0n ? !overflow : range.low >= 0n ? overflow : null;
}

function addition(x: Execution, a: Word, b: Word, carryIn: bigint): Outcome {
  const low = mask(x.size);
  const plain = truncate(add(a, b), x.size);
  const result = carryIn === 0n ? plain : truncate(add(plain, constant(carryIn)), x.size);
  const [left, right] = [unsignedRange(x, a), unsignedRange(x, b)];
  const carry = left.low + right.low + carryIn > low ? true : left.high + right.high + carryIn <= low ? false : null;
  const [first, second] = [signedRange(x, a), signedRange(x, b)];
  const exact = { low: first.low + second.low + carryIn, high: first.high + second.high + carryIn };
  const overflow = overflowOf(x, exact);
  const zero = exact.low > 0n || exact.high < 0n ? (carry === false || overflow === false ? false : null) : null;
  return { result, carry, overflow, decided: { zero, sign: signOf(exact, overflow), adjust: adjustOf(a, b, (one, other) => one + other + carryIn) } };
}

/** Carry out of bit 3, where both low halves of a byte are known. */
function adjustOf(a: Word, b: Word, combine: (a: bigint, b: bigint) => bigint): boolean | null {
  if ((a.known & b.known & 15n) !== 15n) return null;
  const exact = combine(a.value & 15n, b.value & 15n);
  return exact > 15n || exact < 0n;
}

function subtraction(x: Execution, a: Word, b: Word, borrow: bigint): Outcome {
  const plain = truncate(subtract(a, b), x.size);
  const result = borrow === 0n ? plain : truncate(subtract(plain, constant(borrow)), x.size);
  const same = equal(a, b) === true;
  const [left, right] = [unsignedRange(x, a), unsignedRange(x, b)];
  const carry = same ? borrow !== 0n : left.high < right.low + borrow ? true : left.low >= right.high + borrow ? false : null;
  const [first, second] = [signedRange(x, a), signedRange(x, b)];
  const exact = same ? { low: -borrow, high: -borrow } : { low: first.low - second.high - borrow, high: first.high - second.low - borrow };
  const overflow = overflowOf(x, exact);
  const zero = borrow !== 0n ? null : equal(a, b) ?? (left.high < right.low || right.high < left.low ? false : null);
  return { result, carry, overflow, decided: { zero, sign: signOf(exact, overflow), adjust: same && borrow === 0n ? false : adjustOf(a, b, (one, other) => one - other - borrow) } };
}

function arithmetic(mnemonic: 'add' | 'adc' | 'sub' | 'sbb' | 'cmp'): (x: Execution) => readonly Draft[] {
  const withCarry = mnemonic === 'adc' || mnemonic === 'sbb';
  const adds = mnemonic === 'add' || mnemonic === 'adc';
  return (x) => {
    const target = x.node.operands[1];
    const a = read(x, target);
    const b = source(x);
    const carryFlag = withCarry ? flag(x.draft, CF) : false;
    if (carryFlag === null) {
      write(x, target, UNKNOWN);
      setResultFlags(x, UNKNOWN, null, null);
      return proceed(x);
    }
    const carry = carryFlag ? 1n : 0n;
    const { result, carry: out, overflow, decided } = adds ? addition(x, a, b, carry) : subtraction(x, a, b, carry);
    if (mnemonic !== 'cmp') write(x, target, result);
    setResultFlags(x, result, out, overflow, decided);
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

function step(by: 1 | -1): (x: Execution) => readonly Draft[] {
  return (x) => {
    const operand = x.node.operands[0];
    const carry = flag(x.draft, CF);
    const { result, overflow, decided } = by === 1 ? addition(x, read(x, operand), ONE, 0n) : subtraction(x, read(x, operand), ONE, 0n);
    write(x, operand, result);
    setResultFlags(x, result, carry, overflow, decided);
    return proceed(x);
  };
}

function negate(x: Execution): readonly Draft[] {
  const operand = x.node.operands[0];
  const { result, carry, overflow, decided } = subtraction(x, ZERO, read(x, operand), 0n);
  write(x, operand, result);
  setResultFlags(x, result, carry, overflow, decided);
  return proceed(x);
}

function complement(x: Execution): readonly Draft[] {
  const operand = x.node.operands[0];
  write(x, operand, truncate(not(read(x, operand)), x.size));
  return proceed(x);
}

function shift(direction: 'left' | 'right' | 'arithmetic'): (x: Execution) => readonly Draft[] {
  return (x) => {
    const operands = x.node.operands;
    const target = operands.length === 1 ? operands[0] : operands[1];
    const given = operands.length === 1 ? ONE : source(x);
    const a = read(x, target);
    const limit = x.size === 8 ? 63n : 31n;
    if ((given.known & limit) !== limit) {
      write(x, target, UNKNOWN);
      setResultFlags(x, UNKNOWN, null, null);
      return proceed(x);
    }
    const by = Number(given.value & limit);
    if (by === 0) {
      // A 32-bit register is written all the same.
      write(x, target, a);
      return proceed(x);
    }
    const bits = x.size * 8;
    const wide = direction === 'arithmetic' ? signExtend(a, x.size) : a;
    const result = truncate(direction === 'left' ? shiftLeft(wide, by) : direction === 'right' ? shiftRight(wide, by) : shiftRightArithmetic(wide, by), x.size);
    const lost = direction === 'left' ? bits - by : by - 1;
    const carry = direction === 'arithmetic' ? bitOf(wide, lost) : lost < 0 || lost >= bits ? null : bitOf(a, lost);
    const overflow = by !== 1 ? null : direction === 'arithmetic' ? false : direction === 'right' ? bitOf(a, bits - 1) : differ(bitOf(result, bits - 1), carry);
    write(x, target, result);
    setResultFlags(x, result, carry, overflow);
    return proceed(x);
  };
}

function bitOf(a: Word, bit: number): boolean | null {
  return (a.known >> BigInt(bit)) & 1n ? ((a.value >> BigInt(bit)) & 1n) === 1n : null;
}

function differ(a: boolean | null, b: boolean | null): boolean | null {
  return a === null || b === null ? null : a !== b;
}

function bitTest(change: 'none' | 'set' | 'reset' | 'complement'): (x: Execution) => readonly Draft[] {
  return (x) => {
    const index = source(x);
    const target = bitOperand(x, index);
    const a = read(x, target);
    const within = BigInt(x.size * 8 - 1);
    const bit = (index.known & within) === within ? 1n << (index.value & within) : null;
    const carry = bit === null || (a.known & bit) === 0n ? null : (a.value & bit) !== 0n;
    x.draft.flags = replaceBits(x.draft.flags, CF, carry === null ? 0n : CF, carry === true ? CF : 0n);
    if (change !== 'none') write(x, target, bit === null ? UNKNOWN : change === 'set' ? or(a, constant(bit)) : change === 'reset' ? and(a, constant(~bit)) : xor(a, constant(bit)));
    return proceed(x);
  };
}

/** A bit offset in a register reaches beyond a memory operand: it counts from the operand's address. */
function bitOperand(x: Execution, index: Word): MachineOperand | undefined {
  const target = x.node.operands[1];
  if (target?.kind !== 'memory' || x.node.operands[0]?.kind !== 'register' || !isConstant(index)) return target;
  const bits = BigInt(x.size * 8);
  const signed = BigInt.asIntN(x.size * 8, index.value);
  const units = (signed - (((signed % bits) + bits) % bits)) / bits;
  return units === 0n ? target : { ...target, displacement: target.displacement + units * BigInt(x.size) };
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
  { mnemonic: 'inc', summary: 'adds one; CF stays', section: 'INC - Increment by 1', run: step(1), examples: [{ code: 'incl %eax', given: { rax: 1n, CF: 1n }, then: { rax: 2n, CF: 1n } }] },
  { mnemonic: 'dec', summary: 'subtracts one; CF stays', section: 'DEC - Decrement by 1', run: step(-1), examples: [{ code: 'decl %eax', given: { rax: 1n }, then: { rax: 0n, ZF: 1n } }] },
  { mnemonic: 'neg', summary: 'two’s complement negation', section: 'NEG - Two’s Complement Negation', run: negate, examples: [{ code: 'negq %rax', given: { rax: 1n }, then: { rax: (1n << 64n) - 1n, CF: 1n } }] },
  { mnemonic: 'not', summary: 'one’s complement negation', section: 'NOT - One’s Complement Negation', run: complement, examples: [{ code: 'notq %rax', given: { rax: 0n }, then: { rax: (1n << 64n) - 1n } }] },
  { mnemonic: 'shl', summary: 'shifts left', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('left'), examples: [{ code: 'shlq $4, %rax', given: { rax: 1n }, then: { rax: 16n } }] },
  { mnemonic: 'sal', summary: 'shifts left', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('left'), examples: [{ code: 'salq $4, %rax', given: { rax: 1n }, then: { rax: 16n } }] },
  { mnemonic: 'shr', summary: 'shifts right, filling with zeros', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('right'), examples: [{ code: 'shrq $4, %rax', given: { rax: 0x11n }, then: { rax: 1n } }] },
  { mnemonic: 'sar', summary: 'shifts right, keeping the sign', section: 'SAL/SAR/SHL/SHR - Shift', run: shift('arithmetic'), examples: [{ code: 'sarq $63, %rax', given: { rax: 1n << 63n }, then: { rax: (1n << 64n) - 1n } }] },
  { mnemonic: 'bt', summary: 'copies a bit to CF', section: 'BT - Bit Test', run: bitTest('none'), examples: [{ code: 'btq $63, %rax', given: { rax: 1n << 63n }, then: { CF: 1n } }] },
  { mnemonic: 'bts', summary: 'copies a bit to CF and sets it', section: 'BTS - Bit Test and Set', run: bitTest('set'), examples: [{ code: 'btsq $1, %rax', given: { rax: 0n }, then: { rax: 2n, CF: 0n } }] },
  { mnemonic: 'btc', summary: 'copies a bit to CF and complements it', section: 'BTC - Bit Test and Complement', run: bitTest('complement'), examples: [{ code: 'btcq $1, %rax', given: { rax: 2n }, then: { rax: 0n, CF: 1n } }] },
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
