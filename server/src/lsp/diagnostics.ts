// Findings in their published form. The trace goes into related information, at most 20 key steps, or is folded into
// the message for clients that cannot show it: the same sentences either way.
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver';
import type { Diagnostic, DiagnosticRelatedInformation } from 'vscode-languageserver/node';
import { unreachable } from '../core/base/unreachable.ts';
import type { Place } from '../core/base/span.ts';
import { changeText, gapText, laneText, shownSteps } from '../core/render/steps.ts';
import { traceHead } from '../core/render/text.ts';
import type { Finding, Severity, Trace, TraceStep } from '../core/review-types.ts';
import type { Locator } from './locate.ts';
import { ruleUri } from './protocol.ts';

export interface DiagnosticAbilities {
  readonly relatedInformation: boolean;
  readonly codeDescription: boolean;
  readonly tags: boolean;
}

interface Note {
  readonly place: Place;
  readonly text: string;
}

export const source = 'entrycheck';

/** Names a finding to code actions and commands; stays the same while the finding's text only moves. */
export function findingKeys(findings: readonly Finding[]): ReadonlyMap<Finding, string> {
  const counts = new Map<string, number>();
  const keys = new Map<Finding, string>();
  for (const finding of findings) {
    const base = `${finding.rule}: ${finding.message}`;
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    keys.set(finding, count === 0 ? base : `${base} (${count + 1})`);
  }
  return keys;
}

export function diagnosticOf(finding: Finding, key: string, locator: Locator, abilities: DiagnosticAbilities): Diagnostic {
  const notes = notesOf(finding);
  const tags = tagsOf(finding.rule);
  return {
    range: locator.location(finding.place).range,
    severity: severityOf(finding.severity),
    source,
    code: finding.rule,
    message: abilities.relatedInformation ? finding.message : folded(finding.message, notes, locator),
    data: { key },
    ...(abilities.codeDescription ? { codeDescription: { href: ruleUri(finding.rule) } } : {}),
    ...(abilities.tags && tags.length > 0 ? { tags } : {}),
    ...(abilities.relatedInformation && notes.length > 0 ? { relatedInformation: notes.map((note) => relatedOf(note, locator)) } : {}),
  };
}

/** Something the tool has to say about a whole file. */
export function fileNotice(message: string, severity: DiagnosticSeverity): Diagnostic {
  const start = { line: 0, character: 0 };
  return { range: { start, end: start }, severity, source, code: 'entrycheck', message };
}

function relatedOf(note: Note, locator: Locator): DiagnosticRelatedInformation {
  return { location: locator.location(note.place), message: note.text };
}

function folded(message: string, notes: readonly Note[], locator: Locator): string {
  const lines = notes.map((note) => {
    const { uri, range } = locator.location(note.place);
    return `  ${uri.slice(uri.lastIndexOf('/') + 1)}:${range.start.line + 1}: ${note.text}`;
  });
  return [message, ...lines].join('\n');
}

/** The sentences of the command line's notes, in its order. Those without a place stand at the finding. */
function notesOf(finding: Finding): readonly Note[] {
  const { place } = finding;
  return [
    ...(finding.trace === null || finding.trace.steps.length === 0 ? [] : traceNotes(finding.trace, place)),
    ...finding.related.map((related) => ({ place: related.place, text: related.message })),
    ...finding.premises.map((premise) => ({ place: premise.place ?? place, text: `${premise.assumed ? 'assumed' : 'premise'}: ${premise.fact}` })),
    ...(finding.variants.length === 0 ? [] : [{ place, text: `seen in: ${finding.variants.join('; ')}` }]),
  ];
}

function traceNotes(trace: Trace, place: Place): readonly Note[] {
  const steps = shownSteps(trace).map((shown) => {
    if (shown.kind === 'gap') return { place, text: gapText(shown.steps) };
    return { place: shown.step.place ?? place, text: stepNote(shown.number, shown.step) };
  });
  return [{ place, text: traceHead(trace) }, ...steps];
}

function stepNote(number: number, { title, changed, lane }: TraceStep): string {
  const path = lane.length === 0 ? '' : `[${laneText(lane)}] `;
  const changes = changed.length === 0 ? '' : ` (${changed.map(changeText).join('; ')})`;
  return `${number}. ${path}${title}${changes}`;
}

function severityOf(severity: Severity): DiagnosticSeverity {
  switch (severity) {
    case 'error':
      return DiagnosticSeverity.Error;
    case 'warning':
      return DiagnosticSeverity.Warning;
    case 'info':
      return DiagnosticSeverity.Information;
    case 'hint':
      return DiagnosticSeverity.Hint;
    default:
      return unreachable(severity);
  }
}

function tagsOf(rule: string): DiagnosticTag[] {
  return /unused|redundant/.test(rule) ? [DiagnosticTag.Unnecessary] : [];
}
