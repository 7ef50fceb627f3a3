// The preprocessor's part of a C file: directives followed and blanked, text left out by `#if` blanked, so that what
// remains is C at unchanged offsets. Macro uses are not expanded here.
import type { Span } from '../base/span.ts';
import { directiveScope, evaluateConstantText } from './c-constant.ts';
import type { CMacroDefinition } from './c-constant.ts';
import { lineEnd, normalised, overwriting, skipOpaque } from './c-text.ts';

/** Macros as they stand at one point of the text. The caller owns the map; `#define` and `#undef` change it. */
export type MacroTable = Map<string, CMacroDefinition>;

export interface CInclude {
  readonly name: string;
  /** `"..."` rather than `<...>`. */
  readonly quoted: boolean;
  readonly span: Span;
}

export interface DirectiveEvents {
  readonly include: (include: CInclude) => void;
  readonly problem: (span: Span, message: string) => void;
}

interface Conditional {
  /** Whether the text around the conditional counts. */
  readonly outer: boolean;
  active: boolean;
  taken: boolean;
  readonly span: Span;
}

/** The text with directives and inactive parts blanked. */
export function activeText(text: string, macros: MacroTable, events: DirectiveEvents): string {
  const out = overwriting(text);
  const stack: Conditional[] = [];
  const scope = directiveScope((name) => macros.get(name) ?? null);
  let inactiveFrom = -1;
  for (const { line, span } of directivesIn(text)) {
    const before = isActive(stack);
    readDirective(line, span);
    if (before && isActive(stack)) out.replace(span.start, span.end, '');
    else if (before) inactiveFrom = span.start;
    else if (isActive(stack)) out.replace(inactiveFrom, span.end, '');
  }
  const open = stack.at(-1);
  if (open !== undefined) events.problem(open.span, 'this conditional is not closed');
  if (!isActive(stack)) out.replace(inactiveFrom, text.length, '');
  return out.result();

  function readDirective(line: string, span: Span): void {
    const [, word = '', rest = ''] = /^\s*(\w*)\s*(.*)$/.exec(line) ?? [];
    const active = isActive(stack);
    switch (word) {
      case 'if': return push(active && condition(rest, span), span);
      case 'ifdef': return push(active && macros.has(rest.trim()), span);
      case 'ifndef': return push(active && !macros.has(rest.trim()), span);
      case 'elif':
      case 'elifdef':
      case 'else': {
        const top = stack.at(-1);
        if (top === undefined) return events.problem(span, `#${word} without #if`);
        const holds = top.outer && !top.taken && (word === 'else' || (word === 'elif' ? condition(rest, span) : macros.has(rest.trim())));
        top.active = holds;
        top.taken ||= holds;
        return;
      }
      case 'endif':
        if (stack.pop() === undefined) events.problem(span, '#endif without #if');
        return;
      case 'define': {
        const macro = active ? definitionOf(rest) : null;
        if (macro !== null) macros.set(macro.name, macro);
        return;
      }
      case 'undef':
        if (active) macros.delete(rest.trim());
        return;
      case 'include': {
        const [, open, name] = /^(["<])([^">]*)[">]/.exec(rest) ?? [];
        if (active && name !== undefined) events.include({ name, quoted: open === '"', span });
        return;
      }
      default:
        return;
    }
  }

  function push(holds: boolean, span: Span): void {
    stack.push({ outer: isActive(stack), active: holds, taken: holds, span });
  }

  function condition(rest: string, span: Span): boolean {
    const value = evaluateConstantText(rest, scope);
    if (value === null) events.problem(span, 'cannot evaluate this condition; its text is left out');
    return value !== null && value !== 0n;
  }
}

interface DirectiveLine {
  /** Behind the `#`, comments left out and blanks normalised. */
  readonly line: string;
  readonly span: Span;
}

/** Of texts read before: configurations differ in what directives decide, not in where they stand. */
const keptDirectives = new Map<string, readonly DirectiveLine[]>();
const MOST_TEXTS = 400;

function directivesIn(text: string): readonly DirectiveLine[] {
  const known = keptDirectives.get(text);
  if (known !== undefined) return known;
  const found: DirectiveLine[] = [];
  for (let at = 0; ; ) {
    interesting.lastIndex = at;
    const match = interesting.exec(text);
    if (match === null) break;
    const start = match.index;
    at = Math.max(start + 1, skipOpaque(text, start));
    if (match[0] !== '#' || !startsLine(text, start)) continue;
    at = directiveEnd(text, start);
    found.push({ line: normalised(withoutComments(text.slice(start + 1, at))), span: { start, end: at } });
  }
  keptDirectives.set(text, found);
  if (keptDirectives.size > MOST_TEXTS) for (const oldest of keptDirectives.keys()) {
    keptDirectives.delete(oldest);
    break;
  }
  return found;
}

const interesting = /\/[/*]|["'#]/g;

/** Whether nothing but blanks and comments stands before an offset on its line. */
function startsLine(text: string, offset: number): boolean {
  let at = offset - 1;
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at--;
    if (text[at] !== '/' || text[at - 1] !== '*') return at < 0 || text[at] === '\n';
    at = text.lastIndexOf('/*', at - 2) - 1;
  }
}

function isActive(stack: readonly Conditional[]): boolean {
  const top = stack.at(-1);
  return top === undefined || (top.outer && top.active);
}

/** A comment that starts on the directive's line may go on behind it. */
function directiveEnd(text: string, start: number): number {
  let end = lineEnd(text, start);
  for (let at = start; at < end; ) {
    const behind = text[at] === '/' ? skipOpaque(text, at) : at;
    if (behind > end) end = lineEnd(text, behind);
    at = behind > at ? behind : at + 1;
  }
  return end;
}

function withoutComments(line: string): string {
  return line.includes('/') ? line.replace(/"(?:[^"\\]|\\.)*"|\/\*[^]*?\*\/|\/\/[^\n]*/g, (match) => (match.startsWith('"') ? match : ' ')) : line;
}

/** `NAME`, `NAME body` or `NAME(a, b) body`. */
export function definitionOf(rest: string): CMacroDefinition | null {
  const match = /^([A-Za-z_$][\w$]*)(\(([^)]*)\))?\s*(.*)$/.exec(rest);
  if (match === null) return null;
  const [, name = '', brackets, list = '', body = ''] = match;
  const parameters = brackets === undefined ? null : list.split(',').map((one) => one.trim()).filter((one) => one !== '');
  return { name, parameters, body };
}
