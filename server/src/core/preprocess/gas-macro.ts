// Macros of GNU as: the parameter list of `.macro`, the arguments of a use, and the substitution of one into the body.
// Knows no other directive.
import type { Place } from '../base/span.ts';
import type { Names } from './expression.ts';
import { parseExpression } from './expression.ts';
import { endOfString } from './gas-text.ts';
import type { MappedText, Traced, Use } from './text.ts';
import { nestUse, plainText, sameUse, sliceMapped, thinned } from './text.ts';

export interface Parameter {
  readonly name: string;
  readonly kind: 'optional' | 'required' | 'vararg';
  readonly fallback: MappedText | null;
}

/** Stretches of a body statement: text, the argument number `parameter`, or the count of macro uses (`\@`). */
type Part =
  | { readonly kind: 'text'; readonly start: number; readonly end: number }
  | { readonly kind: 'argument'; readonly parameter: number; readonly start: number; readonly end: number }
  | { readonly kind: 'count'; readonly start: number; readonly end: number };

export interface BodyLine {
  readonly text: MappedText;
  /** null where nothing is substituted. */
  readonly parts: readonly Part[] | null;
}

export interface MacroBody {
  readonly parameters: readonly Parameter[];
  readonly lines: readonly BodyLine[];
}

export interface Macro extends MacroBody {
  readonly name: string;
  readonly definition: Place;
  readonly nameSpan: Place;
}

const empty = plainText('');
const namePattern = /[A-Za-z_.][\w.$]*/y;

/** The parameters named in `text[start, ...)`: `a b=1, c:req, d:vararg`. */
export function parseParameters(header: MappedText, start: number): { readonly parameters: Parameter[]; readonly problem: string | null } {
  const parameters: Parameter[] = [];
  const { text } = header;
  let at = skipSeparator(text, start);
  const parenthesised = text[at] === '(';
  if (parenthesised) at = skipSeparator(text, at + 1);
  while (at < text.length && !(parenthesised && text[at] === ')')) {
    namePattern.lastIndex = at;
    const name = namePattern.exec(text)?.[0];
    if (name === undefined) return { parameters, problem: `cannot read parameter at ${text.slice(at, at + 20)}` };
    at = skipBlanks(text, namePattern.lastIndex);
    let kind: Parameter['kind'] = 'optional';
    let fallback: MappedText | null = null;
    if (text[at] === ':') {
      at = skipBlanks(text, at + 1);
      namePattern.lastIndex = at;
      const qualifier = namePattern.exec(text)?.[0] ?? '';
      if (qualifier === 'req') kind = 'required';
      else if (qualifier === 'vararg') kind = 'vararg';
      else return { parameters, problem: `unknown parameter qualifier ${qualifier}` };
      at = skipBlanks(text, namePattern.lastIndex);
    }
    if (text[at] === '=') {
      const value = readArgument(header, skipBlanks(text, at + 1), null);
      fallback = value.value;
      at = value.end;
    }
    parameters.push({ name, kind, fallback });
    at = skipSeparator(text, at);
  }
  return { parameters, problem: null };
}

/** The bodies are prepared once: most of what a kernel assembles comes out of a few macros. */
export function prepareBody(parameters: readonly Parameter[], lines: readonly MappedText[], alternate: boolean): MacroBody {
  const index = new Map(parameters.map((parameter, i) => [parameter.name, i]));
  return { parameters, lines: lines.map((text) => ({ text, parts: partsOf(text.text, index, alternate) })) };
}

