// Values and places while C is lowered: expressions with their C type, constants folded, conversions made explicit.
// Everything is 64 bits wide once loaded; narrower types show as masks and sign extensions.
import type { CExpression } from '../machine/code.ts';
import type { CSyntaxType } from '../syntax/c-syntax.ts';
import { integerOf, resolveType } from './c-types.ts';
import type { IntegerType, LayoutField, TypeTable } from './c-types.ts';

export interface Value {
  readonly expression: CExpression;
  readonly type: CSyntaxType;
}

/** Something that can be assigned to or have its address taken. */
export type LocalOrMemory =
  /** `shared`: others know its address, so it is read from memory at its own size. */
  | { readonly kind: 'slot'; readonly slot: number; readonly type: CSyntaxType; readonly shared: boolean }
  | { readonly kind: 'memory'; readonly address: CExpression; readonly type: CSyntaxType; readonly bits: LayoutField['bits'] };

export function constant(value: bigint): CExpression {
  return { kind: 'constant', value };
}

export function unknown(text: string): CExpression {
  return { kind: 'unknown', text };
}

function wrap(value: bigint, { size, signed }: IntegerType): bigint {
  return signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value);
}

const word: IntegerType = { size: 8, signed: true };

export function binary(operator: string, left: CExpression, right: CExpression): CExpression {
  if (left.kind === 'constant' && right.kind === 'constant') {
    const value = fold(operator, left.value, right.value);
    if (value !== null) return constant(value);
  }
  if (right.kind === 'constant' && right.value === 0n && ['+', '-', '|', '^', '<<', '>>'].includes(operator)) return left;
  return { kind: 'binary', operator, left, right };
}

function fold(operator: string, left: bigint, right: bigint): bigint | null {
  const unsigned = operator.startsWith('u');
  const a = unsigned ? BigInt.asUintN(64, left) : left;
  const b = unsigned ? BigInt.asUintN(64, right) : right;
  const flag = (holds: boolean): bigint => (holds ? 1n : 0n);
  switch (unsigned ? operator.slice(1) : operator) {
    case '+': return wrap(a + b, word);
    case '-': return wrap(a - b, word);
    case '*': return wrap(a * b, word);
    case '/': return b === 0n ? null : a / b;
    case '%': return b === 0n ? null : a % b;
    case '&': return a & b;
    case '|': return a | b;
    case '^': return a ^ b;
    case '<<': return b < 0n || b > 63n ? null : wrap(a << b, word);
    case '>>': return b < 0n || b > 63n ? null : BigInt.asUintN(64, a) >> b;
    case 's>>': return b < 0n || b > 63n ? null : a >> b;
    case '==': return flag(BigInt.asUintN(64, a) === BigInt.asUintN(64, b));
    case '!=': return flag(BigInt.asUintN(64, a) !== BigInt.asUintN(64, b));
    case '<': return flag(a < b);
    case '>': return flag(a > b);
    case '<=': return flag(a <= b);
    case '>=': return flag(a >= b);
    default: return null;
  }
}

export function unary(operator: '-' | '~' | '!', operand: CExpression): CExpression {
  if (operand.kind !== 'constant') return { kind: 'unary', operator, operand };
  if (operator === '!') return constant(operand.value === 0n ? 1n : 0n);
  return constant(operator === '-' ? wrap(-operand.value, word) : ~operand.value);
}

/** An address some bytes on. */
export function shifted(address: CExpression, bytes: number): CExpression {
  if (bytes === 0) return address;
  switch (address.kind) {
    case 'symbol':
    case 'local-address':
      return { ...address, offset: address.offset + bytes };
    case 'constant':
      return constant(address.value + BigInt(bytes));
    case 'binary':
      if (address.operator === '+' && address.right.kind === 'constant') return binary('+', address.left, constant(address.right.value + BigInt(bytes)));
      break;
    default:
      break;
  }
  return binary('+', address, constant(BigInt(bytes)));
}

const mask = (size: number): bigint => (1n << BigInt(size * 8)) - 1n;

/** Sign extension of the low bytes, by operators that do not depend on how a shift treats signs. */
function signExtended(expression: CExpression, bits: number): CExpression {
  if (expression.kind === 'constant') return constant(BigInt.asIntN(bits, expression.value));
  const top = constant(1n << BigInt(bits - 1));
  return binary('-', binary('^', expression, top), top);
}

