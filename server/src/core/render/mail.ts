// Traces and runs for a mail: at most 72 columns, quotable, one numbered step a line with its lane (the live frames)
// and what it changed below. Pure text, no colour.
import { unreachable } from '../base/unreachable.ts';
import type { Finding, RunReport, Trace } from '../rules/finding.ts';
import { compare } from './places.ts';
import type { Locate } from './places.ts';
import { changeText, gapText, laneText, shownSteps } from './steps.ts';
import type { ShownStep } from './steps.ts';
import { beyondText, traceHead } from './text.ts';
import { hang } from './wrap.ts';

export const mailWidth = 72;
const widestLane = 22;
const widestFile = 52;

/** The numbered steps, without a heading. */
export function mailSteps(trace: Trace, locate: Locate): readonly string[] {
  const shown = shownSteps(trace);
  const lanes = shown.map((item) => (item.kind === 'step' ? fitLane(item.step.lane) : ''));
  const width = Math.max(0, ...lanes.map((lane) => lane.length));
  return shown.flatMap((item, at) => stepLines(item, (lanes[at] ?? '').padEnd(width), locate));
}

function stepLines(item: ShownStep, lane: string, locate: Locate): readonly string[] {
  const margin = ' '.repeat(4 + (lane === '' ? 0 : lane.length + 2));
  switch (item.kind) {
    case 'gap':
      return [margin + gapText(item.steps)];
    case 'step': {
      const { place, title, symbol, changed } = item.step;
      const head = `${String(item.number).padStart(2)}  ${lane === '' ? '' : `${lane}  `}`;
      const at = place === null ? '' : `${shortFile(place.file)}:${locate(place).line}`;
      const where = [at, symbol].filter((part) => part !== '').join(' ');
      return [
        ...hang(head, margin, title, mailWidth),
        ...(where === '' ? [] : hang(margin, `${margin}  `, where, mailWidth)),
        ...changed.flatMap((change) => hang(`${margin}  `, `${margin}    `, changeText(change), mailWidth)),
      ];
    }
    default:
      return unreachable(item);
  }
}

/** Outer frames give way first: `.. > NMI > VE`. */
function fitLane(lane: readonly string[]): string {
  for (let from = 0; from < lane.length; from += 1) {
    const text = laneText(from === 0 ? lane : ['..', ...lane.slice(from)]);
    if (text.length <= widestLane) return text;
  }
  return (lane.at(-1) ?? '').slice(0, widestLane);
}

/** Outer folders of a long path give way. */
function fitFile(file: string): string {
  const parts = file.split('/');
  while (parts.length > 1 && parts.join('/').length > widestFile) parts.shift();
  const short = parts.join('/');
  return short === file ? file : `.../${short}`;
}

/** A mail names the file; the folder stands in the heading. */
function shortFile(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

export function mailFinding(finding: Finding, locate: Locate): readonly string[] {
  const { file, line } = locate(finding.place);
  return [
    ...hang('', '  ', `${fitFile(file)}:${line}: ${finding.message}`, mailWidth),
    ...hang('  ', '  ', `${finding.severity}, rule ${finding.rule}`, mailWidth),
    ...finding.premises.flatMap(({ fact, assumed }) => hang('  ', '    ', `${assumed ? 'assumed' : 'premise'}: ${fact}`, mailWidth)),
    ...(finding.trace === null ? [] : ['', ...hang('', '  ', `${traceHead(finding.trace)}:`, mailWidth), ...mailSteps(finding.trace, locate)]),
  ];
}

export function mailRun(report: RunReport, locate: Locate): readonly string[] {
  const head = `${report.design}: ${report.scenario} from ${report.start}: ${report.verdict}, ${report.states} states`;
  const proof = shortest(report.findings);
  const list = (label: string, facts: readonly string[]): readonly string[] =>
    facts.flatMap((fact, at) => hang(at === 0 ? label : ' '.repeat(label.length), ' '.repeat(label.length + 2), fact, mailWidth));
  return [
    ...hang('', '  ', head, mailWidth),
    ...list('bounds:  ', report.bounds.length === 0 ? [] : [report.bounds.join(', ')]),
    ...list('beyond:  ', beyondText(report)),
    ...list('hit:     ', report.boundsHit.length === 0 ? [] : [report.boundsHit.join(', ')]),
    ...list('assumed: ', report.assumptions),
    ...list('remark:  ', report.remarks),
    ...(proof !== null ? ['', ...mailFinding(proof, locate)] : report.trace === null ? [] : ['', ...mailSteps(report.trace, locate)]),
  ];
}

/** The finding with the shortest trace; the one that a reader follows first. */
export function shortest(findings: readonly Finding[]): Finding | null {
  const length = (finding: Finding): number => finding.trace?.choices.length ?? Number.MAX_SAFE_INTEGER;
  return [...findings].sort((a, b) => length(a) - length(b) || compare(a.rule, b.rule))[0] ?? null;
}
