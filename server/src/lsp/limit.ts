// Keeps one root cause from filling the problem list: two findings of one rule per entry point, then a count.
import type { Finding } from '../core/review-types.ts';

const shown = 2;

/** Told apart by file and by the function in which the trace ends; findings without a trace stand for themselves. */
export function limitFindings(findings: readonly Finding[]): readonly Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const entry = finding.trace?.steps.at(-1)?.symbol;
    const key = entry === undefined || entry === '' ? `alone ${groups.size}` : `${finding.rule} ${finding.place.file} ${entry}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()].flatMap(limitGroup);
}

function limitGroup(group: readonly Finding[]): readonly Finding[] {
  const first = group[shown];
  if (first === undefined) return group;
  const rest = group.length - shown;
  const counted: Finding = { ...first, message: `and ${rest} more of ${first.rule} on this entry path: ${first.message}`, fix: null };
  return [...group.slice(0, shown), counted];
}
