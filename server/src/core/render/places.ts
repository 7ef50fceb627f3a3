// Offsets to the lines and columns that people read: one-based, columns in UTF-16 units plus one. The only other
// layers that know lines are the shells.
import { indexLines, positionAt } from '../base/line-index.ts';
import type { LineIndex } from '../base/line-index.ts';
import type { Place } from '../base/span.ts';
import type { Finding } from '../rules/finding.ts';

export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  /** Column behind the last character. */
  readonly endColumn: number;
}

export type Locate = (place: Place) => Location;

/** Places in files without text are at 1:1. */
export function locator(text: (file: string) => string | null): Locate {
  const indices = new Map<string, LineIndex>();
  return ({ file, span }) => {
    let index = indices.get(file);
    if (index === undefined) {
      index = indexLines(text(file) ?? '');
      indices.set(file, index);
    }
    const start = positionAt(index, span.start);
    const end = positionAt(index, Math.max(span.start, span.end));
    return { file, line: start.line + 1, column: start.column + 1, endLine: end.line + 1, endColumn: end.column + 1 };
  };
}

/** `entry.S:12:2`. */
export function point({ file, line, column }: Location): string {
  return `${file}:${line}:${column}`;
}

/** Without doubles, by file, line, column, rule and message. */
export function inOrder(findings: readonly Finding[], locate: Locate): readonly Finding[] {
  const keyed = new Map<string, { readonly finding: Finding; readonly at: Location }>();
  for (const finding of findings) {
    const at = locate(finding.place);
    const key = JSON.stringify([at, finding.rule, finding.message]);
    const known = keyed.get(key);
    if (known === undefined || (known.finding.trace === null && finding.trace !== null)) keyed.set(key, { finding, at });
  }
  return [...keyed.values()]
    .sort(
      (a, b) =>
        compare(a.at.file, b.at.file) ||
        a.at.line - b.at.line ||
        a.at.column - b.at.column ||
        compare(a.finding.rule, b.finding.rule) ||
        compare(a.finding.message, b.finding.message),
    )
    .map(({ finding }) => finding);
}

/** By code unit: the order must not depend on the reader's locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
