// Which trace of a review a launch means: of the reports of a scenario's runs, or of the findings of a file.
import type { Locate } from '../core/render/places.ts';
import type { Finding, Playback, Review, RunReport, Trace } from '../core/review-types.ts';
import { refused } from './host.ts';
import type { Found, Refused } from './host.ts';
import type { Wanted } from './launch.ts';

/** A trace with what it proves. */
interface Proof {
  readonly trace: Trace;
  readonly message: string;
  readonly rule: string;
}

/** The shortest trace of the first violated run, or of the one from the start that is asked for. */
export function chooseRun(review: Review, folder: string, reports: readonly RunReport[], { scenario, start }: Wanted & { readonly kind: 'scenario' }): Found | Refused {
  const fitting = start === null ? reports : reports.filter((report) => report.start === start);
  if (reports.length === 0) return refused(scenario === null ? 'no scenario applies to this design, so there is no trace to replay' : `scenario '${scenario}' does not apply to this design: an event that it needs has no handler in it`);
  if (fitting.length === 0) return refused(`scenario '${scenario ?? ''}' has no start '${start ?? ''}' here; it has ${[...new Set(reports.map((report) => report.start))].join(', ')}`);
  const violated = fitting.filter((report) => report.verdict === 'violated');
  for (const report of violated) {
    const proof = proofOf(report);
    const playback = proof === null ? null : review.playback(folder, proof.trace);
    if (proof === null || playback === null) continue;
    const others = violated.filter((other) => other !== report).map((other) => `also violated: ${other.scenario} from ${other.start}`);
    return found(playback, `${report.design}: ${report.scenario} from ${report.start}`, proof, [...report.bounds.map((bound) => `bound: ${bound}`), ...others]);
  }
  const told = fitting.map((report) => `${scenario === null ? `${report.scenario} ` : ''}from ${report.start}: ${report.verdict}`);
  return refused(`there is no trace to replay: ${violated.length > 0 ? 'the violated runs have none' : 'no run is violated'} (${told.slice(0, 6).join('; ')}${told.length > 6 ? `; and ${told.length - 6} more` : ''})`);
}

function proofOf(report: RunReport): Proof | null {
  const own = report.trace;
  const same = report.findings.find((finding) => own !== null && finding.trace?.choices.join() === own.choices.join()) ?? null;
  if (own !== null) return { trace: own, message: same?.message ?? report.remarks[0] ?? 'the scenario is violated', rule: same?.rule ?? report.scenario };
  const finding = report.findings.find((one) => one.trace !== null);
  return finding?.trace === null || finding === undefined ? null : { trace: finding.trace, message: finding.message, rule: finding.rule };
}

/** The finding at a line, or the first of the file, with a trace. `keys` name findings as diagnostics do. */
export function chooseFinding(review: Review, folder: string, findings: readonly Finding[], locate: Locate, { line, rule, key }: Wanted & { readonly kind: 'finding' }, keys: ReadonlyMap<Finding, string>): Found | Refused {
  const traced = findings.filter((finding) => finding.trace !== null);
  const ofRule = rule === null ? traced : traced.filter((finding) => finding.rule === rule);
  const here = (finding: Finding): boolean => {
    const at = locate(finding.place);
    return line === null || (at.line <= line && line <= at.endLine);
  };
  const chosen = (key === null ? undefined : traced.find((finding) => keys.get(finding) === key)) ?? ofRule.find(here);
  if (chosen?.trace === undefined || chosen.trace === null) {
    const where = `${rule === null ? 'no finding' : `no finding of ${rule}`}${line === null ? '' : ` at line ${line}`} of this file has a trace to replay`;
    const others = [...new Set(traced.map((finding) => `${finding.rule} at line ${locate(finding.place).line}`))];
    const untraced = findings.filter((finding) => finding.trace === null && here(finding));
    return refused(`${where}${others.length > 0 ? `; there is ${others.slice(0, 5).join(', ')}` : untraced.length > 0 ? '; its findings rest on the code as it stands, without a run' : ''}`);
  }
  const playback = review.playback(folder, chosen.trace);
  if (playback === null) return refused(`the trace of ${chosen.rule} cannot be replayed: the text changed since it was found`);
  return found(playback, `${chosen.trace.scenario} from ${chosen.trace.start}`, { trace: chosen.trace, message: chosen.message, rule: chosen.rule }, chosen.premises.map(({ fact, assumed }) => `${assumed ? 'assumed' : 'rests on'}: ${fact}`));
}

/** The trace of choices that a client kept. */
export function chooseChoices(review: Review, folder: string, { scenario, start, choices, message, rule }: Wanted & { readonly kind: 'choices' }): Found | Refused {
  const trace: Trace = { steps: [], choices, scenario, start, variant: [] };
  const playback = review.playback(folder, trace);
  if (playback === null) return refused(`the trace of ${scenario} from ${start} cannot be replayed: there is no such scenario here, or the text changed since it ran`);
  return found(playback, `${scenario} from ${start}`, { trace, message, rule: rule ?? scenario }, []);
}

function found(playback: Playback, title: string, { message, rule }: Proof, notes: readonly string[]): Found {
  return { kind: 'found', playback, title, message, rule, notes };
}
