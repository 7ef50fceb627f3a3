// A review that tells at once what typing found in a file of a kernel tree the last time an editor had it open, as long as
// all that was read for it is as it was: no macro need be expanded before the first squiggle. After the first edit it is
// the review itself.
import type { Finding, Review } from '../core/review-types.ts';
import type { Span } from '../core/base/span.ts';
import type { Kept } from '../shell/kept.ts';
import { areOnDisk } from '../shell/seen.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';
import type { Clock } from './clock.ts';

interface Typed {
  readonly findings: readonly Finding[];
  /** Text that the configuration leaves out. */
  readonly inactive: readonly Span[];
}

/** Milliseconds after which what was found is kept: an editor that opens a file asks for much else. */
const settled = 2000;

export function remembering(review: Review, workspace: NodeWorkspace, kept: Kept, clock: Pick<Clock, 'after'>): Review {
  const open = new Set<string>();
  /** What was kept of files, null for nothing, as long as no text has changed. */
  const found = new Map<string, Typed | null>();
  let configuration = '';
  /** Texts were edited, or read that a file alone does not need. */
  let over = false;

  function end(): void {
    over = true;
    found.clear();
  }

  const onDisk = (): boolean => areOnDisk(open, workspace, review.text);

  function typed(file: string): Typed | null {
    const known = found.get(file);
    if (known !== undefined || over) return known ?? null;
    const told = review.inKernelTree(file) && onDisk() ? kept.find<Typed>(['typed', configuration, file], workspace) : null;
    found.set(file, told);
    return told;
  }

  function keepLater(file: string, findings: readonly Finding[]): void {
    clock.after(settled, () => {
      if (over || !open.has(file) || !onDisk()) return;
      kept.keep(['typed', configuration, file], workspace.seen(), { findings, inactive: review.inactive(file) } satisfies Typed);
    });
  }

  return {
    ...review,
    setFile: (file, text) => {
      open.add(file);
      found.clear();
      review.setFile(file, text);
    },
    editFile: (file, edits) => {
      end();
      review.editFile(file, edits);
    },
    closeFile: (file) => {
      open.delete(file);
      found.clear();
      review.closeFile(file);
    },
    fileChanged: (file) => {
      end();
      review.fileChanged(file);
    },
    configure: (choice) => {
      configuration = JSON.stringify(choice);
      found.clear();
      review.configure(choice);
    },
    readWhole: (folder) => {
      end();
      review.readWhole(folder);
    },
    syntaxFindings: (file) => (typed(file) === null ? review.syntaxFindings(file) : null),
    quickFindings: (file) => {
      const told = typed(file);
      if (told !== null) return told.findings;
      const findings = review.quickFindings(file);
      if (!over && open.has(file) && review.inKernelTree(file)) keepLater(file, findings);
      return findings;
    },
    inactive: (file) => typed(file)?.inactive ?? review.inactive(file),
    release: () => {
      end();
      review.release();
    },
  };
}
