// Runs and witnesses as the trace panel shows them: places as ranges, and the text for a mail beside them.
import { mailFinding, mailRun } from '../core/render/mail.ts';
import type { Locate } from '../core/render/places.ts';
import { beyondText } from '../core/render/text.ts';
import type { Finding, RunReport, Trace } from '../core/review-types.ts';
import type { Locator } from './locate.ts';
import type { TraceView, ViewStep } from './protocol.ts';

export function viewOfReport(report: RunReport, locator: Locator, locate: Locate): TraceView {
  const finding = report.findings[0] ?? null;
  const lost = report.trace !== null && report.trace.steps.length === 0 && report.trace.choices.length > 0;
  return {
    title: `${report.design}: ${report.scenario} from ${report.start}`,
    rule: finding?.rule ?? null,
    message: finding?.message ?? null,
    design: report.design,
    scenario: report.scenario,
    start: report.start,
    verdict: report.verdict,
    states: report.states,
    transitions: report.transitions,
    depth: report.depth,
    variant: report.trace?.variant ?? [],
    bounds: report.bounds,
    boundsHit: report.boundsHit,
    beyond: beyondText(report),
    assumptions: report.assumptions,
    remarks: lost ? [...report.remarks, 'the text changed while this ran, so its trace cannot be replayed: run it again'] : report.remarks,
    steps: stepsOf(report.trace, locator),
    text: mailRun(report, locate).join('\n'),
  };
}

export function viewOfFinding(finding: Finding, design: string, locator: Locator, locate: Locate): TraceView {
  return {
    title: finding.message,
    rule: finding.rule,
    message: finding.message,
    design,
    scenario: finding.trace?.scenario ?? '',
    start: finding.trace?.start ?? '',
    verdict: null,
    states: null,
    transitions: null,
    depth: null,
    variant: finding.trace?.variant ?? [],
    bounds: [],
    boundsHit: [],
    beyond: [],
    assumptions: finding.premises.filter((premise) => premise.assumed).map((premise) => premise.fact),
    remarks: finding.variants.length > 1 ? [`the same in: ${finding.variants.join('; ')}`] : [],
    steps: stepsOf(finding.trace, locator),
    text: mailFinding(finding, locate).join('\n'),
  };
}

function stepsOf(trace: Trace | null, locator: Locator): readonly ViewStep[] {
  return (trace?.steps ?? []).map((step) => ({
    title: step.title,
    at: step.place === null ? null : locator.viewRange(step.place),
    symbol: step.symbol,
    lane: step.lane,
    changed: step.changed,
    merged: step.steps,
  }));
}
