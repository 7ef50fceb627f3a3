// The steps of a trace that are worth printing: never more than a reader follows by hand. Knows no output format.
import type { Trace, TraceStep } from '../rules/finding.ts';

export const mostSteps = 20;

export type ShownStep =
  | { readonly kind: 'step'; readonly number: number; readonly step: TraceStep }
  /** `steps` key steps in a row that are not shown. */
  | { readonly kind: 'gap'; readonly steps: number };

/** At most `mostSteps` steps, numbered as in the whole trace; those that changed nothing are left out first. */
export function shownSteps(trace: Trace): readonly ShownStep[] {
  const { steps } = trace;
  const kept = new Set(steps.keys());
  const last = steps.length - 1;
  const spare = [
    ...[...steps.keys()].filter((at) => at > 0 && at < last && steps[at]?.changed.length === 0),
    ...inner(last).filter((at) => (steps[at]?.changed.length ?? 0) > 0),
  ];
  for (const at of spare) {
    if (kept.size <= mostSteps) break;
    kept.delete(at);
  }
  const shown: ShownStep[] = [];
  let skipped = 0;
  for (const [at, step] of steps.entries()) {
    if (!kept.has(at)) {
      skipped += 1;
      continue;
    }
    if (skipped > 0) shown.push({ kind: 'gap', steps: skipped });
    skipped = 0;
    shown.push({ kind: 'step', number: at + 1, step });
  }
  return shown;
}

/** Indices between the first and the last step, from the middle outwards: how it starts and how it ends stays. */
function inner(last: number): readonly number[] {
  const middle = last / 2;
  return Array.from({ length: Math.max(0, last - 1) }, (_, at) => at + 1).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
}

/** `task > NMI > VE`. */
export function laneText(lane: readonly string[]): string {
  return lane.join(' > ');
}

export function changeText(change: { readonly field: string; readonly from: string; readonly to: string }): string {
  return `${change.field}: ${change.from} -> ${change.to}`;
}

export function gapText(steps: number): string {
  return `... ${steps} ${steps === 1 ? 'step' : 'steps'} not shown`;
}