function partsOf(text: string, index: ReadonlyMap<string, number>, alternate: boolean): readonly Part[] | null {
  if (!text.includes('\\') && !alternate) return null;
  const parts: Part[] = [];
  let kept = 0;
  let at = 0;
  const put = (part: Part | null, start: number, end: number): void => {
    if (start > kept) parts.push({ kind: 'text', start: kept, end: start });
    if (part !== null) parts.push(part);
    kept = at = end;
  };
  const argument = (parameter: number, start: number, end: number): void => put({ kind: 'argument', parameter, start, end }, start, end);
  while (at < text.length) {
    const c = text[at]!;
    if (c === '\\') {
      const after = text[at + 1];
      namePattern.lastIndex = at + 1;
      const name = namePattern.exec(text)?.[0];
      const parameter = name === undefined ? undefined : index.get(name);
      if (after === '(') {
        const close = text.indexOf(')', at);
        const end = close === -1 ? text.length : close;
        put({ kind: 'text', start: at + 2, end }, at, Math.min(end + 1, text.length));
      } else if (after === '@') put({ kind: 'count', start: at, end: at + 2 }, at, at + 2);
      else if (parameter !== undefined) argument(parameter, at, namePattern.lastIndex + (text[namePattern.lastIndex] === '&' && alternate ? 1 : 0));
      else at += name === undefined ? 2 : 1 + name.length;
    } else if (alternate && c === '"') at = endOfString(text, at);
    else if (alternate) {
      namePattern.lastIndex = at;
      const name = namePattern.exec(text)?.[0];
      const parameter = name === undefined ? undefined : index.get(name);
      if (parameter !== undefined && name !== undefined) argument(parameter, text[at - 1] === '&' ? at - 1 : at, at + name.length + (text[at + name.length] === '&' ? 1 : 0));
      else at += name?.length ?? 1;
    } else {
      const nextBackslash = text.indexOf('\\', at);
      if (nextBackslash === -1) break;
      at = nextBackslash;
    }
  }
  if (parts.length === 0) return null;
  if (kept < text.length) parts.push({ kind: 'text', start: kept, end: text.length });
  return parts;
}

/** One statement of the body with the arguments in it, every part of it marked as come through `use`. */
export function substituteLine(line: BodyLine, args: readonly MappedText[], count: number, use: Use | null, callerUse: Use | null): MappedText {
  const { parts } = line;
  if (parts === null && use === null) return line.text;
  const from = line.text.text;
  let text = from;
  if (parts !== null) {
    text = '';
    for (const part of parts) text += part.kind === 'text' ? from.slice(part.start, part.end) : part.kind === 'count' ? String(count) : (args[part.parameter] ?? empty).text;
  }
  return { text, locate: (start, end) => locateSubstituted(line, args, String(count).length, use, callerUse, start, end) };
}

/** A statement that is all argument was written at the use; any other one in the body, up to its last `\\name`. */
function locateSubstituted(
  line: BodyLine, args: readonly MappedText[], countLength: number, use: Use | null, callerUse: Use | null, start: number, end: number,
): Traced | null {
  const inBody = (from: number, to: number): Traced | null => {
    const traced = line.text.locate(from, to);
    return traced === null ? null : { place: traced.place, use: nestUse(traced.use, use) };
  };
  if (line.parts === null) return inBody(start, end);
  let at = 0;
  let from = -1;
  for (const part of line.parts) {
    const value = part.kind === 'argument' ? (args[part.parameter] ?? empty) : null;
    const length = part.kind === 'text' ? part.end - part.start : (value?.text.length ?? countLength);
    const next = at + length;
    if (from === -1 && start < next) {
      if (end <= next && value !== null) {
        const traced = value.locate(start - at, end - at);
        if (traced !== null) return { place: traced.place, use: sameUse(traced.use, callerUse) ? use : traced.use };
      }
      from = part.kind === 'text' ? part.start + start - at : part.start;
    }
    if (from !== -1 && end <= next) return inBody(from, part.kind === 'text' ? part.start + end - at : part.end);
    at = next;
  }
  return null;
}

export interface BoundArguments {
  readonly values: MappedText[];
  readonly problem: string | null;
}

