// `xctx: allow RULE -- reason`: takes out the findings that the next statement or function is allowed to have, and tells
// which of these annotations took out nothing.
import { nearest } from '../base/nearest.ts';
import type { Place, Span } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import type { Program } from '../program/program.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { Finding } from './finding.ts';
import { RULES, ruleNamed } from './index.ts';
import type { Inspection } from './rule.ts';
import { statementAt } from './text-edits.ts';
import { deleteAnnotation } from './unused-suppression.ts';
import { labelPlace } from './vocabulary.ts';

export type Allow = Directive & { readonly kind: 'allow' };

export interface Suppressed<T> {
  readonly kept: readonly T[];
  readonly unused: readonly Allow[];
}

/** `text` reads a file of the unit; findings outside a scope are kept as they are, in their order. */
export function suppressed<T extends { readonly rule: string; readonly place: Place }>(findings: readonly T[], program: Program, text: (file: string) => string | null): Suppressed<T> {
  const allows = program.directives.filter((directive): directive is Allow => directive.kind === 'allow').map((allow) => ({ allow, scope: scopeOf(allow, program, text) }));
  if (allows.length === 0) return { kept: findings, unused: [] };
  const used = new Set<Allow>();
  const kept = findings.filter((finding) => {
    const by = allows.filter(({ allow, scope }) => covers(allow, scope, finding));
    for (const { allow } of by) used.add(allow);
    return by.length === 0;
  });
  return { kept, unused: allows.map(({ allow }) => allow).filter((allow) => !used.has(allow)) };
}

/** Findings for the annotations that `suppressed()` names as unused. */
export function unusedSuppressions(unused: readonly Allow[], inspection: Inspection): readonly Finding[] {
  return unused.map((allow) => {
    const near = ruleNamed(allow.rule) === null ? nearest(allow.rule, RULES.flatMap((rule) => [rule.name, rule.id])) : null;
    const why = ruleNamed(allow.rule) === null ? `no rule is called ${allow.rule}${near === null ? '' : `, the nearest is ${near}`}` : `no scenario shows ${allow.rule} here`;
    return {
      rule: 'unused-suppression',
      severity: 'warning',
      place: allow.place,
      message: `this annotation allows nothing: ${why}; delete it`,
      premises: [],
      trace: null,
      related: [],
      fix: deleteAnnotation(allow.place, inspection),
      variants: [],
    };
  });
}

function covers(allow: Allow, scope: Span, finding: { readonly rule: string; readonly place: Place }): boolean {
  const name = ruleNamed(allow.rule)?.name ?? allow.rule;
  return finding.rule === name && finding.place.file === allow.place.file && scope.start <= finding.place.span.start && finding.place.span.start < scope.end;
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

function lineAt(text: string, offset: number): Span {
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
function longer(a: Span, b: Span): Span {
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
