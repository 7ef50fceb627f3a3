// Verdicts as a Markdown table, design by start: the table of the README. Pure text.
import { compare } from './places.ts';
import type { RunReport, Verdict } from '../rules/finding.ts';

/** A column of the table: the runs that it sums up. */
export interface VerdictColumn {
  readonly title: string;
  readonly of: (report: RunReport) => boolean;
}

const worst: readonly Verdict[] = ['violated', 'inconclusive', 'vacuous', 'holds'];

export interface Sum {
  /** The worst of the runs. */
  readonly verdict: Verdict;
  /** Of all runs together. */
  readonly states: number;
  /** Rules of the findings, by name. */
  readonly rules: readonly string[];
}

/** null where there is no run. */
export function sumUp(reports: readonly RunReport[]): Sum | null {
  const verdict = worst.find((candidate) => reports.some((report) => report.verdict === candidate));
  if (verdict === undefined) return null;
  const rules = reports.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'error' || severity === 'warning').map(({ rule }) => rule));
  return { verdict, states: reports.reduce((sum, report) => sum + report.states, 0), rules: [...new Set(rules)].sort(compare) };
}

/** One row a design, in the order of the map. */
export function verdictTable(designs: ReadonlyMap<string, readonly RunReport[]>, columns: readonly VerdictColumn[]): readonly string[] {
  return markdownTable(
    ['design', ...columns.map(({ title }) => title)],
    [...designs].map(([design, reports]) => [design, ...columns.map(({ of }) => cell(reports.filter(of)))]),
  );
}

function cell(reports: readonly RunReport[]): string {
  const sum = sumUp(reports);
  if (sum === null) return 'not run';
  const states = `${sum.states} ${sum.states === 1 ? 'state' : 'states'}`;
  const verdict = sum.verdict === 'violated' ? '**violated**' : sum.verdict;
  return `${[verdict, ...sum.rules].join(' ')} (${states})`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows].map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(3, ...all.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string => `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(all[0] ?? []), rule, ...all.slice(1).map(line)];
}
