// Findings as `checkpatch --terse` prints its own, one line each: for b4, for editors and for scripts that read these.
import type { Finding, Severity } from '../rules/finding.ts';
import type { Locate } from './places.ts';

/** What checkpatch calls them. */
const TYPES = { error: 'ERROR', warning: 'WARNING', info: 'CHECK', hint: 'CHECK' } as const satisfies Readonly<Record<Severity, string>>;

export function checkpatchLine(finding: Finding, locate: Locate): string {
  const { file, line } = locate(finding.place);
  return `${file}:${line}: ${TYPES[finding.severity]}: ${finding.message} [${finding.rule}]`;
}

/** Of no line: checkpatch names the standard input so, and b4 leaves the name out. */
export function checkpatchRemark(sentence: string): string {
  return `-: WARNING: ${sentence}`;
}
