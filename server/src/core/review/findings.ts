// Findings of a unit: those of the front end and of rules that need no run, and those of runs merged by root cause.
import type { Place } from '../base/span.ts';
import type { Finding, RunReport, Severity } from '../rules/finding.ts';
import { RULES } from '../rules/index.ts';
import { NESTED_NMI_RULE } from '../rules/nested-nmi-breaks-frame.ts';
import { NESTED_NMIS } from './path-scenarios.ts';
import type { Inspection, Judgement, Rule } from '../rules/rule.ts';

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2, hint: 3 };
const LOWER: Readonly<Record<Severity, Severity>> = { error: 'warning', warning: 'info', info: 'hint', hint: 'hint' };

/** The rule's severity, one step lower where a premise is only assumed. */
export function severityOf(rule: Rule, judgement: Judgement): Severity {
  const own = judgement.severity ?? rule.severity;
  return judgement.premises.some((premise) => premise.assumed) ? LOWER[own] : own;
}

export function plainFinding(rule: string, severity: Severity, place: Place, message: string): Finding {
  return { rule, severity, place, message, premises: [], trace: null, related: [], fix: null, variants: [] };
}

/** Judges the program by the rules that need no run. A rule that throws becomes one finding that names it. */
export function inspect(rules: readonly Rule[], inspection: Inspection, fallback: Place): readonly Finding[] {
  const out: Finding[] = [];
  for (const rule of rules) {
    if (rule.inspect === null) continue;
    try {
      for (const judgement of rule.inspect(inspection)) {
        out.push({
          rule: rule.name,
          severity: severityOf(rule, judgement),
          place: judgement.place,
          message: judgement.message,
          premises: judgement.premises,
          trace: null,
          related: judgement.related ?? [],
          fix: rule.fix === null ? null : rule.fix(judgement.place, inspection),
          variants: [],
        });
      }
    } catch (error) {
      out.push(plainFinding(rule.name, 'info', fallback, `the rule ${rule.name} failed here and was left out: ${String(error)}`));
    }
  }
  return out;
}

/** One finding a root cause: the strongest, with the shortest trace, naming every scenario in which it shows. */
export function merge(reports: readonly RunReport[]): readonly Finding[] {
  const merged = new Map<string, Finding>();
  for (const report of reports) {
    for (const finding of report.findings) {
      // A protocol of nesting fails at many instructions at once: the shortest trace shows the cause.
      const key = finding.rule === NESTED_NMI_RULE && report.scenario === NESTED_NMIS ? finding.rule : `${finding.rule}|${finding.place.file}|${finding.place.span.start}`;
      const own = finding.variants.filter((name) => name !== report.scenario);
      const variants = own.length > 0 ? own : [`${report.scenario} from ${report.start}`];
      const before = merged.get(key);
      if (before === undefined) merged.set(key, { ...finding, variants });
      else merged.set(key, { ...better(before, finding), variants: [...new Set([...before.variants, ...variants])] });
    }
  }
  return alike([...merged.values()]);
}

const saidOnce: ReadonlySet<string> = new Set(RULES.filter((rule) => rule.saidOnce === true).map(({ name }) => name));

/** Where such a rule says the same of several places, the one with the shortest trace stands for all. */
function alike(findings: readonly Finding[]): readonly Finding[] {
  const groups = new Map<string, Finding[]>();
  const out: Finding[] = [];
  for (const finding of findings) {
    const key = `${finding.rule}|${finding.place.file}|${finding.message}`;
    if (!saidOnce.has(finding.rule)) out.push(finding);
    else groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  for (const group of groups.values()) {
    const [first, ...others] = group.sort((a, b) => lengthOf(a) - lengthOf(b));
    if (first !== undefined) out.push({ ...first, related: [...first.related, ...others.sort(inOrder).map(({ place }) => ({ place, message: 'the same here' }))] });
  }
  return out.sort(inOrder);
}

function better(a: Finding, b: Finding): Finding {
  if (RANK[a.severity] !== RANK[b.severity]) return RANK[a.severity] < RANK[b.severity] ? a : b;
  return lengthOf(a) <= lengthOf(b) ? a : b;
}

/** Machine steps of a finding's trace. */
function lengthOf(finding: Finding): number {
  return finding.trace === null ? Infinity : finding.trace.steps.reduce((sum, step) => sum + step.steps, 0);
}

function inOrder(a: Finding, b: Finding): number {
  if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
  return a.place.span.start - b.place.span.start || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
