// The list of rules, in the order of the catalogue.
import { guardClearedOnRewindingStack } from './guard-cleared-on-rewinding-stack.ts';
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [guardClearedOnRewindingStack];

const byName = new Map(RULES.flatMap((rule) => [[rule.name, rule] as const, [rule.id, rule] as const]));

/** By name or by catalogue id. */
export function ruleNamed(name: string): Rule | null {
  return byName.get(name) ?? byName.get(name.toUpperCase()) ?? null;
}
