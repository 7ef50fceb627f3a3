// What a review has judged: C functions and their calls, and the instructions that its entry paths reach.
import { instructionCoverage } from '../contexts/unreached.ts';
import type { Coverage, PathCoverage } from '../coverage-types.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import type { KernelReview } from './kernel-review.ts';
import type { TreeFindings } from './tree-findings.ts';
import { isC } from './unit.ts';
import type { LinkedUnit } from './unit.ts';

/** Of a unit and its tree; `paths` are null where no entry paths were explored. null where nothing is judged. */
export function coverageOf(folder: string, { unit, root }: LinkedUnit, treeFindings: TreeFindings, paths: readonly PathCoverage[] | null): Coverage | null {
  const first = unit.files.find((file) => treeFindings.coverage(file).length > 0);
  // A design that is run is judged by no rule that examines C: what was read of it counts.
  const read = root === null ? unit.files.filter((file) => isC(file)).slice(0, 1).flatMap(treeFindings.trees) : [];
  const c = first === undefined ? read.map((one) => one.coverage) : treeFindings.coverage(first);
  return c.length === 0 && paths === null ? null : { subject: root === null ? folder : root.replace(/\/$/, ''), c, paths: paths ?? [] };
}

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
