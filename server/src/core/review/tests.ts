// Scenarios as tests: what a scenario awaits beside what its runs say.
import type { RunReport, Verdict } from '../rules/finding.ts';
import type { AwaitedVerdict } from '../scenarios/scenario.ts';

/** `undecided`: an exploration came to a bound, so that nothing is shown either way. */
export interface TestOutcome {
  readonly kind: 'passed' | 'failed' | 'undecided';
  /** One sentence. */
  readonly message: string;
}

/** A scenario that awaits a violation is that of a known bug: it needs one start that shows it. */
export function outcomeOf(awaited: AwaitedVerdict, runs: readonly Pick<RunReport, 'verdict' | 'start'>[]): TestOutcome {
  const startsOf = (verdict: Verdict): readonly string[] => runs.filter((run) => run.verdict === verdict).map(({ start }) => start);
  const from = (starts: readonly string[]): string => `from ${starts.join(', ')}`;
  const violated = startsOf('violated');
  const vacuous = startsOf('vacuous');
  const inconclusive = startsOf('inconclusive');
  if (awaited === 'violated') {
    if (violated.length > 0) return { kind: 'passed', message: `violated ${from(violated)}, as awaited` };
    if (inconclusive.length > 0) return { kind: 'undecided', message: `inconclusive ${from(inconclusive)}: a bound was hit before the awaited violation was seen` };
    return { kind: 'failed', message: 'not violated any more: once the known bug is mended, take `verdict: violated` out of the scenario' };
  }
  if (violated.length > 0) return { kind: 'failed', message: `violated ${from(violated)}` };
  if (vacuous.length > 0) return { kind: 'failed', message: `vacuous ${from(vacuous)}: what must be seen was not` };
  if (inconclusive.length > 0) return { kind: 'undecided', message: `inconclusive ${from(inconclusive)}: a bound was hit` };
  return { kind: 'passed', message: `holds ${from(startsOf('holds'))}` };
}
