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
  let lineStart = true;
  for (let at = 0; at < text.length; ) {
    const character = text[at];
    if (character === '#' && lineStart) {
      const end = directiveEnd(text, at);
      const before = isActive(stack);
      readDirective(normalised(withoutComments(text.slice(at + 1, end))), { start: at, end });
      if (before && isActive(stack)) out.replace(at, end, '');
      else if (before) inactiveFrom = at;
      else if (isActive(stack)) out.replace(inactiveFrom, end, '');
      at = end;
      continue;
    }
    const behind = skipOpaque(text, at);
    if (behind > at) {
      at = behind;
      continue;
    }
    if (character === '\n') lineStart = true;
    else if (character !== ' ' && character !== '\t' && character !== '\r') lineStart = false;
    at++;
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
