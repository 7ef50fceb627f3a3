// Words of assembler and C texts at offsets, and where a word occurs. Knows no meaning.
import type { Span } from '../base/span.ts';
import { matchParenthesis, skipBlank } from '../syntax/c-text.ts';
import { scanComments } from '../syntax/comments.ts';
import { isAssembler } from './unit.ts';

export interface Word {
  readonly word: string;
  readonly span: Span;
}

/** The name around an offset: in assembler with dots and dollars, in C without. */
export function nameAt(file: string, text: string, offset: number): Word | null {
  const letter = isAssembler(file) ? /[\w.$]/ : /\w/;
  const isLetter = (at: number): boolean => at >= 0 && at < text.length && letter.test(text.charAt(at));
  let start = offset;
  while (isLetter(start - 1)) start -= 1;
  let end = offset;
  while (isLetter(end)) end += 1;
  // A full stop behind a name belongs to the sentence.
  while (end > start + 1 && text[end - 1] === '.') end -= 1;
  if (!isAssembler(file) && text[start - 1] === '.' && text[start] === 'L') start -= 1;
  return start === end ? null : { word: text.slice(start, end), span: { start, end } };
}

/** Where a name stands in a text, comments left out. */
export function occurrences(file: string, text: string, word: string): readonly Span[] {
  if (!text.includes(word)) return [];
  const comments = scanComments(text, isAssembler(file) ? 'gas' : 'c');
  const out: Span[] = [];
  let comment = 0;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
    const end = at + word.length;
    if (/[\w$]/.test(text.charAt(at - 1)) || /[\w$]/.test(text.charAt(end))) continue;
    if (text[at - 1] === '.' && !word.startsWith('.') && isAssembler(file)) continue;
    while ((comments[comment]?.span.end ?? Number.POSITIVE_INFINITY) <= at) comment += 1;
    if ((comments[comment]?.span.start ?? Number.POSITIVE_INFINITY) <= at) continue;
    out.push({ start: at, end });
  }
  return out;
}

/** The name of the function of that name, where the text defines it: also by a macro, `DEFINE_IDTENTRY(name)`. */
export function definedIn(file: string, text: string, name: string): Span | null {
  for (const span of occurrences(file, text, name)) {
    const lineStart = text.lastIndexOf('\n', span.start) + 1;
    const head = text.slice(lineStart, span.start);
    if (/^[\s#}]/.test(head) || /^(?:extern|return|typedef)\b/.test(head)) continue;
    const byMacro = /^[A-Z]\w*\($/.test(head);
    const open = byMacro ? span.start - 1 : skipBlank(text, span.end);
    if (text[open] !== '(') continue;
    const group = matchParenthesis(text, open);
    if (group !== null && text[skipBlank(text, group.end)] === '{') return span;
  }
  return null;
}
