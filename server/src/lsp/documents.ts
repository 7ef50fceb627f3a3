// Open documents as the client sees them: text, version and lines. The review gets edits as offsets; a text that is no
// source code (binary, or several megabytes) is kept from it and said to be.
import { indexLines, offsetAt, positionAt } from '../core/base/line-index.ts';
import type { LineIndex } from '../core/base/line-index.ts';
import type { Span } from '../core/base/span.ts';
import type { TextEdit } from '../core/review-types.ts';
import type { Position, Range, TextDocumentContentChangeEvent } from 'vscode-languageserver/node';

/** Characters above which a file is not analysed; the largest file of arch/x86/entry has 60,000. */
export const largestText = 1_000_000;

export interface OpenDocument {
  readonly uri: string;
  readonly file: string;
  readonly languageId: string;
  readonly version: number;
  readonly text: string;
  readonly lines: LineIndex;
  /** Why the review does not see the text, or null. */
  readonly refusal: string | null;
}

/** What a change means for the review: edits to apply, or a whole text where edits cannot say it. */
export type DocumentChange =
  | { readonly kind: 'edits'; readonly edits: readonly TextEdit[] }
  | { readonly kind: 'text'; readonly text: string };

export function refusalOf(text: string): string | null {
  if (text.length > largestText) return `not analysed: the file has ${text.length} characters, more than ${largestText}`;
  if (text.includes('\0')) return 'not analysed: the file is binary, it holds NUL bytes';
  return null;
}

export function openDocument(uri: string, file: string, languageId: string, version: number, text: string): OpenDocument {
  return { uri, file, languageId, version, text, lines: indexLines(text), refusal: refusalOf(text) };
}

/** The text that the review is given. */
export function reviewedText(document: OpenDocument): string {
  return document.refusal === null ? document.text : '';
}

export function changeDocument(
  before: OpenDocument,
  version: number,
  changes: readonly TextDocumentContentChangeEvent[],
): { readonly document: OpenDocument; readonly edits: readonly TextEdit[]; readonly change: DocumentChange } {
  let { text, lines } = before;
  const edits: TextEdit[] = [];
  for (const change of changes) {
    const span = 'range' in change ? spanOfRange(lines, change.range) : { start: 0, end: text.length };
    edits.push({ span, newText: change.text });
    text = text.slice(0, span.start) + change.text + text.slice(span.end);
    lines = indexLines(text);
  }
  const document: OpenDocument = { ...before, version, text, lines, refusal: refusalOf(text) };
  const seen = before.refusal === null && document.refusal === null;
  return { document, edits, change: seen ? { kind: 'edits', edits } : { kind: 'text', text: reviewedText(document) } };
}

export function spanOfRange(lines: LineIndex, range: Range): Span {
  const start = offsetOf(lines, range.start);
  return { start, end: Math.max(start, offsetOf(lines, range.end)) };
}

export function offsetOf(lines: LineIndex, position: Position): number {
  return offsetAt(lines, { line: position.line, column: position.character });
}

export function rangeOf(lines: LineIndex, span: Span): Range {
  return { start: positionOf(lines, span.start), end: positionOf(lines, span.end) };
}

export function positionOf(lines: LineIndex, offset: number): Position {
  const { line, column } = positionAt(lines, offset);
  return { line, character: column };
}
