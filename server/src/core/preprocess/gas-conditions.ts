// The `.if` family of GNU as: which condition a directive puts. Knows nothing of nesting.
import { expressionOf, valueOf } from './expression.ts';
import type { Assembly } from './gas-emit.ts';
import { splitArguments } from './operands.ts';

/** null where the operand has no value here. */
export function conditionHolds(assembly: Assembly, name: string, text: string): boolean | null {
  switch (name) {
    case '.ifdef': return isDefined(assembly, text);
    case '.ifndef': case '.ifnotdef': return !isDefined(assembly, text);
    case '.ifb': return text.trim() === '';
    case '.ifnb': return text.trim() !== '';
    case '.ifc': case '.ifeqs': return sameStrings(text);
    case '.ifnc': case '.ifnes': return !sameStrings(text);
    default:
  }
  const value = valueIn(assembly, text);
  if (value === null) return null;
  switch (name) {
    case '.if': case '.ifne': case '.elseif': return value !== 0n;
    case '.ifeq': return value === 0n;
    case '.iflt': return value < 0n;
    case '.ifle': return value <= 0n;
    case '.ifgt': return value > 0n;
    case '.ifge': return value >= 0n;
    default: return null;
  }
}

const settled = new Map<string, bigint | null>();
const SETTLED_CONDITIONS = 2000;
/** A name that is no register: its value may change. */
const namesSymbol = /(?:^|[^%\w])(?:[A-Za-z_.$]|\d+[bf]\b)/;

/** Macros put the same few questions about registers and numbers thousands of times. */
function valueIn(assembly: Assembly, text: string): bigint | null {
  const known = settled.get(text);
  if (known !== undefined) return known;
  const value = valueOf(expressionOf(text, assembly.names));
  if (settled.size < SETTLED_CONDITIONS && text.length < 100 && !namesSymbol.test(text)) settled.set(text, value);
  return value;
}

function isDefined(assembly: Assembly, text: string): boolean {
  const name = text.trim();
  return assembly.symbols.has(name) || assembly.labels.has(name);
}

function sameStrings(text: string): boolean {
  const [left = '', right = ''] = splitArguments(text);
  return unquoted(left) === unquoted(right);
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text.replace(/\s+/g, '');
}

export const conditionalWords = new Set(['.if', '.ifdef', '.ifndef', '.ifnotdef', '.ifb', '.ifnb', '.ifc', '.ifnc', '.ifeqs', '.ifnes', '.ifeq', '.ifne', '.iflt', '.ifle', '.ifgt', '.ifge']);
