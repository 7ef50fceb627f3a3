// C text below the level of a grammar: comments and literals skipped, words found, parentheses matched, characters
// overwritten without moving any other. Knows no keyword.
import type { Span } from '../base/span.ts';

export interface CComment {
  readonly span: Span;
  /** With its `//` or `/*`. */
  readonly text: string;
}

/** All comments, those in text that `#if` leaves out included. */
export function cComments(text: string): readonly CComment[] {
  const comments: CComment[] = [];
  for (let at = 0; at < text.length; ) {
    const next = skipOpaque(text, at);
    if (next > at && text[at] === '/') comments.push({ span: { start: at, end: next }, text: text.slice(at, next) });
    at = next > at ? next : at + 1;
  }
  return comments;
}

/** Offset behind the comment, string or character literal that starts here; the same offset where none does. */
export function skipOpaque(text: string, at: number): number {
  const first = text[at];
  if (first === '/') {
    if (text[at + 1] === '/') return lineEnd(text, at);
    if (text[at + 1] === '*') {
      const close = text.indexOf('*/', at + 2);
      return close === -1 ? text.length : close + 2;
    }
    return at;
  }
  if (first !== '"' && first !== "'") return at;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === first) return end + 1;
    else if (text[end] === '\n') return end;
  }
  return text.length;
}

/** End of the line, continued lines included, without its line feed. */
export function lineEnd(text: string, at: number): number {
  let end = text.indexOf('\n', at);
  while (end > 0 && (text[end - 1] === '\\' || (text[end - 1] === '\r' && text[end - 2] === '\\'))) end = text.indexOf('\n', end + 1);
  return end === -1 ? text.length : end;
}

export function isWordStart(character: string | undefined): boolean {
  return character !== undefined && /[A-Za-z_$]/.test(character);
}

/** Offset behind the word that starts here. */
export function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && /[\w$]/.test(text.charAt(end))) end++;
  return end;
}

/** First offset that is neither blank nor comment. */
export function skipBlank(text: string, at: number): number {
  let end = at;
  for (;;) {
    while (end < text.length && /\s/.test(text.charAt(end))) end++;
    const next = text[end] === '/' ? skipOpaque(text, end) : end;
    if (next === end) return end;
    end = next;
  }
}

export interface Parenthesised {
  /** Behind the closing parenthesis. */
  readonly end: number;
  /** Offsets of the commas and colons at the outer level. */
  readonly commas: readonly number[];
  readonly colons: readonly number[];
}

/** The group whose `(` is at this offset; null where it is not closed. */
export function matchParenthesis(text: string, at: number): Parenthesised | null {
  const commas: number[] = [];
  const colons: number[] = [];
  let depth = 0;
  for (let end = at; end < text.length; ) {
    const next = skipOpaque(text, end);
    if (next > end) {
      end = next;
      continue;
    }
    const character = text[end];
    if (character === '(' || character === '[' || character === '{') depth++;
    else if (character === ')' || character === ']' || character === '}') {
      depth--;
      if (depth === 0) return { end: end + 1, commas, colons };
    } else if (character === ',' && depth === 1) commas.push(end);
    else if (character === ':' && depth === 1) colons.push(end);
    end++;
  }
  return null;
}

/** Spaces of equal length; line feeds stay. */
export function blanks(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Text being overwritten in place: nothing moves. */
export interface Overwriting {
  readonly replace: (start: number, end: number, by: string) => void;
  readonly result: () => string;
}

/**
 * Replacements must come in text order and not overlap; each is padded with blanks to the length it covers. The result
 * begins at `from`.
 */
export function overwriting(text: string, from = 0): Overwriting {
  const parts: string[] = [];
  let copied = from;
  return {
    replace: (start, end, by) => {
      if (start < copied) return;
      parts.push(text.slice(copied, start), by, blanks(text.slice(start + by.length, end)));
      copied = end;
    },
    result: () => parts.join('') + text.slice(copied),
  };
}

export function normalised(text: string): string {
  return text.replace(/\\\n/g, ' ').replace(/\s+/g, ' ').trim();
}
