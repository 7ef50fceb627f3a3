// Where a quick fix may cut and insert: lines, statements and the comment block above a function.
import type { Span } from '../base/span.ts';

/** The whole line or lines that a span lies in, the last line break included. */
export function linesAround(text: string, span: Span): Span {
  const start = text.lastIndexOf('\n', span.start - 1) + 1;
  const newline = text.indexOf('\n', Math.max(span.start, span.end - 1));
  return { start, end: newline === -1 ? text.length : newline + 1 };
}

export function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** The statement of C that begins at an offset: to its `;`, or to the brace that closes it. */
export function statementAt(text: string, offset: number): Span {
  let depth = 0;
  for (let at = offset; at < text.length; at += 1) {
    const character = text[at];
    if (character === '(' || character === '{' || character === '[') depth += 1;
    else if (character === ')' || character === ']') depth -= 1;
    else if (character === '}') {
      depth -= 1;
      if (depth <= 0) return { start: offset, end: depth === 0 ? at + 1 : at };
    } else if (character === ';' && depth <= 0) return { start: offset, end: at + 1 };
  }
  return { start: offset, end: text.length };
}

/** The statement of C around an offset, by the `;` or brace before it. */
export function statementAround(text: string, offset: number): Span {
  let start = offset;
  while (start > 0 && !/[;{}]/.test(text[start - 1] ?? '')) start -= 1;
  while (start < offset && /\s/.test(text[start] ?? '')) start += 1;
  return statementAt(text, start);
}

/** Start of the comment block that stands directly above an offset, or of its line. */
export function aboveComment(text: string, offset: number): number {
  const line = text.lastIndexOf('\n', offset - 1) + 1;
  const before = text.slice(0, line).trimEnd();
  if (!before.endsWith('*/') || /\n\s*\n/.test(text.slice(before.length, line))) return line;
  const open = before.lastIndexOf('/*');
  return open === -1 ? line : text.lastIndexOf('\n', open) + 1;
}

export function cut(text: string, span: Span): string {
  return text.slice(span.start, span.end);
}

/** Text that, inserted behind a directive, adds another one to its comment. */
export function addDirective(text: string, directive: Span, added: string): string {
  const start = text.lastIndexOf('\n', directive.start - 1) + 1;
  const lead = text.slice(start, directive.start);
  if (/^\s*\*\s*$/.test(lead)) return `\n${lead}${added}`;
  if (/\/\*+\s*$/.test(lead)) return ` */\n${lead}${added}`;
  return `\n${lead}${added}`;
}
