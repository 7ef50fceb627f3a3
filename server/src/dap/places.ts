// Places of a replay as lines of files. The texts are those of the launch: an edit during a session moves nothing.
import { indexLines, positionAt } from '../core/base/line-index.ts';
import type { LineIndex } from '../core/base/line-index.ts';
import type { CodePoint, Playback } from '../core/review-types.ts';

type Place = NonNullable<CodePoint['written']>;

/** Counted from 0. */
export interface Lines {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Places {
  readonly linesOf: (place: Place) => Lines;
  /** `entry.S:12`, of a line counted from 0. */
  readonly short: (file: string, line: number) => string;
  /** Code of a file by the lines where it is written or used, counted from 0. */
  readonly codeByLine: (playback: Playback, file: string) => ReadonlyMap<number, ReadonlySet<number>>;
}

export function createPlaces(playback: Playback, text: (file: string) => string | null): Places {
  const indices = new Map<string, LineIndex>(playback.files().map((file) => [file, indexLines(text(file) ?? '')]));
  const byLine = new Map<string, ReadonlyMap<number, ReadonlySet<number>>>();
  const none = indexLines('');

  function linesOf({ file, span }: Place): Lines {
    const index = indices.get(file) ?? none;
    const start = positionAt(index, span.start);
    const end = positionAt(index, Math.max(span.start, span.end));
    return { file, line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
  }

  return {
    linesOf,
    short: (file, line) => `${file.slice(file.lastIndexOf('/') + 1)}:${line + 1}`,
    codeByLine: (of, file) => {
      const known = byLine.get(file);
      if (known !== undefined) return known;
      const made = new Map<number, Set<number>>();
      for (const { node, place } of of.codeIn(file)) {
        const { line } = linesOf(place);
        const nodes = made.get(line) ?? new Set<number>();
        made.set(line, nodes.add(node));
      }
      byLine.set(file, made);
      return made;
    },
  };
}
