// Accepted findings: `xctx: allow RULE -- reason` at the next statement or function, and what sidecar files know. Takes
// them out, and tells which of the suppressions took out nothing.
import { nearest } from '../base/nearest.ts';
import type { Place, Span } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import type { Program } from '../program/program.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { Finding } from './finding.ts';
import { RULES, ruleNamed } from './index.ts';
import { statementAt } from './text-edits.ts';
import { deleteSuppression } from './unused-suppression.ts';
import { labelPlace } from './vocabulary.ts';

export type Allow = Directive & { readonly kind: 'allow' };

/** Findings that somebody accepts: by an annotation in the code, or by a line of a sidecar file. */
export interface Suppression {
  /** Name or catalogue id, as written. */
  readonly rule: string;
  /** The file whose findings it takes out. */
  readonly file: string;
  /** null for the whole file. */
  readonly scope: Span | null;
  /** Where it is written. */
  readonly place: Place;
  /** null where none is given. */
  readonly reason: string | null;
  /** Why it takes out nothing any more: `it was to be looked at again by 2027-01-31`; null while it counts. */
  readonly expired: string | null;
}

export interface Suppressed<T> {
  readonly kept: readonly T[];
  /** What was taken out, and what accepts it. */
  readonly taken: readonly { readonly finding: T; readonly by: Suppression }[];
  readonly unused: readonly Suppression[];
}

/** Takes the findings out that are accepted; those that are kept keep their order. */
export function suppress<T extends { readonly rule: string; readonly place: Place }>(findings: readonly T[], suppressions: readonly Suppression[]): Suppressed<T> {
  if (suppressions.length === 0) return { kept: findings, taken: [], unused: [] };
  const used = new Set<Suppression>();
  const taken: { finding: T; by: Suppression }[] = [];
  const kept = findings.filter((finding) => {
    const by = suppressions.filter((one) => covers(one, finding));
    for (const one of by) used.add(one);
    const counting = by.find((one) => one.expired === null);
    if (counting !== undefined) taken.push({ finding, by: counting });
    return counting === undefined;
  });
  return { kept, taken, unused: suppressions.filter((one) => one.expired !== null || !used.has(one)) };
}

/** The suppressions that a program's annotations are; `text` reads a file of the unit. */
export function allowsOf(program: Program, text: (file: string) => string | null): readonly Suppression[] {
  return program.directives
    .filter((directive): directive is Allow => directive.kind === 'allow')
    .map((allow) => ({ rule: allow.rule, file: allow.annotation.file, scope: scopeOf(allow, program, text), place: allow.place, reason: allow.annotation.reason?.text ?? null, expired: null }));
}

/** Findings for the suppressions that `suppress()` names as unused. */
export function unusedSuppressions(unused: readonly Suppression[], text: (file: string) => string | null): readonly Finding[] {
  return unused.map(({ rule, place, expired }) => ({
    rule: 'unused-suppression',
    severity: 'warning',
    place,
    message: expired ?? `this suppression allows nothing: ${whyUnused(rule)}; delete it`,
    premises: [],
    trace: null,
    related: [],
    fix: deleteSuppression(place, text),
    variants: [],
  }));
}

function whyUnused(rule: string): string {
  if (ruleNamed(rule) !== null) return `${rule} finds nothing here`;
  const near = nearest(rule, RULES.flatMap((one) => [one.name, one.id]));
  return `no rule is called ${rule}${near === null ? '' : `, the nearest is ${near}`}`;
}

function covers({ rule, file, scope }: Suppression, finding: { readonly rule: string; readonly place: Place }): boolean {
  const name = ruleNamed(rule)?.name ?? rule;
  return finding.rule === name && finding.place.file === file && (scope === null || (scope.start <= finding.place.span.start && finding.place.span.start < scope.end));
}

/** The function whose head the annotation stands at, else the statement behind it. */
function scopeOf(allow: Allow, program: Program, text: (file: string) => string | null): Span {
  const { file, subjectOffset } = allow.annotation;
  for (const info of program.functions.values()) {
    const span = info.source?.span;
    if (span !== undefined && info.source?.file === file && span.start <= subjectOffset && subjectOffset <= info.source.nameSpan.start) return span;
  }
  const whole = text(file) ?? '';
  const line = lineAt(whole, subjectOffset);
  if (!/\.(S|s)$/.test(file)) return longer(statementAt(whole, subjectOffset), line);
  return stubAt(program, file, pastDirectives(whole, line)) ?? line;
}

export function lineAt(text: string, offset: number): Span {
  const newline = text.indexOf('\n', offset);
  return { start: offset, end: newline === -1 ? text.length : newline + 1 };
}

/** `.globl` and the like stand between a stub's annotation and its label. */
function pastDirectives(text: string, line: Span): Span {
  let at = line;
  while (at.end < text.length && /^\s*\.[a-z]+\b[^:]*$/.test(text.slice(at.start, at.end))) at = lineAt(text, at.end);
  return { start: line.start, end: at.end };
}

/** A mark or comment behind the statement belongs to its line. */
export function longer(a: Span, b: Span): Span {
  return { start: a.start, end: Math.max(a.end, b.end) };
}

/** From a label on the line to the last statement of its stub. */
function stubAt(program: Program, file: string, line: Span): Span | null {
  for (const info of program.functions.values()) {
    const label = info.language === 'asm' ? labelPlace(info.place) : null;
    if (label === null || label.file !== file || label.span.start < line.start || label.span.start >= line.end) continue;
    let { end } = line;
    for (let id = info.first; id < info.end; id += 1) {
      const node = program.code.nodes[id];
      if (node === undefined || node.kind === 'interrupted') continue;
      const place = outermost(node.origin);
      if (place.file === file) end = Math.max(end, place.span.end);
    }
    return { start: line.start, end };
  }
  return null;
}