/** The arguments of a use, blanks already scrubbed, in the order of the parameters. */
export function bindArguments(name: string, parameters: readonly Parameter[], given: MappedText, alternate: Names | null): BoundArguments {
  const values: (MappedText | null)[] = parameters.map(() => null);
  const { text } = given;
  const index = new Map(parameters.map((parameter, i) => [parameter.name, i]));
  let problem: string | null = null;
  let position = 0;
  let at = 0;
  while (at < text.length) {
    keywordPattern.lastIndex = at;
    const keyword = alternate !== null ? undefined : keywordPattern.exec(text)?.[1];
    if (keyword !== undefined) {
      const value = readArgument(given, keywordPattern.lastIndex, alternate);
      const parameter = index.get(keyword);
      if (parameter === undefined) problem ??= `macro ${name} has no parameter ${keyword}`;
      else values[parameter] = value.value;
      at = value.end;
    } else {
      const parameter = parameters[position];
      if (parameter === undefined) {
        problem ??= `too many arguments for macro ${name}`;
        break;
      }
      if (parameter.kind === 'vararg') {
        values[position] = sliceMapped(given, at, text.length);
        break;
      }
      const value = readArgument(given, at, alternate);
      values[position] = value.value;
      position++;
      // An argument that could not be read at all must not be read again.
      at = value.end === at && text[at] !== ',' && text[at] !== ' ' ? at + 1 : value.end;
    }
    at = skipSeparator(text, at);
  }
  const bound = parameters.map((parameter, i): MappedText => {
    const value = values[i] ?? null;
    if (value !== null && value.text !== '') return value;
    if (parameter.kind === 'required') problem ??= `macro ${name} needs a value for ${parameter.name}`;
    return parameter.fallback ?? value ?? empty;
  });
  return { values: bound, problem };
}

const keywordPattern = /([A-Za-z_.$][\w.$]*)=(?!=)/y;

/**
 * One argument: a string without its quotes, or everything up to a comma or a blank outside brackets. `alternate` are the
 * names for `%expression` where the alternate macro syntax is on.
 */
export function readArgument(given: MappedText, start: number, alternate: Names | null): { readonly value: MappedText; readonly end: number } {
  const { text } = given;
  if (text[start] === '"') return quotedArgument(given, start);
  if (alternate !== null && text[start] === '%') {
    const { value, end } = parseExpression(text, start + 1, alternate);
    if (value?.kind === 'number') return { value: plainText(value.value.toString()), end };
  }
  if (alternate !== null && text[start] === '<') {
    let depth = 1;
    let at = start + 1;
    for (; at < text.length; at++) {
      if (text[at] === '<') depth++;
      else if (text[at] === '>' && --depth === 0) break;
    }
    return { value: sliceMapped(given, start + 1, Math.min(at, text.length)), end: Math.min(at + 1, text.length) };
  }
  const brackets: string[] = [];
  let at = start;
  for (; at < text.length; at++) {
    const c = text[at]!;
    if (c === ',' || (brackets.length === 0 && (c === ' ' || c === '\t'))) break;
    if (c === '"' || c === "'") {
      const close = text.indexOf(c, at + 1);
      if (close === -1) {
        at = text.length;
        break;
      }
      at = close;
    } else if (c === '(' || c === '[') brackets.push(c);
    else if ((c === ')' && brackets.at(-1) === '(') || (c === ']' && brackets.at(-1) === '[')) brackets.pop();
  }
  return { value: sliceMapped(given, start, at), end: at };
}

/** Two quotes inside stand for one; neighbouring strings are one argument. */
function quotedArgument(given: MappedText, start: number): { readonly value: MappedText; readonly end: number } {
  const { text } = given;
  const offsets: number[] = [];
  let value = '';
  let at = start;
  while (text[at] === '"') {
    const end = endOfString(text, at);
    const closed = text[end - 1] === '"' && end - 1 > at;
    offsets.push(value.length, at + 1);
    value += text.slice(at + 1, closed ? end - 1 : end);
    at = end;
    if (text[at] === '"') value += '"';
  }
  return { value: thinned(value, given, offsets), end: at };
}

function skipBlanks(text: string, at: number): number {
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

export function skipSeparator(text: string, at: number): number {
  const next = skipBlanks(text, at);
  return text[next] === ',' ? skipBlanks(text, next + 1) : next;
}
