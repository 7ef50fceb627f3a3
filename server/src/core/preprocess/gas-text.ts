// Statements and blanks of GNU as: where a line is cut at `;` and `#`, and which blanks between operands count, as its
// input scrubber has it. Knows no directive.
import type { MappedText } from './text.ts';
import { sliceMapped, thinned } from './text.ts';

const interesting = /[;#"']/g;

/** The statements of one line, comments dropped; blank ones are left out. */
export function splitStatements(line: MappedText): MappedText[] {
  const { text } = line;
  const statements: MappedText[] = [];
  let from = 0;
  let at = 0;
  const close = (end: number): void => {
    let start = from;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    if (end > start) statements.push(sliceMapped(line, start, end));
  };
  while (at < text.length) {
    interesting.lastIndex = at;
    const found = interesting.exec(text);
    if (found === null) break;
    const i = found.index;
    const c = found[0];
    if (c === ';') {
      close(i);
      from = at = i + 1;
    } else if (c === '#') {
      close(i);
      return statements;
    } else at = c === '"' ? endOfString(text, i) : i + (text[i + 1] === '\\' ? 3 : 2);
  }
  close(text.length);
  return statements;
}

/** Offset behind the string that begins at `open`. */
export function endOfString(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === '"') return i + 1;
    if (text[i] === '\\') i++;
  }
  return text.length;
}

export function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 11 || code === 12 || code === 13;
}

const symbolCharacter = /[\w.$*%\-([]/;

/** `text[start, ...)` as macro arguments see it: a blank stays only between two characters that could be of one symbol. */
export function scrubOperands(from: MappedText, start: number): MappedText {
  const { text } = from;
  let at = start;
  let before = false;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  const first = at;
  const offsets = [0, at];
  let stretch = at;
  let scrubbed = '';
  while (at < text.length) {
    const c = text[at]!;
    if (c === '"') {
      at = endOfString(text, at);
      before = true;
    } else if (isBlank(text.charCodeAt(at))) {
      let behind = at;
      while (behind < text.length && isBlank(text.charCodeAt(behind))) behind++;
      const follows = text[behind];
      const stays = follows !== undefined && before && (follows === '\\' || follows === '"' || symbolCharacter.test(follows));
      if (!stays || behind !== at + 1 || c !== ' ') {
        scrubbed += text.slice(stretch, at) + (stays ? ' ' : '');
        stretch = behind;
        offsets.push(scrubbed.length, stretch);
      }
      at = behind;
    } else {
      before = symbolCharacter.test(c);
      at++;
    }
  }
  return offsets.length === 2 ? sliceMapped(from, first, text.length) : thinned(scrubbed + text.slice(stretch), from, offsets);
}
