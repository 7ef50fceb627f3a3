// What `check` prints of one run, in each of its formats: findings on the standard output, what they are worth on the
// error stream.
import { checkpatchLine, checkpatchRemark } from '../core/render/checkpatch.ts';
import { coverageText } from '../core/render/coverage.ts';
import { checkJson } from '../core/render/json.ts';
import type { Checked, JsonBaseline, JsonPatches } from '../core/render/json.ts';
import { mailFinding } from '../core/render/mail.ts';
import { coloured, plain } from '../core/render/paint.ts';
import type { Locate } from '../core/render/places.ts';
import { findingText } from '../core/render/text.ts';
import { unknownText } from '../core/render/unknown.ts';
import type { AcceptedFinding, Coverage, Finding, Unknown } from '../core/review-types.ts';
import { unreachable } from '../core/base/unreachable.ts';
import type { Io } from './io.ts';
import { baselineTexts, patchTexts } from './print-notes.ts';
import { printSarif } from './print-sarif.ts';
import type { Session } from './session.ts';
import { tellUnknown } from './tell-unknown.ts';

export const formats = ['gcc', 'json', 'mail', 'sarif', 'checkpatch'] as const;
export type Format = (typeof formats)[number];

export interface Shown {
  readonly findings: readonly Finding[];
  readonly accepted: readonly AcceptedFinding[];
  readonly unknown: readonly Unknown[];
  readonly coverage: readonly Coverage[];
  readonly baseline: JsonBaseline | null;
  readonly patches: JsonPatches | null;
}

/** `told` is whether coverage was asked for; in JSON it always is. */
export function printCheck(checked: Shown, format: Format, told: boolean, session: Session, io: Io): void {
  const { locate } = session;
  const shown: Shown = { ...checked, coverage: checked.coverage.map((one) => ({ ...one, subject: session.shown(one.subject) })) };
  switch (format) {
    case 'json':
      printJson({ ...shown, unknown: shown.unknown.map((one) => unknownText(one, locate)) }, locate, io);
      return;
    case 'sarif':
      printSarif(shown, session, io);
      return;
    case 'checkpatch':
      printLines(shown.findings.map((finding) => checkpatchLine(finding, locate)), io);
      for (const one of shown.unknown) if (one.kind === 'unfinished') remarksOf(format, io).worthLess(unknownText(one, locate));
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

export interface Remarks {
  /** What makes the result worth less. */
  readonly worthLess: (sentence: string) => void;
  readonly aside: (sentence: string) => void;
}

/** On the error stream; what reads checkpatch's lines takes every line there for a failure. */
export function remarksOf(format: Format, io: Io): Remarks {
  const said = (sentence: string): void => io.err(`entrycheck: ${sentence}\n`);
  if (format !== 'checkpatch') return { worthLess: said, aside: said };
  return { worthLess: (sentence) => io.out(`${checkpatchRemark(sentence)}\n`), aside: () => undefined };
}

export function printJson(checked: Checked, locate: Locate, io: Io): void {
  io.out(`${JSON.stringify(checkJson(checked, locate), null, 2)}\n`);
}

function printLines(lines: readonly string[], io: Io): void {
  if (lines.length > 0) io.out(`${lines.join('\n')}\n`);
}
