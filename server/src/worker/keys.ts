// Traces cross the thread as replay keys: steps are cut before a result is sent and recomputed by the receiver's own
// review. A receiver whose text differs gets no steps instead of wrong ones. Traces of entry paths cross whole.
import { isWhole } from '../core/review/path-scenarios.ts';
import type { Finding, Review, RunReport, Trace } from '../core/review-types.ts';

function keyOf(trace: Trace | null): Trace | null {
  return trace === null || isWhole(trace.scenario) ? trace : { ...trace, steps: [] };
}

export function withKeys(finding: Finding): Finding {
  return { ...finding, trace: keyOf(finding.trace) };
}

export function reportWithKeys(report: RunReport): RunReport {
  return { ...report, trace: keyOf(report.trace), findings: report.findings.map(withKeys) };
}

function replayed(review: Review, folder: string, trace: Trace | null): Trace | null {
  if (trace === null || isWhole(trace.scenario)) return trace;
  return review.replay(folder, trace.scenario, trace.start, trace.choices) ?? trace;
}

/** The finding with its steps. One replay a call: callers keep the result. */
export function withSteps(review: Review, folder: string, finding: Finding): Finding {
  return { ...finding, trace: replayed(review, folder, finding.trace) };
}

export function reportWithSteps(review: Review, folder: string, report: RunReport): RunReport {
  return { ...report, trace: replayed(review, folder, report.trace) };
}
