// Evaluation of C expressions on the machine's memory, and which addresses an expression reads.
import type { CExpression } from './code.ts';
import type { MachineSetup } from './config.ts';
import { fork, guardBusy, liveFrameOf, load, register } from './draft.ts';
import type { Draft } from './draft.ts';
import { RSP } from './registers.ts';
import { add, and, constant, equal, isConstant, not, ONE, or, shiftLeft, shiftRight, SIGN, subtract, truncate, UNKNOWN, xor, ZERO } from './word.ts';
import type { Word } from './word.ts';

/** Value of an expression in the running function's frame. */
export function evaluate(draft: Draft, setup: MachineSetup, expression: CExpression): Word {
  switch (expression.kind) {
    case 'constant':
      return constant(expression.value);
    case 'local': {
      const rsp = register(draft, RSP);
      return isConstant(rsp) ? load(draft, setup, rsp.value + BigInt(expression.slot * 8), 8) : UNKNOWN;
    }
    case 'local-address':
      return add(register(draft, RSP), constant(BigInt(expression.slot * 8 + expression.offset)));
    case 'symbol':
      return UNKNOWN;
    case 'load': {
      const address = evaluate(draft, setup, expression.address);
      if (!isConstant(address)) return UNKNOWN;
      noteInformationRead(draft, setup, address.value);
      return load(draft, setup, address.value, expression.size);
    }
    case 'unary':
      return unary(expression.operator, evaluate(draft, setup, expression.operand));
    case 'binary':
      return binary(expression.operator, evaluate(draft, setup, expression.left), evaluate(draft, setup, expression.right));
    case 'unknown':
      return UNKNOWN;
  }
}

function unary(operator: '-' | '~' | '!', value: Word): Word {
  if (operator === '-') return subtract(ZERO, value);
  if (operator === '~') return not(value);
  return truth(equal(value, ZERO));
}

function truth(value: boolean | null): Word {
  return value === null ? UNKNOWN : value ? ONE : ZERO;
}

/** `u` marks unsigned comparison and division, `s` an arithmetic shift, as the lowering writes them. */
function binary(operator: string, a: Word, b: Word): Word {
  switch (operator) {
    case '+':
      return add(a, b);
    case '-':
      return subtract(a, b);
    case '&':
      return and(a, b);
    case '|':
      return or(a, b);
    case '^':
      return xor(a, b);
    case '<<':
      return isConstant(b) ? shiftLeft(a, Number(b.value & 63n)) : UNKNOWN;
    case '>>':
      return isConstant(b) ? shiftRight(a, Number(b.value & 63n)) : UNKNOWN;
    case 's>>':
      return isConstant(a) && isConstant(b) ? constant(BigInt.asUintN(64, BigInt.asIntN(64, a.value) >> (b.value & 63n))) : UNKNOWN;
    case 'u<':
      return truth(below(a, b));
    case 'u>=':
      return truth(negate(below(a, b)));
    case 'u>':
      return truth(below(b, a));
    case 'u<=':
      return truth(negate(below(b, a)));
    case '==':
      return truth(equal(a, b));
    case '!=': {
      const same = equal(a, b);
      return truth(same === null ? null : !same);
    }
    default:
      return isConstant(a) && isConstant(b) ? arithmetic(operator, a.value, b.value) : UNKNOWN;
  }
}

/** Unsigned order; a user pointer is below every kernel address, whatever it is. */
function below(a: Word, b: Word): boolean | null {
  if (isConstant(a) && isConstant(b)) return a.value < b.value;
  if ((a.known & SIGN) === 0n || (b.known & SIGN) === 0n || ((a.value ^ b.value) & SIGN) === 0n) return null;
  return (b.value & SIGN) !== 0n;
}

function negate(value: boolean | null): boolean | null {
  return value === null ? null : !value;
}

function arithmetic(operator: string, a: bigint, b: bigint): Word {
  const left = BigInt.asIntN(64, a);
  const right = BigInt.asIntN(64, b);
  switch (operator) {
    case '*':
      return constant(left * right);
    case '/':
      return right === 0n ? UNKNOWN : constant(left / right);
    case '%':
      return right === 0n ? UNKNOWN : constant(left % right);
    case 'u/':
      return b === 0n ? UNKNOWN : constant(a / b);
    case 'u%':
      return b === 0n ? UNKNOWN : constant(a % b);
    case '<':
      return truth(left < right);
    case '>':
      return truth(left > right);
    case '<=':
      return truth(left <= right);
    case '>=':
      return truth(left >= right);
    case '&&':
      return truth(left !== 0n && right !== 0n);
    case '||':
      return truth(left !== 0n || right !== 0n);
    default:
      return UNKNOWN;
  }
}

/** VE06: the information area may hold a newer event once its guard is clear. */
function noteInformationRead(draft: Draft, setup: MachineSetup, address: bigint): void {
  setup.guards.forEach((guard, index) => {
    if (!guard.protectsInfo || address < guard.info.start || address >= guard.info.end) return;
    if (guard.address !== null && address >= guard.address && address < guard.address + BigInt(guard.size)) return;
    if (liveFrameOf(draft, guard.vector) === null || draft.frames.at(-1)?.vector !== guard.vector) return;
    draft.effects.push({ kind: 'info-read', guard: index, afterClear: guardBusy(draft, setup, index) === false });
  });
}

/** Addresses that an expression reads, as words: opaque ones are user memory or pointers nobody knows. */
export function addressesRead(draft: Draft, setup: MachineSetup, expression: CExpression): readonly Word[] {
  switch (expression.kind) {
    case 'load':
      return [...addressesRead(draft, setup, expression.address), evaluate(quiet(draft), setup, expression.address)];
    case 'unary':
      return addressesRead(draft, setup, expression.operand);
    case 'binary':
      return [...addressesRead(draft, setup, expression.left), ...addressesRead(draft, setup, expression.right)];
    default:
      return [];
  }
}

/** The same draft with effects of its own, for looking ahead. */
export function quiet(draft: Draft): Draft {
  const second = fork(draft);
  second.effects = [];
  return second;
}

export function lowBits(value: Word, size: 1 | 2 | 4 | 8): Word {
  return truncate(value, size);
}
