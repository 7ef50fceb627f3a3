// Expressions of GNU as: operator precedence and 64-bit arithmetic of its manual ("Infix Operators"). What has a value
// is folded, what has none stays symbolic. Knows nothing of statements.
import { unreachable } from '../base/unreachable.ts';
import type { Expression } from './stream.ts';

/** What names stand for at the place of the expression. */
export interface Names {
  /** Unique name of the numeric label `number` before ('b') or behind ('f') this place. */
  readonly local: (number: string, direction: 'b' | 'f') => string;
  /** Value of a symbol that was set, or null where it stays a symbol. */
  readonly symbol: (name: string) => Expression | null;
}

export const noNames: Names = { local: (number, direction) => number + direction, symbol: () => null };

export interface ParsedExpression {
  /** null where no expression stands here. */
  readonly value: Expression | null;
  /** Offset behind it. */
  readonly end: number;
}

interface State {
  readonly text: string;
  at: number;
  depth: number;
  operators: number;
  readonly names: Names;
}

const MAX_DEPTH = 200;
/** Longer sums are refused, so that whoever walks an expression may recurse. */
const MAX_OPERATORS = 2000;

export function parseExpression(text: string, at: number, names: Names): ParsedExpression {
  const state: State = { text, at, depth: 0, operators: 0, names };
  const value = binary(state, 1);
  return { value, end: state.at };
}

/** The whole text as one expression, or null. */
export function expressionOf(text: string, names: Names): Expression | null {
  const { value, end } = parseExpression(text, 0, names);
  return value !== null && text.slice(end).trim() === '' ? value : null;
}

/** The value of a folded expression, or null where a symbol is left in it. */
export function valueOf(expression: Expression | null): bigint | null {
  return expression !== null && expression.kind === 'number' ? expression.value : null;
}

// Addition binds tighter than comparison in the assembler itself, against the table in its manual.
const ranks: ReadonlyMap<string, number> = new Map([
  ['||', 1], ['&&', 2], ['==', 3], ['=', 3], ['<>', 3], ['!=', 3], ['<', 3], ['>', 3], ['<=', 3], ['>=', 3],
  ['+', 4], ['-', 4], ['|', 5], ['&', 5], ['^', 5], ['!', 5], ['*', 6], ['/', 6], ['%', 6], ['<<', 6], ['>>', 6],
]);
const operatorPattern = /\s*(\|\||&&|==|<>|!=|<=|>=|<<|>>|[-+|&^!*/%<>=])/y;
const primaryPattern = /\s*(?:(\d+)([bf])(?![\w.$])|(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)|(%?[A-Za-z_.$][\w.$]*(?:@[\w@]+)?)|'(\\.|[^])'?|([-~!+])|(\()|"([^"]*)")/y;

function binary(state: State, rank: number): Expression | null {
  let left = primary(state);
  while (left !== null) {
    operatorPattern.lastIndex = state.at;
    const operator = operatorPattern.exec(state.text)?.[1];
    const found = operator === undefined ? undefined : ranks.get(operator);
    if (operator === undefined || found === undefined || found < rank) return left;
    if (++state.operators > MAX_OPERATORS) return null;
    const back = state.at;
    state.at = operatorPattern.lastIndex;
    const right = binary(state, found + 1);
    if (right === null) {
      state.at = back;
      return left;
    }
    left = combine(operator === '=' ? '==' : operator === '<>' ? '!=' : operator, left, right);
  }
  return left;
}

function primary(state: State): Expression | null {
  primaryPattern.lastIndex = state.at;
  const found = primaryPattern.exec(state.text);
  if (found === null || state.depth >= MAX_DEPTH) return null;
  state.at = primaryPattern.lastIndex;
  const [, local, direction, number, name, character, sign, open, quoted] = found;
  if (local !== undefined) return { kind: 'symbol', name: state.names.local(local, direction === 'b' ? 'b' : 'f') };
  if (number !== undefined) {
    if (/^0\d/.test(number)) return /[89]/.test(number) ? null : numberOf(BigInt(`0o${number}`));
    return numberOf(BigInt(number));
  }
  if (name === '.') return { kind: 'here' };
  if (name !== undefined) return state.names.symbol(name) ?? { kind: 'symbol', name };
  if (quoted !== undefined) return { kind: 'symbol', name: quoted };
  if (character !== undefined) return numberOf(BigInt(escapes[character] ?? (character.length === 1 ? character : character[1]!).charCodeAt(0)));
  state.depth++;
  let value: Expression | null = null;
  if (open !== undefined) {
    value = binary(state, 1);
    closing.lastIndex = state.at;
    if (value !== null && closing.test(state.text)) state.at = closing.lastIndex;
    else value = null;
  } else if (sign !== undefined) {
    const operand = primary(state);
    if (operand !== null) value = sign === '+' ? operand : negate(sign === '-' ? '-' : sign === '~' ? '~' : '!', operand);
  }
  state.depth--;
  if (value === null) state.at = found.index;
  return value;
}

