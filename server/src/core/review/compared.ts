// The runs of one scenario on two designs, start by start, in the words of who reads a patch.
import type { RunReport, Verdict } from '../rules/finding.ts';
import type { Divergence } from './divergence.ts';

/** `undecided`: one of the two says neither that it holds nor that it is violated. */
export type Change = 'fixed' | 'still broken' | 'newly broken' | 'holds in both' | 'undecided';

export interface ComparedRun {
  readonly base: RunReport;
  readonly other: RunReport;
  readonly change: Change;
  /** Where the counterexample of the base is followed no further; for what is newly broken, that of the other. */
  readonly divergence: Divergence | null;
}

export function changeOf(base: Verdict, other: Verdict): Change {
  const decided = (verdict: Verdict): boolean => verdict === 'holds' || verdict === 'violated';
  if (!decided(base) || !decided(other)) return 'undecided';
  if (base === other) return base === 'holds' ? 'holds in both' : 'still broken';
  return base === 'violated' ? 'fixed' : 'newly broken';
}

/** Runs with the same scenario and start; those that one design lacks are left out. */
export function pairsOf(base: readonly RunReport[], other: readonly RunReport[]): readonly { readonly base: RunReport; readonly other: RunReport }[] {
  return base.flatMap((one) => {
    const same = other.find(({ scenario, start }) => scenario === one.scenario && start === one.start);
    return same === undefined ? [] : [{ base: one, other: same }];
  });
}
