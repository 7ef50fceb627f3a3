// Offsets to lines and columns for the shells and for render; no other layer has lines.

export interface LineIndex {
  /** Offset at which each line starts; the first is 0. */
  readonly starts: readonly number[];
  readonly length: number;
}

/** Zero-based line and UTF-16 column. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export function indexLines(text: string): LineIndex {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return { starts, length: text.length };
}

/** Offsets outside the text are clamped to it. */
export function positionAt(index: LineIndex, offset: number): Position {
  const clamped = Math.max(0, Math.min(offset, index.length));
  let low = 0;
  let high = index.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((index.starts[middle] ?? 0) <= clamped) low = middle;
    else high = middle - 1;
  }
  return { line: low, column: clamped - (index.starts[low] ?? 0) };
}

/** Positions outside the text are clamped to it. */
export function offsetAt(index: LineIndex, position: Position): number {
  const line = Math.max(0, Math.min(position.line, index.starts.length - 1));
  const start = index.starts[line] ?? 0;
  const next = index.starts[line + 1];
  const end = next === undefined ? index.length : next - 1;
  return Math.max(start, Math.min(start + position.column, end));
}
