// An exploration with reductions beside one without: verdict and length of the shortest trace must be the same. For tests
// only.
import { createAnyNumber } from '../core/review/any-number.ts';
import type { AnyNumberOptions } from '../core/review/any-number.ts';
import { applies } from '../core/review/run.ts';
import type { Program } from '../core/program/program.ts';
import type { AnyNumber } from '../core/rules/finding.ts';
import type { Scenario, StartContext } from '../core/scenarios/scenario.ts';
import { ran, scenarioNamed, traceLength } from './review.ts';

/** Scenarios with so few events that an exploration without reductions comes to its end. */
export const smallScenarios: readonly Scenario[] = ['ve-in-task', 'perf-nmi-user-copy-fails-twice', 'apf-flags-stolen-by-nmi', 'perf-nmi-mc-twice', 've-in-syscall-gap'].map((name) => scenarioNamed(name, { VE: 2, NMI: 1, MC: 2 }));

export interface Compared {
  /** Verdict and machine steps of the shortest trace. */
  readonly reduced: string;
  readonly plain: string;
  readonly reducedStates: number;
  readonly plainStates: number;
}

/** Null where the exploration without reductions has more than `most` states and no verdict. */
export function compareReductions(program: Program, scenario: Scenario, start: StartContext, most: number): Compared | null {
  const plain = ran(program, scenario, start, { reference: true, maxStates: most });
  if (plain.verdict === 'inconclusive') return null;
  const reduced = ran(program, scenario, start);
  const text = (report: typeof plain): string => `${report.verdict} ${traceLength(report) ?? ''}`.trim();
  return { reduced: text(reduced), plain: text(plain), reducedStates: reduced.states, plainStates: plain.states };
}

/** Runs that a program can be compared on. */
export function runsToCompare(program: Program): readonly { readonly scenario: Scenario; readonly start: StartContext }[] {
  return smallScenarios.filter((scenario) => applies(program, scenario)).flatMap((scenario) => scenario.start.map((start) => ({ scenario, start })));
}

/** What is said of any number of events, each exploration with at most so many states; `open` where that is too few. */
export interface ComparedAnyNumber {
  readonly forgetting: AnyNumber['verdict'];
  readonly remembering: AnyNumber['verdict'];
  /** With every event at every boundary. */
  readonly plain: AnyNumber['verdict'];
}

export function compareAnyNumber(program: Program, scenario: Scenario, start: StartContext, most: number): ComparedAnyNumber {
  const verdictOf = (options: AnyNumberOptions): AnyNumber['verdict'] => {
    const run = createAnyNumber(program, scenario, start, { ...options, mostStates: most });
    while (!run.advance(5000));
    return run.result().verdict;
  };
  return { forgetting: verdictOf({}), remembering: verdictOf({ forgets: false }), plain: verdictOf({ forgets: false, reference: true }) };
}

/** What one says and another denies. */
export function contradicts({ forgetting, remembering, plain }: ComparedAnyNumber): boolean {
  const said = new Set([forgetting, remembering, plain].filter((one) => one !== 'open'));
  return said.size > 1;
}