/** Conversion to another type (C11 6.3.1.3). Types out of view take the value as it is. */
export function convert(table: TypeTable, value: Value, type: CSyntaxType): CExpression {
  const to = integerOf(table, type);
  const from = integerOf(table, value.type);
  const { expression } = value;
  if (to === null) return expression;
  const target = resolveType(table, type);
  if (target.kind === 'named' && (target.name === 'bool' || target.name === '_Bool')) return truth(value, table);
  if (expression.kind === 'constant') return constant(wrap(expression.value, to));
  if (to.size === 8 || expression.kind === 'unknown') return expression;
  if (from !== null && from.size <= to.size && (from.signed === to.signed || (from.size < to.size && !from.signed))) return expression;
  return narrowed(expression, to);
}

export function narrowed(expression: CExpression, to: IntegerType): CExpression {
  if (expression.kind === 'constant') return constant(wrap(expression.value, to));
  if (to.size === 8 || expression.kind === 'unknown') return expression;
  const low = binary('&', expression, constant(mask(to.size)));
  return to.signed ? signExtended(low, to.size * 8) : low;
}

function truth(value: Value, table: TypeTable): CExpression {
  const { expression } = value;
  if (isFlag(expression)) return expression;
  const type = resolveType(table, value.type);
  if (type.kind === 'named' && (type.name === 'bool' || type.name === '_Bool')) return expression;
  return binary('!=', expression, constant(0n));
}

/** Already 0 or 1. */
function isFlag(expression: CExpression): boolean {
  if (expression.kind === 'unary') return expression.operator === '!';
  return expression.kind === 'binary' && /^(?:u?[<>]=?|[=!]=)$/.test(expression.operator);
}

/** Reads a place at the size of its type. */
export function read(table: TypeTable, from: LocalOrMemory, text: string): Value {
  if (from.kind === 'slot') {
    const size = integerOf(table, from.type)?.size ?? 8;
    if (!from.shared || size === 8) return { expression: { kind: 'local', slot: from.slot }, type: from.type };
    return read(table, { kind: 'memory', address: { kind: 'local-address', slot: from.slot, offset: 0 }, type: from.type, bits: null }, text);
  }
  const resolved = resolveType(table, from.type);
  // An array or function as a value is its address (C11 6.3.2.1).
  if (resolved.kind === 'array') return { expression: from.address, type: { kind: 'pointer', to: resolved.of } };
  if (resolved.kind === 'function') return { expression: from.address, type: from.type };
  const integer = integerOf(table, from.type);
  if (integer === null || from.address.kind === 'unknown') return { expression: unknown(text), type: from.type };
  const load: CExpression = { kind: 'load', address: from.address, size: integer.size, text };
  if (from.bits !== null) {
    const { shift, width } = from.bits;
    const field = binary('&', binary('>>', load, constant(BigInt(shift))), constant((1n << BigInt(width)) - 1n));
    return { expression: integer.signed ? signExtended(field, width) : field, type: from.type };
  }
  return { expression: integer.signed && integer.size < 8 ? signExtended(load, integer.size * 8) : load, type: from.type };
}

/** What a sign extension extends: enough where only zero or not zero counts. */
export function withoutExtension(expression: CExpression): CExpression {
  if (expression.kind !== 'binary' || expression.operator !== '-' || expression.left.kind !== 'binary') return expression;
  const { operator, left, right } = expression.left;
  return operator === '^' && right.kind === 'constant' && expression.right.kind === 'constant' && right.value === expression.right.value ? left : expression;
}

/** Whether evaluating it again later gives the same value whatever memory holds. */
export function isStable(expression: CExpression): boolean {
  switch (expression.kind) {
    case 'constant':
    case 'symbol':
    case 'local-address':
    case 'unknown':
      return true;
    case 'unary':
      return isStable(expression.operand);
    case 'binary':
      return isStable(expression.left) && isStable(expression.right);
    default:
      return false;
  }
}

/** The type that arithmetic on two values has (C11 6.3.1.8), narrowed to int, long and their unsigned kin. */
export function commonType(table: TypeTable, left: CSyntaxType, right: CSyntaxType): CSyntaxType {
  const a = promoted(integerOf(table, left));
  const b = promoted(integerOf(table, right));
  const size = Math.max(a.size, b.size);
  const signed = [a, b].every((one) => one.signed || one.size < size);
  return { kind: 'named', name: `${signed ? '' : 'unsigned '}${size === 8 ? 'long' : 'int'}` };
}

function promoted(type: IntegerType | null): IntegerType {
  if (type === null) return { size: 8, signed: false };
  return type.size < 4 ? { size: 4, signed: true } : type;
}
