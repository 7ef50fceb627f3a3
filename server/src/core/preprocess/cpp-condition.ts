// Constant expressions of `#if`, in the 64-bit arithmetic of the C preprocessor. Knows nothing of macros: its tokens are
// already expanded and `defined` is already answered.
import type { Token } from './lex.ts';

interface Value {
  readonly value: bigint;
  readonly unsigned: boolean;
}

/** null where the tokens are no constant expression: a division by zero, a string, a missing operand. */
export function evaluateTokens(tokens: readonly Token[]): bigint | null {
  const state = { tokens, at: 0, depth: 0 };
  const value = ternary(state);
  return value === null || state.at !== tokens.length ? null : value.value;
}

interface State {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

const MAX_DEPTH = 250;
const ranks: ReadonlyMap<string, number> = new Map([
  ['||', 1], ['&&', 2], ['|', 3], ['^', 4], ['&', 5], ['==', 6], ['!=', 6], ['<', 7], ['>', 7], ['<=', 7], ['>=', 7],
  ['<<', 8], ['>>', 8], ['+', 9], ['-', 9], ['*', 10], ['/', 10], ['%', 10],
]);

function ternary(state: State): Value | null {
  if (++state.depth > MAX_DEPTH) return null;
  const condition = binary(state, 1);
  if (condition === null || state.tokens[state.at]?.text !== '?') {
    state.depth--;
    return condition;
  }
  state.at++;
  const yes = ternary(state);
  if (state.tokens[state.at]?.text !== ':') return null;
  state.at++;
  const no = ternary(state);
  state.depth--;
  return condition.value !== 0n ? yes : no;
}

function binary(state: State, rank: number): Value | null {
  let left = unary(state);
  for (;;) {
    const operator = state.tokens[state.at]?.text ?? '';
    const found = ranks.get(operator);
    if (found === undefined || found < rank) return left;
    state.at++;
    const right = binary(state, found + 1);
    // An operand that C does not evaluate may be nonsense: `defined(X) && X(1)`.
    if (operator === '&&' && left !== null && left.value === 0n) left = { value: 0n, unsigned: false };
    else if (operator === '||' && left !== null && left.value !== 0n) left = { value: 1n, unsigned: false };
    else left = left === null || right === null ? null : apply(operator, left, right);
    if (left === null) return null;
  }
}

function wrap(value: bigint, unsigned: boolean): Value {
  return { value: unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value), unsigned };
}

function apply(operator: string, left: Value, right: Value): Value | null {
  const unsigned = left.unsigned || right.unsigned;
  const a = wrap(left.value, unsigned).value;
  const b = wrap(right.value, unsigned).value;
  const truth = (holds: boolean): Value => ({ value: holds ? 1n : 0n, unsigned: false });
  const shift = BigInt.asUintN(64, right.value) > 63n ? 64n : BigInt.asUintN(64, right.value);
  switch (operator) {
    case '||': return truth(a !== 0n || b !== 0n);
    case '&&': return truth(a !== 0n && b !== 0n);
    case '|': return wrap(a | b, unsigned);
    case '^': return wrap(a ^ b, unsigned);
    case '&': return wrap(a & b, unsigned);
    case '==': return truth(a === b);
    case '!=': return truth(a !== b);
    case '<': return truth(a < b);
    case '>': return truth(a > b);
    case '<=': return truth(a <= b);
    case '>=': return truth(a >= b);
    case '<<': return wrap(left.value << shift, left.unsigned);
    case '>>': return wrap(left.value >> shift, left.unsigned);
    case '+': return wrap(a + b, unsigned);
    case '-': return wrap(a - b, unsigned);
    case '*': return wrap(a * b, unsigned);
    case '/': return b === 0n ? null : wrap(a / b, unsigned);
    case '%': return b === 0n ? null : wrap(a % b, unsigned);
    default: return null;
  }
}

function unary(state: State): Value | null {
  const token = state.tokens[state.at];
  if (token === undefined || ++state.depth > MAX_DEPTH) return null;
  state.at++;
  let value: Value | null = null;
  if (token.text === '(') {
    value = ternary(state);
    if (state.tokens[state.at]?.text !== ')') return null;
    state.at++;
  } else if (token.text === '!' || token.text === '-' || token.text === '~' || token.text === '+') {
    const operand = unary(state);
    if (operand === null) return null;
    if (token.text === '!') value = { value: operand.value === 0n ? 1n : 0n, unsigned: false };
    else if (token.text === '-') value = wrap(-operand.value, operand.unsigned);
    else if (token.text === '~') value = wrap(~operand.value, operand.unsigned);
    else value = operand;
  } else if (token.kind === 'number') value = numberOf(token.text);
  else if (token.kind === 'identifier') {
    value = { value: 0n, unsigned: false };
    // A call of something that is no macro is an error to C; it counts as 0, with its arguments passed over.
    if (state.tokens[state.at]?.text === '(') passOver(state);
  } else if (token.text.startsWith("'")) value = characterOf(token.text);
  state.depth--;
  return value;
}

function passOver(state: State): void {
  let depth = 0;
  for (; state.at < state.tokens.length; state.at++) {
    const text = state.tokens[state.at]!.text;
    if (text === '(') depth++;
    else if (text === ')' && --depth === 0) {
      state.at++;
      return;
    }
  }
}

function characterOf(text: string): Value | null {
  const escaped: Record<string, number> = { n: 10, t: 9, r: 13, '0': 0, '\\': 92, "'": 39, '"': 34 };
  if (text[1] !== '\\') return { value: BigInt(text.charCodeAt(1)), unsigned: false };
  const code = escaped[text[2] ?? ''];
  return code === undefined ? null : { value: BigInt(code), unsigned: false };
}

/** The value of a C integer literal, or null. */
export function numberOf(text: string): Value | null {
  const found = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlL]*)$/.exec(text);
  if (found === null) return null;
  const digits = found[1]!;
  let value: bigint;
  if (/^0[0-9]+$/.test(digits)) {
    if (/[89]/.test(digits)) return null;
    value = BigInt(`0o${digits.slice(1)}`);
  } else value = BigInt(digits);
  const unsigned = /[uU]/.test(found[2]!) || value > 0x7fffffffffffffffn;
  return wrap(value, unsigned);
}
