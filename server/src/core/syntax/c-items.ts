// Where the outer items of a C text begin and end: definitions of functions each alone, what ends in `;` a few together.
// Counts braces and parentheses outside of comments and literals; knows no grammar.
import type { Span } from '../base/span.ts';
import { attributeCalls } from './c-attributes.ts';
import { lineEnd, skipOpaque } from './c-text.ts';

const outside = /[A-Za-z_$][\w$]*|\/[/*]|["'#(){};=]/g;
const inside = /\/[/*]|["'{}]/g;

/** Declarations up to this many characters are one stretch: a parse has a price of its own. */
const TOGETHER = 1500;

/**
 * The text in stretches without gaps, the last one to its end. Each holds whole items: up to the `;` of the last, to the
 * brace of a function's body, or to the macro with arguments that stands alone on its line before a definition.
 */
export function outerItems(text: string): readonly Span[] {
  const found: Span[] = [];
  let from = 0;
  let braces = 0;
  let parentheses = 0;
  /** Words so far outside of parentheses, whether a parenthesis was among them, and a `=`. */
  let words = 0;
  let called = false;
  let assigned = false;
  /** Behind macros with arguments that are all there is so far, each on its own line. */
  let alone = -1;
  /** Whether the last token was a word outside of parentheses, and whether one alone stands before those that are open. */
  let afterWord = false;
  let afterAttribute = false;
  let inAttribute = false;
  let macro = false;

  function cut(end: number): void {
    found.push({ start: from, end });
    from = end;
  }

  function ended(end: number, body: boolean): void {
    words = parentheses = braces = 0;
    called = assigned = false;
    alone = -1;
    if (body || end - from >= TOGETHER) cut(end);
  }

  /** Start of the item being read: what was put together before it ends there. */
  let item = 0;
  for (let at = 0; at < text.length; ) {
    const pattern = braces === 0 ? outside : inside;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) break;
    const token = match[0];
    const start = match.index;
    at = pattern.lastIndex;
    const follows = afterWord;
    const attribute = afterAttribute;
    afterWord = afterAttribute = false;
    switch (token) {
      case '//':
      case '/*':
      case '"':
      case "'":
        at = Math.max(at, skipOpaque(text, start));
        break;
      case '#':
        at = lineEnd(text, start);
        break;
      case '(':
        if (parentheses === 0) macro = words === 1 && follows;
        // The brackets of an attribute make no function.
        if (parentheses === 0) inAttribute = attribute;
        called ||= !inAttribute;
        parentheses++;
        break;
      case ')':
        parentheses--;
        if (parentheses === 0 && braces === 0 && macro && !assigned) {
          const next = /^[^\S\n]*\n\s*[A-Za-z_]/.test(text.slice(at, at + 400));
          if (next) {
            alone = at;
            words = 0;
          }
        }
        break;
      case '=':
        assigned ||= braces === 0 && parentheses === 0;
        break;
      case '{':
        // The declarations before a function go their own way.
        if (braces === 0 && called && !assigned && item > from) cut(item);
        braces++;
        break;
      case '}':
        braces--;
        if (braces <= 0 && (called || words === 0) && !assigned) {
          ended(at, true);
          item = at;
        }
        break;
      case ';':
        if (braces > 0) break;
        ended(at, false);
        item = at;
        break;
      default:
        // An attribute with arguments belongs to what follows it.
        afterAttribute = attributeCalls.has(token);
        if (parentheses > 0 || afterAttribute) break;
        words++;
        afterWord = true;
        // A second word: a definition begins, and the macros before it were items.
        if (words === 2 && alone !== -1) {
          cut(alone);
          item = alone;
          alone = -1;
          called = false;
        }
    }
  }
  if (from < text.length) cut(text.length);
  return found;
}
