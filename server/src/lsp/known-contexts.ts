// The contexts that the worker told of places in open files of kernel trees, so that a hover there need not wait for it
// again. They move with edits; what is of an earlier text is kept, and is never given out as of this one.
import type { Span } from '../core/base/span.ts';
import type { ContextInfo, KnownContext, TextEdit } from '../core/review-types.ts';
import { moveAcross, movedInfo } from './moves.ts';
import { shiftSpan } from './shift.ts';

export interface Remembered {
  readonly info: ContextInfo | null;
  /** Of code that was edited since, or whose exploration goes on. */
  readonly as: 'finished' | 'growing' | 'earlier';
}

export interface KnownContexts {
  readonly at: (file: string, offset: number) => Remembered | null;
  readonly learn: (file: string, known: KnownContext) => void;
  /** Edits of comments only. */
  readonly moved: (file: string, edits: readonly TextEdit[]) => void;
  /** Edits of code: what is known is of the text before them. */
  readonly edited: (file: string, edits: readonly TextEdit[]) => void;
  /** Everything is of an earlier text. */
  readonly outdated: () => void;
  readonly forget: (file: string) => void;
  /** Times that what was known became that of an earlier text. */
  readonly revision: () => number;
}

interface Entry extends Remembered {
  readonly span: Span;
}

/** Places of a file; of more the oldest go first. */
const MOST = 400;

export function createKnownContexts(): KnownContexts {
  const files = new Map<string, readonly Entry[]>();
  let revision = 0;

  function outdated(): void {
    revision += 1;
    for (const [file, entries] of files) files.set(file, entries.map((entry) => ({ ...entry, as: 'earlier' })));
  }

  /** Places of one file are in the ways to those of others. */
  function move(file: string, edits: readonly TextEdit[]): void {
    const across = moveAcross(new Map([[file, edits]]));
    for (const [other, entries] of files) {
      files.set(other, entries.flatMap((entry): readonly Entry[] => {
        const span = other === file ? shiftSpan({ start: entry.span.start, end: entry.span.end + 1 }, edits) : { start: entry.span.start, end: entry.span.end + 1 };
        if (span === null) return [];
        return [{ ...entry, info: entry.info === null ? null : movedInfo(entry.info, across), span: { start: span.start, end: span.end - 1 } }];
      }));
    }
  }

  return {
    at: (file, offset) => (files.get(file) ?? []).find(({ span }) => span.start <= offset && offset <= span.end) ?? null,
    learn: (file, { info, span, finished }) => {
      const others = (files.get(file) ?? []).filter((entry) => entry.span.end < span.start || span.end < entry.span.start);
      files.set(file, [...others, { info, span, as: finished ? 'finished' as const : 'growing' as const }].slice(-MOST));
    },
    moved: move,
    edited: (file, edits) => {
      move(file, edits);
      outdated();
    },
    outdated,
    forget: (file) => void files.delete(file),
    revision: () => revision,
  };
}
