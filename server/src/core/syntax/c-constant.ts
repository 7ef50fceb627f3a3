// Integer constant expressions as text: what `#if` and the bodies of macros hold. Evaluates; declares nothing.
import { isWordStart } from './c-text.ts';

export interface CMacroDefinition {
  readonly name: string;
  /** null for an object-like macro. */
  readonly parameters: readonly string[] | null;
  readonly body: string;
}

export interface ConstantScope {
  readonly macro: (name: string) => CMacroDefinition | null;
  /** Value of a name that is no macro; null where it has none. */
  readonly value: (name: string) => bigint | null;
}

/** What `#if` takes a name without a definition for (C11 6.10.1, "Conditional inclusion"). */
export function directiveScope(macro: (name: string) => CMacroDefinition | null): ConstantScope {
  return { macro, value: () => 0n };
}

/** Macros that only pass their argument on, or shift a bit; they are understood without their headers. */
const wrappers: ReadonlyMap<string, (values: readonly bigint[]) => bigint | null> = new Map([
  ...['_AC', '_UL', '_ULL', 'UL', 'ULL', '_AT', '__force', 'INT64_C'].map((name) => [name, (values: readonly bigint[]) => values[0] ?? null] as const),
  ...['BIT', 'BIT_ULL', '_BITUL', '_BITULL', 'BITUL'].map((name) => [name, ([bit]: readonly bigint[]) => (bit === undefined ? null : 1n << bit)] as const),
  ['GENMASK', genmask],
  ['GENMASK_ULL', genmask],
]);

function genmask([high, low]: readonly bigint[]): bigint | null {
  return high === undefined || low === undefined || high < low ? null : ((1n << (high - low + 1n)) - 1n) << low;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  readonly scope: ConstantScope;
  readonly depth: number;
  /** Also a token that no reading covers. */
  failed: boolean;
}

/** Value of an expression, or null where it is none or depends on a name without a value. */
export function evaluateConstantText(text: string, scope: ConstantScope, depth = 0): bigint | null {
  if (depth > 24) return null;
  const tokens = tokensOf(text);
  if (tokens === null || tokens.length === 0) return null;
  const reader: Reader = { tokens, at: 0, scope, depth, failed: false };
  const value = readConditional(reader);
  return reader.failed || reader.at < tokens.length ? null : value;
}

const token = /\s+|\/\*[^]*?\*\/|\/\/.*|(0[xX][\da-fA-F]+|0[bB][01]+|\d+)[uUlL]*|'(?:[^'\\]|\\.)+'|[A-Za-z_$][\w$]*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>()?:,]/y;

