// The reviews of kernel trees' entry code: of all their programs, or of those that are linked already, with what was
// explored of a program kept for as long as it stays the same.
import type { Exploration, Progress } from '../review-types.ts';
import { RULES } from '../rules/index.ts';
import { nothing } from './explorations.ts';
import type { KernelTrees } from './kernel.ts';
import { createKernelReview } from './kernel-review.ts';
import type { KernelReview } from './kernel-review.ts';
import type { KernelProgram } from './kernel-run.ts';
import { ENTRY_PATHS } from './path-scenarios.ts';

export interface Kernels {
  /** Of the tree below a root; links what is not linked. Null where it has no programs. */
  readonly of: (root: string) => KernelReview | null;
  /** The same of the programs that are linked already. */
  readonly soFar: (root: string) => KernelReview | null;
  /**
   * Contexts first, of the tree's own configuration before the others: editors show them. Then C code, then nested NMIs;
   * without programs what `withoutPrograms` gives.
   */
  readonly exploration: (root: string, ofTree: Exploration, withoutPrograms: () => Exploration) => Exploration;
}

export function createKernels(trees: KernelTrees, text: (file: string) => string | null): Kernels {
  const reviews = new Map<string, KernelReview>();

  function reviewOf(root: string, programs: readonly KernelProgram[]): KernelReview | null {
    const before = reviews.get(root);
    if (before !== undefined && before.programs === programs) return before;
    if (programs.length === 0) return null;
    const made = createKernelReview(programs, RULES, { text, annotations: [] }, before ?? null);
    reviews.set(root, made);
    return made;
  }

  const soFar = (root: string): KernelReview | null => reviewOf(root, trees.linkedSoFar(root));

  function exploration(root: string, ofTree: Exploration, withoutPrograms: () => Exploration): Exploration {
    let ofTreeDone = false;
    let otherwise: Exploration | null = null;
    const paths = (): Progress => ({ scenario: ENTRY_PATHS, start: 'every context', states: (soFar(root)?.runs ?? []).reduce((sum, run) => sum + run.steps(), 0), depth: 0, done: false });
    return {
      run: (states) => {
        if (soFar(root)?.advancePaths(states * 2) === false || !trees.advance(root)) return paths();
        if (!ofTreeDone) {
          const progress = ofTree.run(states);
          ofTreeDone = progress.done;
          return { ...progress, done: false };
        }
        otherwise ??= soFar(root)?.exploration() ?? withoutPrograms();
        return otherwise.run(states);
      },
      reports: () => [...ofTree.reports(), ...(soFar(root)?.exploration() ?? otherwise ?? nothing).reports()],
    };
  }

  return { of: (root) => reviewOf(root, trees.programsOf(root)), soFar, exploration };
}
