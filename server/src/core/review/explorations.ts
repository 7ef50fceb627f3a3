// Explorations that the caller advances in slices: the runs of scenarios, and one exploration behind the other.
import type { Program } from '../program/program.ts';
import type { Exploration } from '../review-types.ts';
import type { RunReport } from '../rules/finding.ts';
import { RULES } from '../rules/index.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { createRun, excludes } from './run.ts';
import type { Run } from './run.ts';

/**
 * Every scenario from each of its starts that no annotation rules out, with at most so many states a run; `anyNumber`:
 * those that hold for any number of events as well.
 */
export function runsOf(scenarios: readonly { readonly scenario: Scenario; readonly program: Program }[], design: string, most: number, anyNumber: boolean): Exploration {
  const waiting = scenarios.flatMap(({ scenario, program }) => scenario.start.filter((start) => excludes(program, scenario, start) === null).map((start) => ({ scenario, program, start })));
  const done: RunReport[] = [];
  let running: Run | null = null;
  let before = 0;
  return {
    run: (states) => {
      if (running === null) {
        const next = waiting.shift();
        if (next === undefined) return { scenario: '', start: '', states: before, depth: 0, done: true };
        running = createRun(next.program, next.scenario, next.start, design, RULES, { maxStates: most, reference: false, anyNumber });
      }
      const progress = running.advance(states);
      const out = { scenario: running.scenario.name, start: progress.beyond ? `${running.start}, beyond the bounds` : running.start, states: before + progress.states, depth: progress.depth, done: false };
      if (progress.done) {
        done.push(running.report());
        before += progress.states;
        running = null;
      }
      return { ...out, done: running === null && waiting.length === 0 };
    },
    reports: () => [...done],
  };
}

/** One exploration behind the other. */
export function both(first: Exploration, second: Exploration): Exploration {
  let done = false;
  let states = 0;
  return {
    run: (more) => {
      if (!done) {
        const progress = first.run(more);
        done = progress.done;
        states = progress.states;
        return { ...progress, done: false };
      }
      const progress = second.run(more);
      return { ...progress, states: progress.states + states };
    },
    reports: () => [...first.reports(), ...second.reports()],
  };
}

export const nothing: Exploration = {
  run: () => ({ scenario: '', start: '', states: 0, depth: 0, done: true }),
  reports: () => [],
};
