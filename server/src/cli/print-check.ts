// What `check` prints of one run, in each of its formats: findings on the standard output, what they are worth on the
// error stream.
import { coverageText } from '../core/render/coverage.ts';
import { checkJson } from '../core/render/json.ts';
import type { Checked, JsonBaseline, JsonPatches } from '../core/render/json.ts';
import { mailFinding } from '../core/render/mail.ts';
import { coloured, plain } from '../core/render/paint.ts';
import type { Locate } from '../core/render/places.ts';
import { findingText } from '../core/render/text.ts';
import { unknownText } from '../core/render/unknown.ts';
import type { Coverage, Finding, Unknown } from '../core/review-types.ts';
import { unreachable } from '../core/base/unreachable.ts';
import type { Io } from './io.ts';
import { tellUnknown } from './tell-unknown.ts';

export const formats = ['gcc', 'json', 'mail'] as const;
export type Format = (typeof formats)[number];

export interface Shown {
  readonly findings: readonly Finding[];
  readonly unknown: readonly Unknown[];
  readonly coverage: readonly Coverage[];
  readonly baseline: JsonBaseline | null;
  readonly patches: JsonPatches | null;
}

/** `told` is whether coverage was asked for; in JSON it always is. */
export function printCheck(shown: Shown, format: Format, told: boolean, locate: Locate, io: Io): void {
  switch (format) {
    case 'json':
      printJson({ ...shown, unknown: shown.unknown.map((one) => unknownText(one, locate)) }, locate, io);
      return;
    case 'gcc':
      for (const finding of shown.findings) printLines(findingText(finding, locate, io.color ? coloured : plain), io);
      break;
    case 'mail':
      for (const finding of shown.findings) printLines([...mailFinding(finding, locate), ''], io);
      break;
    default:
      unreachable(format);
  }
  if (told) for (const one of shown.coverage) printLines(coverageText(one), io);
  if (told && shown.coverage.length === 0) io.out('coverage: nothing here is judged by rules or entry paths\n');
  for (const sentence of [...baselineTexts(shown.baseline), ...tellUnknown(shown.unknown, locate), ...patchTexts(shown.patches)]) io.err(`entrycheck: ${sentence}\n`);
}

export function printJson(checked: Checked, locate: Locate, io: Io): void {
  io.out(`${JSON.stringify(checkJson(checked, locate), null, 2)}\n`);
}

function printLines(lines: readonly string[], io: Io): void {
  io.out(`${lines.join('\n')}\n`);
}

function baselineTexts(baseline: JsonBaseline | null): readonly string[] {
  if (baseline === null) return [];
  const { file, known, stale } = baseline;
  return [
    `${known === 1 ? '1 finding is' : `${known} findings are`} in the baseline ${file} and not shown`,
    ...stale.map((entry) => `${file}: found no more${entry.count > 1 ? `, ${entry.count} times` : ''}: ${entryText(entry)}`),
  ];
}

/** What patches do beside the findings that are shown, which say themselves what they come with. */
function patchTexts(patches: JsonPatches | null): readonly string[] {
  if (patches === null) return [];
  const { subjects, known, changes } = patches;
  const title = (number: number): string => patchTitle(number, subjects);
  return [
    ...(known === 0 ? [] : [`${known === 1 ? '1 finding is' : `${known} findings are`} there without the patches and not shown`]),
    ...changes.flatMap((change) => {
      const { broughtBy, takenAwayBy } = change;
      if (takenAwayBy === null) return [];
      if (broughtBy !== null) return [`not there in the end: ${title(broughtBy)} brings it, ${title(takenAwayBy)} takes it away: ${entryText(change)}`];
      return [`taken away by ${subjects.length === 1 ? 'the patches' : title(takenAwayBy)}: ${entryText(change)}`];
    }),
  ];
}

/** `patch 2 of 5 (Take the lock)`. */
export function patchTitle(number: number, subjects: readonly string[]): string {
  const subject = subjects[number - 1] ?? '';
  return `patch ${number} of ${subjects.length}${subject === '' ? '' : ` (${subject})`}`;
}

function entryText({ rule, path, symbol, line }: { readonly rule: string; readonly path: string; readonly symbol: string | null; readonly line: string }): string {
  return `${rule} at ${path}${symbol === null ? '' : `#${symbol}`}: ${line}`;
}
