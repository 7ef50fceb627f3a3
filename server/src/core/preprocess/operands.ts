// One instruction statement of GNU as in AT&T syntax: prefixes, mnemonic, operands. Knows no mnemonic: what an
// instruction is and does is somebody else's table.
import type { Names } from './expression.ts';
import { expressionOf, noNames } from './expression.ts';
import type { Expression, Operand } from './stream.ts';

export interface ParsedStatement {
  readonly prefixes: readonly string[];
  /** Lower case; empty where the statement is prefixes only. */
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  /** The statement with its blanks normalised: `movq %rsp, %rdi`. */
  readonly text: string;
  /** What could not be read, or null. */
  readonly problem: string | null;
}

const prefixNames = new Set([
  'rep', 'repe', 'repz', 'repne', 'repnz', 'lock', 'data16', 'data32', 'addr16', 'addr32', 'notrack', 'bnd', 'xacquire', 'xrelease',
  'rex', 'rex64', 'rex.w', 'rex.r', 'rex.x', 'rex.b', 'rex.wb', 'rex.wr', 'rex.wx', 'cs', 'ds', 'es', 'fs', 'gs', 'ss',
]);

const wordPattern = /\s*(\{\w+\}|[A-Za-z_.][\w.]*(?:,p[nt])?)/y;

export function parseStatement(text: string, names: Names = noNames): ParsedStatement {
  const prefixes: string[] = [];
  let at = 0;
  let mnemonic = '';
  let shown = '';
  for (;;) {
    wordPattern.lastIndex = at;
    const written = wordPattern.exec(text)?.[1];
    if (written === undefined) break;
    const word = written.toLowerCase();
    at = wordPattern.lastIndex;
    if (word.startsWith('{')) continue;
    if (!prefixNames.has(word)) {
      mnemonic = word;
      shown = written;
      break;
    }
    prefixes.push(word);
  }
  const operands: Operand[] = [];
  const texts: string[] = [];
  let problem: string | null = mnemonic === '' && prefixes.length === 0 ? `cannot read statement ${text.trim().slice(0, 60)}` : null;
  const rest = text.slice(at).trim();
  if (rest !== '') {
    for (const part of splitArguments(rest)) {
      const operand = parseOperand(part, names);
      if (operand === null) {
        problem ??= `cannot read operand ${part.slice(0, 60)}`;
        operands.push({ kind: 'memory', segment: null, displacement: { kind: 'symbol', name: part }, base: null, index: null, scale: 1, indirect: false });
      } else operands.push(operand);
      texts.push(part.replace(/\s+/g, ' '));
    }
  }
  const words = [...prefixes, ...(shown === '' ? [] : [shown])].join(' ');
  return { prefixes, mnemonic, operands, text: texts.length === 0 ? words : `${words} ${texts.join(', ')}`, problem };
}

/** Splits at commas outside parentheses, braces and strings; the parts are trimmed. */
export function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (c === '(' || c === '[') depth++;
    else if (c === ')' || c === ']') depth--;
    else if (c === ',' && depth <= 0) {
      parts.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

const registerPattern = /^%\s*(st\s*\(\s*\d\s*\)|[a-z]\w*)$/i;
const decoration = /\{%?\w+[^{}]*\}\s*$/;

export function parseOperand(written: string, names: Names): Operand | null {
  let text = written.trim();
  while (text.endsWith('}') && decoration.test(text)) text = text.replace(decoration, '').trim();
  let indirect = false;
  if (text.startsWith('*')) {
    indirect = true;
    text = text.slice(1).trim();
  }
  if (text.startsWith('$')) {
    const value = expressionOf(text.slice(1), names);
    return value === null ? null : { kind: 'immediate', value };
  }
  const register = registerName(text, names);
  if (register !== null) return { kind: 'register', name: register, indirect };
  return memoryOperand(text, indirect, names);
}

/** A register, or a symbol that was set to one (`.set STATE, %rdi`). */
function registerName(text: string, names: Names): string | null {
  const found = registerPattern.exec(text);
  if (found !== null) return found[1]!.replace(/\s/g, '').toLowerCase();
  const value = /^[A-Za-z_.][\w.]*$/.test(text) ? names.symbol(text) : null;
  return value?.kind === 'symbol' && value.name.startsWith('%') ? value.name.slice(1).toLowerCase() : null;
}

const segmentPattern = /^%([c-gs]s)\s*:/i;

function memoryOperand(written: string, indirect: boolean, names: Names): Operand | null {
  const segmentFound = segmentPattern.exec(written);
  const segment = segmentFound === null ? null : segmentFound[1]!.toLowerCase();
  const text = segmentFound === null ? written : written.slice(segmentFound[0].length).trim();
  const open = text.endsWith(')') ? openOf(text) : -1;
  const inner = open === -1 ? '' : text.slice(open + 1, -1).trim();
  const comma = inner.indexOf(',');
  const first = comma === -1 ? inner : inner.slice(0, comma).trim();
  if (!inner.startsWith('%') && comma !== 0 && registerName(first, names) === null) {
    const displacement = expressionOf(text, names);
    return displacement === null ? null : { kind: 'memory', segment, displacement, base: null, index: null, scale: 1, indirect };
  }
  const [baseText = '', indexText = '', scaleText = ''] = inner.split(',').map((part) => part.trim());
  const base = baseText === '' ? null : registerName(baseText, names);
  const index = indexText === '' || /^\d/.test(indexText) ? null : registerName(indexText, names);
  if ((baseText !== '' && base === null) || (indexText !== '' && index === null && !/^\d/.test(indexText))) return null;
  const scaleValue = scaleText === '' ? 1 : scaleOf(expressionOf(scaleText, names));
  if (scaleValue === null) return null;
  const displacementText = text.slice(0, open).trim();
  const displacement = displacementText === '' ? null : expressionOf(displacementText, names);
  if (displacementText !== '' && displacement === null) return null;
  return { kind: 'memory', segment, displacement, base, index, scale: scaleValue, indirect };
}

function scaleOf(expression: Expression | null): 1 | 2 | 4 | 8 | null {
  const value = expression?.kind === 'number' ? Number(expression.value) : 0;
  return value === 1 || value === 2 || value === 4 || value === 8 ? value : null;
}

/** The parenthesis that the last character closes. */
function openOf(text: string): number {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    if (text[i] === ')') depth++;
    else if (text[i] === '(' && --depth === 0) return i;
  }
  return -1;
}
