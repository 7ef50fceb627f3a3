// Runs and witnesses as the trace panel shows them: places as ranges, and the text for a mail beside them.
import { mailFinding, mailRun } from '../core/render/mail.ts';
import type { Locate } from '../core/render/places.ts';
import { isWhole } from '../core/review/path-scenarios.ts';
import { beyondText } from '../core/render/text.ts';
import type { Finding, RunReport, Trace } from '../core/review-types.ts';
import type { Locator } from './locate.ts';
import type { ReplayKey, TraceView, ViewStep } from './protocol.ts';

/** `program` is a file of the design, null where the trace is not one of a scenario. */
export function viewOfReport(report: RunReport, locator: Locator, locate: Locate, program: string | null = null): TraceView {
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
    ...replayOf(report, locator, program),
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
    ...(finding.trace === null ? {} : { replay: findingKey(finding, locator) }),
  };
}

function replayOf(report: RunReport, locator: Locator, program: string | null): Pick<TraceView, 'replay'> {
  const finding = report.findings[0];
  const trace = report.trace ?? finding?.trace ?? null;
  if (trace === null || program === null || trace.steps.length === 0) return {};
  if (isWhole(report.scenario)) return finding === undefined ? {} : { replay: findingKey(finding, locator) };
  return { replay: { program: locator.uri(program), scenario: report.scenario, start: report.start, choices: trace.choices, message: finding?.message ?? report.remarks[0] ?? 'the scenario is violated', rule: finding?.rule ?? report.scenario } };
}

function findingKey({ place, rule }: Finding, locator: Locator): ReplayKey {
  const { uri, startLine } = locator.viewRange(place);
  return { file: uri, line: startLine + 1, rule };
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
