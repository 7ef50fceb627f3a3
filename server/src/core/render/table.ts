// Verdicts as a Markdown table, design by start: the table of the README. Pure text.
import type { RunReport, Verdict } from '../rules/finding.ts';

/** A column of the table: the runs that it sums up. */
export interface VerdictColumn {
  readonly title: string;
  readonly of: (report: RunReport) => boolean;
}

const worst: readonly Verdict[] = ['violated', 'inconclusive', 'vacuous', 'holds'];

/** The worst verdict of the runs with the sum of their states; null where there is none. */
export function sumUp(reports: readonly RunReport[]): { readonly verdict: Verdict; readonly states: number } | null {
  const verdict = worst.find((candidate) => reports.some((report) => report.verdict === candidate));
  return verdict === undefined ? null : { verdict, states: reports.reduce((sum, report) => sum + report.states, 0) };
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
  return sum.verdict === 'violated' ? `**violated** (${states})` : `${sum.verdict} (${states})`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows].map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(3, ...all.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string => `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(all[0] ?? []), rule, ...all.slice(1).map(line)];
}