function tokensOf(text: string): readonly string[] | null {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return null;
    if (!/^(?:\s|\/[/*])/.test(match[0])) tokens.push(match[1] ?? match[0]);
  }
  return tokens;
}

function accept(reader: Reader, text: string): boolean {
  if (reader.tokens[reader.at] !== text) return false;
  reader.at++;
  return true;
}

function fail(reader: Reader): bigint {
  reader.failed = true;
  return 0n;
}

function readConditional(reader: Reader): bigint {
  const condition = readBinary(reader, 0);
  if (!accept(reader, '?')) return condition;
  const then = readConditional(reader);
  if (!accept(reader, ':')) return fail(reader);
  const otherwise = readConditional(reader);
  return condition !== 0n ? then : otherwise;
}

const levels: readonly (readonly string[])[] = [
  ['||'], ['&&'], ['|'], ['^'], ['&'], ['==', '!='], ['<', '>', '<=', '>='], ['<<', '>>'], ['+', '-'], ['*', '/', '%'],
];

function readBinary(reader: Reader, level: number): bigint {
  const operators = levels[level];
  if (operators === undefined) return readUnary(reader);
  let left = readBinary(reader, level + 1);
  for (;;) {
    const operator = reader.tokens[reader.at];
    if (operator === undefined || !operators.includes(operator)) return left;
    reader.at++;
    // `defined(X) && X > 3` must not fail for an X without value on the side that does not count.
    const decided = (operator === '&&' && left === 0n) || (operator === '||' && left !== 0n);
    const failedBefore = reader.failed;
    const right = readBinary(reader, level + 1);
    if (decided) reader.failed = failedBefore;
    const value = binaryValue(operator, left, right);
    left = value ?? fail(reader);
  }
}

/** null for a division by zero, a shift out of range or an operator that is none. */
export function binaryValue(operator: string, left: bigint, right: bigint): bigint | null {
  switch (operator) {
    case '||': return left !== 0n || right !== 0n ? 1n : 0n;
    case '&&': return left !== 0n && right !== 0n ? 1n : 0n;
    case '|': return left | right;
    case '^': return left ^ right;
    case '&': return left & right;
    case '==': return left === right ? 1n : 0n;
    case '!=': return left === right ? 0n : 1n;
    case '<': return left < right ? 1n : 0n;
    case '>': return left > right ? 1n : 0n;
    case '<=': return left <= right ? 1n : 0n;
    case '>=': return left >= right ? 1n : 0n;
    case '<<': return right < 0n || right > 127n ? null : left << right;
    case '>>': return right < 0n || right > 127n ? null : left >> right;
    case '+': return left + right;
    case '-': return left - right;
    case '*': return left * right;
    case '/': return right === 0n ? null : left / right;
    case '%': return right === 0n ? null : left % right;
    default: return null;
  }
}

const typeWords = /^(?:unsigned|signed|long|int|short|char|[us](?:8|16|32|64)|__[us](?:8|16|32|64)|u?int(?:8|16|32|64)_t|size_t|pteval_t|phys_addr_t|bool)$/;

function readUnary(reader: Reader): bigint {
  const next = reader.tokens[reader.at];
  if (next === undefined) return fail(reader);
  reader.at++;
  if (next === '-') return -readUnary(reader);
  if (next === '+') return readUnary(reader);
  if (next === '~') return ~readUnary(reader);
  if (next === '!') return readUnary(reader) === 0n ? 1n : 0n;
  if (next === '(') {
    if (typeWords.test(reader.tokens[reader.at] ?? '')) {
      while (typeWords.test(reader.tokens[reader.at] ?? '')) reader.at++;
      return accept(reader, ')') ? readUnary(reader) : fail(reader);
    }
    const value = readConditional(reader);
    return accept(reader, ')') ? value : fail(reader);
  }
  if (/^\d/.test(next)) return BigInt(/^0\d+$/.test(next) ? `0o${next.slice(1)}` : next);
  if (next.startsWith("'")) return characterValue(next);
  return isWordStart(next) ? readName(reader, next) : fail(reader);
}

/** Value of a character literal with its quotes. */
export function characterValue(written: string): bigint {
  const inside = written.replace(/^L?'|'$/g, '');
  const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, '0': 0, a: 7, b: 8, f: 12, v: 11 };
  if (!inside.startsWith('\\')) return BigInt(inside.codePointAt(0) ?? 0);
  if (inside.startsWith('\\x')) return BigInt(Number.parseInt(inside.slice(2), 16) || 0);
  return BigInt(escapes[inside.charAt(1)] ?? inside.charCodeAt(1));
}

function readName(reader: Reader, name: string): bigint {
  const { scope } = reader;
  if (name === 'defined') {
    const bracket = accept(reader, '(');
    const what = reader.tokens[reader.at++];
    if (bracket && !accept(reader, ')')) return fail(reader);
    return what !== undefined && scope.macro(what) !== null ? 1n : 0n;
  }
  if (/^IS_(?:ENABLED|BUILTIN|REACHABLE|MODULE)$/.test(name) && accept(reader, '(')) {
    const what = reader.tokens[reader.at++] ?? '';
    if (!accept(reader, ')')) return fail(reader);
    return optionValue(what, scope);
  }
  const parameters = readArguments(reader);
  const macro = scope.macro(name);
  if (parameters !== null && wrappers.has(name)) {
    const values = parameters.map((one) => evaluateConstantText(one, scope, reader.depth + 1));
    return wrappers.get(name)?.(values.flatMap((value) => (value === null ? [] : [value]))) ?? fail(reader);
  }
  if (macro !== null) return macroValue(reader, macro, parameters) ?? fail(reader);
  if (parameters !== null) return name.startsWith('__has_') ? 0n : fail(reader);
  return scope.value(name) ?? fail(reader);
}

/** `IS_ENABLED(CONFIG_X)`: 1 where the option is `y` or `m`. */
export function optionValue(option: string, scope: ConstantScope): bigint {
  return [option, `${option}_MODULE`].some((name) => scope.macro(name)?.body.trim() === '1') ? 1n : 0n;
}

function macroValue(reader: Reader, macro: CMacroDefinition, given: readonly string[] | null): bigint | null {
  if (macro.parameters === null) {
    if (given !== null) return null;
    return evaluateConstantText(macro.body, reader.scope, reader.depth + 1);
  }
  if (given === null) return null;
  return evaluateConstantText(substitute(macro, given), reader.scope, reader.depth + 1);
}

/** The body of a function-like macro with its arguments in place; `##` joins. */
export function substitute(macro: CMacroDefinition, given: readonly string[]): string {
  const names = macro.parameters ?? [];
  return macro.body
    .replace(/[A-Za-z_$][\w$]*/g, (word) => {
      const index = names.indexOf(word);
      return index === -1 ? word : (given[index] ?? '');
    })
    .replace(/\s*##\s*/g, '');
}

/** The arguments of a call as text, or null where no `(` follows. */
function readArguments(reader: Reader): readonly string[] | null {
  if (!accept(reader, '(')) return null;
  const parameters: string[] = [];
  let depth = 0;
  let text = '';
  for (;;) {
    const next = reader.tokens[reader.at++];
    if (next === undefined) {
      reader.failed = true;
      return parameters;
    }
    if (next === ')' && depth === 0) return [...parameters, text];
    if (next === ',' && depth === 0) {
      parameters.push(text);
      text = '';
      continue;
    }
    if (next === '(') depth++;
    if (next === ')') depth--;
    text += ` ${next}`;
  }
}
