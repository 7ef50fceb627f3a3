// Whether assembler code is in the syntax of Intel's manuals, which is not read here.
import type { Span } from '../base/span.ts';

/** One of these is in every line that tells. */
const hint = /\.intel_syntax|\bptr\b|\[/i;
const intel = /^\.intel_syntax\b|^(?:[\w.]+:)?[ \t]*[a-z]+[ \t][^%\n;#/]*(?:\b(?:byte|word|dword|qword)[ \t]+ptr\b|\[[ \t]*r[a-z\d]+\b)/i;
/** Characters of the longest line that is looked at. */
const LONGEST = 300;

/** The first line that tells, or null. */
export function intelAt(text: string): Span | null {
  if (!hint.test(text)) return null;
  let at = 0;
  for (const line of text.split('\n')) {
    const code = line.trimStart();
    const found = line.length > LONGEST ? null : intel.exec(code);
    if (found !== null) {
      const start = at + line.length - code.length;
      return { start, end: start + found[0].length };
    }
    at += line.length + 1;
  }
  return null;
}
