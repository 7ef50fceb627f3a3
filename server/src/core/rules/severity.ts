// The severity of a judgement: the rule's own, one step lower where a premise is only assumed.
import type { Severity } from './finding.ts';
import type { Judgement, Rule } from './rule.ts';

const LOWER: Readonly<Record<Severity, Severity>> = { error: 'warning', warning: 'info', info: 'hint', hint: 'hint' };

export function severityOf(rule: Pick<Rule, 'severity'>, judgement: Judgement): Severity {
  const own = judgement.severity ?? rule.severity;
  return judgement.premises.some((premise) => premise.assumed) ? LOWER[own] : own;
}
