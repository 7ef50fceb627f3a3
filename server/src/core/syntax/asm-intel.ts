// Whether assembler code is in the syntax of Intel's manuals, which is not read here.
import type { Span } from '../base/span.ts';

const INTEL = /^[ \t]*\.intel_syntax\b|^[ \t]*(?:[\w.]+:)?[ \t]*[a-z]+[ \t]+[^%\n;#/]*(?:\b(?:byte|word|dword|qword)[ \t]+ptr\b|\[[ \t]*r[a-z\d]+\b)/im;

/** The first line that tells, or null. */
export function intelAt(text: string): Span | null {
  const found = INTEL.exec(text);
  return found === null ? null : { start: found.index + (found[0].length - found[0].trimStart().length), end: found.index + found[0].length };
}
