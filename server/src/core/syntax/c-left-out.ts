// Lines that say in a sketch that code is left out: `...`, alone or with words behind it. Among statements such a line
// stands for code that may do anything; between functions and in lists it stands for nothing.
import type { Span } from '../base/span.ts';
import { lineEnd, skipBlank, skipOpaque } from './c-text.ts';

/** Name of the call that stands for the code in plain syntax: no C name is like it. */
export const LEFT_OUT = '...';

/** What the grammar reads in the place of such a line. */
export const LEFT_OUT_WORD = '$$';

export interface LeftOut {
  readonly span: Span;
  readonly statement: boolean;
}

/** The line whose three points are at `at`, where nothing else of code is on it. */
export function leftOutAt(text: string, at: number, brackets: Brackets): LeftOut | null {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const end = lineEnd(text, at);
  const before = text.slice(lineStart, at);
  const start = before.trim() === '[' ? at - 1 : at;
  if (before.slice(0, before.length - (at - start)).trim() !== '') return null;
  const rest = text.slice(at + 3, end).replace(/\/\*.*?\*\//g, '');
  // `...);` ends the parameters of a prototype.
  if (/[;{}()=]/.test(rest.replace(/\/[/*].*/, '')) || text[skipBlank(text, end)] === ')') return null;
  const open = brackets.around(start);
  if (open?.character === '(') return null;
  return { span: { start, end }, statement: open !== null && open.body };
}

/** Whether `at` is the beginning of a line outside all brackets. */
export function standsAlone(text: string, at: number, brackets: Brackets): boolean {
  return text.slice(text.lastIndexOf('\n', at - 1) + 1, at).trim() === '' && brackets.around(at) === null;
}

export interface Bracket {
  readonly character: string;
  /** The brace of statements. */
  readonly body: boolean;
}

export interface Brackets {
  /** The innermost one that is open at an offset; asked for offsets in their order, each is read once. */
  readonly around: (at: number) => Bracket | null;
}

export function bracketsOf(text: string, from: number): Brackets {
  let open: Bracket[] = [];
  let before = '';
  let index = from;

  function read(): void {
    const next = skipOpaque(text, index);
    if (next > index) {
      index = next;
      return;
    }
    const character = text.charAt(index);
    if (/[({[]/.test(character)) open.push({ character, body: character === '{' && (/[);{}:(]$/.test(before) || /\b(?:else|do)$/.test(before)) });
    else if (/[)}\]]/.test(character)) open.pop();
    if (/\S/.test(character)) before = `${before}${character}`.slice(-8);
    else if (/\w$/.test(before)) before = `${before} `.slice(-8);
    index += 1;
  }

  return {
    around: (at) => {
      if (at < index) [open, before, index] = [[], '', from];
      while (index < at) read();
      return open.at(-1) ?? null;
    },
  };
}
