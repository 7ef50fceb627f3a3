// Finds the `xctx:` lines in comments, cuts them into words with exact spans, and finds the code that each comment is
// about. Knows no keyword.
import { spanOf } from '../base/span.ts';
import type { Span } from '../base/span.ts';
import type { AnnotationWord } from './annotation-types.ts';

export interface Comment {
  readonly span: Span;
  readonly text: string;
}

export interface AnnotationLine {
  /** `xctx:` as written. */
  readonly marker: AnnotationWord;
  /** From the marker to the last character of the directive. */
  readonly span: Span;
  /** Words behind the marker and before the reason. */
  readonly words: readonly AnnotationWord[];
  /** `--`, or the word that begins with it. */
  readonly dashes: AnnotationWord | null;
  readonly reason: AnnotationWord | null;
  readonly subjectOffset: number;
}

const lead = /^[ \t]*(?:\/\*+|\*+(?!\/)|\/\/+|#+|;+|@+)?[ \t]*/;
const marker = /^xctx[ \t]*:|^xctx(?=[ \t]+[a-z])/i;

/** All annotation lines, in the order of the comments. Comments are in ascending order and do not overlap. */
export function annotationLines(text: string, comments: readonly Comment[]): readonly AnnotationLine[] {
  const lines: AnnotationLine[] = [];
  let behind: readonly number[] | null = null;
  comments.forEach((comment, index) => {
    const body = text.slice(comment.span.start, comment.span.end);
    if (!/xctx/i.test(body)) return;
    const end = body.startsWith('/*') && body.endsWith('*/') && body.length >= 4 ? body.length - 2 : body.length;
    let subject: number | null = null;
    for (let start = 0; start < end; ) {
      const newline = body.indexOf('\n', start);
      const stop = newline === -1 || newline > end ? end : newline;
      const directive = start + (lead.exec(body.slice(start, stop))?.[0].length ?? 0);
      const found = marker.exec(body.slice(directive, stop));
      if (found !== null) {
        behind ??= codeBehind(text, comments);
        subject ??= subjectOf(text, comments, behind, index);
        lines.push(cutLine(body.slice(directive, stop), found[0].length, comment.span.start + directive, subject));
      }
      start = stop + 1;
    }
  });
  return lines;
}

/** A directive that stands alone, without marker and comment, as in a sidecar file. */
export function bareLine(text: string, offset: number): AnnotationLine {
  return { ...cutLine(text, 0, offset, offset), marker: { text: 'xctx:', span: spanOf(offset, offset) } };
}

function cutLine(line: string, markerLength: number, offset: number, subjectOffset: number): AnnotationLine {
  const word = (start: number, end: number): AnnotationWord => ({ text: line.slice(start, end), span: spanOf(offset + start, offset + end) });
  const length = line.trimEnd().length;
  const words: AnnotationWord[] = [];
  let dashes: AnnotationWord | null = null;
  let reason: AnnotationWord | null = null;
  for (const match of line.slice(0, length).matchAll(/\S+/g)) {
    const start = Math.max(match.index, markerLength);
    const end = match.index + match[0].length;
    if (end <= markerLength) continue;
    if (line.startsWith('--', start) || line[start] === '\u2014') {
      dashes = word(start, end);
      const behind = line.startsWith('--', start) ? start + 2 : start + 1;
      const from = behind + (/^\s*/.exec(line.slice(behind, length))?.[0].length ?? 0);
      if (from < length) reason = word(from, length);
      break;
    }
    words.push(word(start, end));
  }
  return { marker: word(0, markerLength), span: spanOf(offset, offset + Math.max(length, markerLength)), words, dashes, reason, subjectOffset };
}

/** The first code behind each comment. Filled from the end, so that long blocks of comments cost no more than short ones. */
function codeBehind(text: string, comments: readonly Comment[]): readonly number[] {
  const behind: number[] = [];
  for (let index = comments.length - 1; index >= 0; index--) {
    const next = comments[index + 1];
    const found = firstNonBlank(text, comments[index]?.span.end ?? 0);
    behind[index] = next !== undefined && found >= next.span.start ? (behind[index + 1] ?? text.length) : found;
  }
  return behind;
}

/** Behind code on its line, a comment is about that line; else about the first code behind it. */
function subjectOf(text: string, comments: readonly Comment[], behind: readonly number[], index: number): number {
  const start = comments[index]?.span.start ?? 0;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  let first = index;
  while (first > 0 && (comments[first - 1]?.span.end ?? 0) > lineStart) first--;
  const opening = firstNonBlank(text, lineStart);
  const code = opening < (comments[first]?.span.start ?? 0) ? opening : (behind[first] ?? text.length);
  return code < start ? code : (behind[index] ?? text.length);
}

function firstNonBlank(text: string, from: number): number {
  const blank = /\S/g;
  blank.lastIndex = from;
  return blank.exec(text)?.index ?? text.length;
}