const closing = /\s*\)/y;
const escapes: Readonly<Record<string, number>> = { '\\n': 10, '\\t': 9, '\\r': 13, '\\b': 8, '\\f': 12 };

export function numberOf(value: bigint): Expression {
  return { kind: 'number', value: BigInt.asIntN(64, value) };
}

function negate(operator: '-' | '~' | '!', operand: Expression): Expression {
  if (operand.kind !== 'number') return { kind: 'unary', operator, operand };
  if (operator === '-') return numberOf(-operand.value);
  if (operator === '~') return numberOf(~operand.value);
  return numberOf(operand.value === 0n ? 1n : 0n);
}

/** Comparisons give -1 where they hold, as in the assembler. */
function combine(operator: string, left: Expression, right: Expression): Expression {
  if (left.kind === 'number' && right.kind === 'number') {
    const value = apply(operator, left.value, right.value);
    if (value !== null) return numberOf(value);
  }
  if (left.kind === 'symbol' && right.kind === 'symbol') {
    const registers = left.name.startsWith('%') && right.name.startsWith('%');
    const same = left.name === right.name;
    if ((operator === '==' || operator === '!=') && (same || registers)) return numberOf((operator === '==') === same ? -1n : 0n);
    if (operator === '-' && same) return numberOf(0n);
  }
  if (right.kind === 'number' && (operator === '+' || operator === '-')) return offset(left, operator === '+' ? right.value : -right.value);
  if (left.kind === 'number' && operator === '+') return offset(right, left.value);
  return { kind: 'binary', operator, left, right };
}

/** `symbol + n` with one constant at its end, whatever the order it was written in. */
function offset(base: Expression, by: bigint): Expression {
  if (base.kind === 'binary' && base.operator === '+' && base.right.kind === 'number') return offset(base.left, base.right.value + by);
  if (base.kind === 'binary' && base.operator === '-' && base.right.kind === 'number') return offset(base.left, by - base.right.value);
  if (by === 0n) return base;
  return { kind: 'binary', operator: by < 0n ? '-' : '+', left: base, right: numberOf(by < 0n ? -by : by) };
}

function apply(operator: string, a: bigint, b: bigint): bigint | null {
  const truth = (holds: boolean): bigint => (holds ? -1n : 0n);
  switch (operator) {
    case '||': return a !== 0n || b !== 0n ? 1n : 0n;
    case '&&': return a !== 0n && b !== 0n ? 1n : 0n;
    case '==': return truth(a === b);
    case '!=': return truth(a !== b);
    case '<': return truth(a < b);
    case '>': return truth(a > b);
    case '<=': return truth(a <= b);
    case '>=': return truth(a >= b);
    case '+': return a + b;
    case '-': return a - b;
    case '|': return a | b;
    case '&': return a & b;
    case '^': return a ^ b;
    case '!': return a | ~b;
    case '*': return a * b;
    case '/': return b === 0n ? null : a / b;
    case '%': return b === 0n ? null : a % b;
    case '<<': return b < 0n || b > 63n ? 0n : a << b;
    case '>>': return b < 0n || b > 63n ? 0n : BigInt.asUintN(64, a) >> b;
    default: return null;
  }
}

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'number': return expression.value.toString();
    case 'symbol': return expression.name;
    case 'here': return '.';
    case 'unary': return expression.operator + nested(expression.operand);
    case 'binary': return `${nested(expression.left)} ${expression.operator} ${nested(expression.right)}`;
    default: return unreachable(expression);
  }
}

function nested(expression: Expression): string {
  return expression.kind === 'binary' ? `(${printExpression(expression)})` : printExpression(expression);
}
