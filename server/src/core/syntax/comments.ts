// Comments of C and assembler sources with their spans, found without a tree so that broken text still has them.
import type { Span } from '../base/span.ts';

export interface SourceComment {
  readonly span: Span;
  readonly text: string;
}

/** In assembler `#` starts a comment unless it is the first character of a preprocessor line. */
export function scanComments(text: string, language: 'c' | 'gas'): readonly SourceComment[] {
  const out: SourceComment[] = [];
  let at = 0;
  let lineStart = true;
  const add = (start: number, end: number): void => {
    out.push({ span: { start, end }, text: text.slice(start, end) });
  };
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === 10) {
      lineStart = true;
      at += 1;
    } else if (character === 47 && text.charCodeAt(at + 1) === 42) {
      const close = text.indexOf('*/', at + 2);
      const end = close === -1 ? text.length : close + 2;
      add(at, end);
      at = end;
    } else if (character === 47 && text.charCodeAt(at + 1) === 47) {
      const end = endOfLine(text, at);
      add(at, end);
      at = end;
    } else if (character === 34 || (character === 39 && language === 'c')) {
      at = endOfString(text, at, character);
      lineStart = false;
    } else if (character === 35 && language === 'gas') {
      const directive = lineStart && /^#\s*(include|define|undef|if|ifdef|ifndef|elif|else|endif|error|warning|pragma|line)\b/.test(text.slice(at, at + 40));
      const end = endOfLine(text, at);
      if (!directive) {
        add(at, end);
        at = end;
      } else {
        at += 1;
        lineStart = false;
      }
    } else {
      if (character !== 32 && character !== 9) lineStart = false;
      at += 1;
    }
  }
  return out;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** Strings end at their quote, or at the end of the line where it is missing. */
function endOfString(text: string, from: number, quote: number): number {
  let at = from + 1;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === 92) at += 2;
    else if (character === quote) return at + 1;
    else if (character === 10) return at;
    else at += 1;
  }
  return text.length;
}
