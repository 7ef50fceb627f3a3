// What a review has judged: C functions and their calls, and the instructions that its entry paths reach.
import { instructionCoverage } from '../contexts/unreached.ts';
import type { PathCoverage } from '../coverage-types.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import type { KernelReview } from './kernel-review.ts';

/** Of entry paths that are explored. */
export function pathCoverage({ programs, runs }: KernelReview): readonly PathCoverage[] {
  return programs.flatMap((kernel, index): readonly PathCoverage[] => {
    const run = runs[index];
    if (run === undefined) return [];
    const { files, byReason, unexplained } = instructionCoverage(kernel.program, run.analysis, (node) => pathPlace(node).file);
    const counts = [...files.values()];
    const reasons: { readonly reason: string | null; readonly instructions: number }[] = [...byReason].map(([reason, instructions]) => ({ reason, instructions }));
    reasons.sort((a, b) => b.instructions - a.instructions);
    if (unexplained.length > 0) reasons.push({ reason: null, instructions: unexplained.length });
    return [{
      configuration: kernel.configuration,
      instructions: counts.reduce((sum, { all }) => sum + all, 0),
      reached: counts.reduce((sum, { reached }) => sum + reached, 0),
      unreached: reasons,
      cpus: run.analysis.variants.map(({ name }) => name),
    }];
  });
}
