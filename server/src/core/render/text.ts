// Findings and runs in the form of compilers: `file:line:col: error: message [rule]` with indented notes, readable by
// `:make` and `M-x compile`. Pure text; knows no terminal.
import type { Finding, Premise, RunReport, Severity, Trace, Verdict } from '../rules/finding.ts';
import { unreachable } from '../base/unreachable.ts';
import { emptyConfiguration } from '../preprocess/configurations.ts';
import type { Paint } from './paint.ts';
import { point } from './places.ts';
import type { Locate } from './places.ts';
import { changeText, gapText, laneText, shownSteps } from './steps.ts';

const indent = '    ';

export function findingText(finding: Finding, locate: Locate, paint: Paint): readonly string[] {
  const at = paint.strong(`${point(locate(finding.place))}:`);
  return [
    `${at} ${severityPaint(finding.severity, paint)(`${finding.severity}:`)} ${paint.strong(finding.message)} [${finding.rule}]`,
    ...(finding.trace === null ? [] : traceText(finding.trace, locate)),
    ...finding.related.map(({ place, message }) => `${indent}${point(locate(place))}: note: ${message}`),
    ...finding.premises.map((premise) => premiseText(premise, locate)),
    ...(seenIn(finding).length === 0 ? [] : [`${indent}note: seen in: ${seenIn(finding).join('; ')}`]),
  ];
}

/** Where the same root cause shows; that code outside a kernel tree has no configuration says nothing. */
export function seenIn({ variants }: Finding): readonly string[] {
  return variants.filter((one) => one !== emptyConfiguration.name);
}

/** The trace as notes: how the machine comes to what the finding says. */
export function traceText(trace: Trace, locate: Locate): readonly string[] {
  return [`${indent}note: ${traceHead(trace)}`, ...shownSteps(trace).map((shown) => indent + stepNote(shown, locate))];
}

function stepNote(shown: ReturnType<typeof shownSteps>[number], locate: Locate): string {
  switch (shown.kind) {
    case 'gap':
      return `note: ${gapText(shown.steps)}`;
    case 'step': {
      const { place, title, changed, lane } = shown.step;
      const at = place === null ? '' : `${point(locate(place))}: `;
      const changes = changed.length === 0 ? '' : ` (${changed.map(changeText).join('; ')})`;
      const path = lane.length === 0 ? '' : `[${laneText(lane)}] `;
      return `${at}note: ${shown.number}. ${path}${title}${changes}`;
    }
    default:
      return unreachable(shown);
  }
}

/** `trace of perf-nmi-ve from user, on FSGSBASE, 7 steps`. */
export function traceHead(trace: Trace): string {
  const variant = trace.variant.length === 0 ? '' : `, with ${trace.variant.join(', ')}`;
  const steps = trace.steps.length;
  return `trace of ${trace.scenario} from ${trace.start}${variant}, ${steps} ${steps === 1 ? 'step' : 'steps'}`;
}

function premiseText({ fact, place, assumed }: Premise, locate: Locate): string {
  const at = place === null ? '' : `${point(locate(place))}: `;
  return `${indent}${at}note: ${assumed ? 'assumed' : 'premise'}: ${fact}`;
}

export function verdictPaint(verdict: Verdict, paint: Paint): (text: string) => string {
  switch (verdict) {
    case 'holds':
      return paint.good;
    case 'violated':
      return paint.bad;
    case 'vacuous':
    case 'inconclusive':
      return paint.doubtful;
    default:
      return unreachable(verdict);
  }
}

function severityPaint(severity: Severity, paint: Paint): (text: string) => string {
  switch (severity) {
    case 'error':
      return paint.bad;
    case 'warning':
      return paint.doubtful;
    case 'info':
    case 'hint':
      return paint.quiet;
    default:
      return unreachable(severity);
  }
}

/** `ve-early: perf-nmi-ve from user: violated (812 states, depth 31)`. */
export function runHead(report: RunReport, paint: Paint): string {
  const verdict = verdictPaint(report.verdict, paint)(report.verdict);
  return `${report.design}: ${report.scenario} from ${report.start}: ${verdict} (${report.states} ${report.states === 1 ? 'state' : 'states'}, depth ${report.depth})`;
}

/** What a run that holds says beyond its bounds, as a sentence or none. */
export function beyondText({ anyNumber }: RunReport): readonly string[] {
  if (anyNumber === undefined || anyNumber === null) return [];
  const { verdict, bound, states, why } = anyNumber;
  switch (verdict) {
    case 'holds':
      return [`holds for ${bound} (${states.toLocaleString('en')} states)`];
    case 'violated':
      return [`violated by ${why ?? ''}`];
    case 'open':
      return [`open for ${bound}: ${why ?? ''}`];
    default:
      return unreachable(verdict);
  }
}

/** One run: its verdict, what it is worth, and the findings that prove it. */
export function runText(report: RunReport, locate: Locate, paint: Paint): readonly string[] {
  const proof =
    report.findings.length > 0
      ? report.findings.flatMap((finding) => findingText(finding, locate, paint))
      : report.trace === null
        ? []
        : traceText(report.trace, locate);
  return [
    runHead(report, paint),
    ...proof,
    ...(report.boundsHit.length === 0 ? [] : [`${indent}note: bounds hit: ${report.boundsHit.join(', ')}`]),
    ...report.remarks.map((remark) => `${indent}note: ${remark}`),
    ...report.assumptions.map((assumption) => `${indent}note: assumed: ${assumption}`),
    `${indent}note: bounds: ${report.bounds.length === 0 ? 'none' : report.bounds.join(', ')}`,
    ...beyondText(report).map((text) => `${indent}note: beyond the bounds: ${text}`),
  ];
}
