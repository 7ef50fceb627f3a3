// Folders of units: that of a file, those of all open files, and those that an edit of a file touches.
import type { Review } from '../core/review-types.ts';
import type { Attempt } from './attempt.ts';

export interface UnitFolders {
  /** null for a file of no unit. */
  readonly of: (file: string) => string | null;
  readonly open: () => ReadonlySet<string>;
  readonly touchedBy: (file: string) => Iterable<string>;
}

/** `open` has the files that are open as its keys. */
export function createUnitFolders(review: Review, open: ReadonlyMap<string, unknown>, attempt: Attempt): UnitFolders {
  function of(file: string): string | null {
    return attempt(`unit of ${file}`, () => review.unitOf(file)?.folder ?? null, null);
  }

  function ofOpen(): ReadonlySet<string> {
    return new Set([...open.keys()].flatMap((file) => of(file) ?? []));
  }

  /** The entry code of a kernel tree is one program: an edit in one of its folders is one in all. */
  function withTree(folder: string): readonly string[] {
    if (!attempt(`tree of ${folder}`, () => review.inKernelTree(folder), false)) return [folder];
    return [...new Set([folder, ...[...ofOpen()].filter((other) => review.inKernelTree(other))])];
  }

  return {
    of,
    open: ofOpen,
    touchedBy: (file) => {
      const folder = of(file);
      // A file of no unit (a header) may be part of all of them, a sidecar file be about files of every folder below its own.
      if (folder === null) return ofOpen();
      return isSidecar(file) ? new Set([folder, ...ofOpen()]) : withTree(folder);
    },
  };
}

export function isSidecar(file: string): boolean {
  return /\.xctx\.ya?ml$/.test(file);
}
