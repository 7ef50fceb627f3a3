// Carries what the worker says over edits that changed no code: every place moves with the text around it, none is lost.
// Knows which answers hold places, and nothing of what they mean.
import type { Place, Span } from '../core/base/span.ts';
import { unreachable } from '../core/base/unreachable.ts';
import type { ContextInfo, ContextRow, EventRow, EventRun, Finding, HierarchyCall, HierarchyItem, RunReport, TextEdit, Trace } from '../core/review-types.ts';
import type { Answer, Question } from '../worker/messages.ts';

/** From one text of a file to another. */
export interface Move {
  readonly span: (file: string, span: Span) => Span;
  readonly offset: (file: string, offset: number) => number;
}

/** The span behind edits; text put in at its borders is not part of it. */
export function movedSpan({ start, end }: Span, edits: readonly TextEdit[]): Span {
  let [from, to] = [start, end];
  for (const { span, newText } of edits) {
    const by = newText.length - (span.end - span.start);
    const put = span.start + newText.length;
    if (span.end <= from) [from, to] = [from + by, to + by];
    else if (span.start < to) {
      from = Math.min(from, put);
      to = span.end <= to ? to + by : put;
    }
  }
  return { start: from, end: Math.max(from, to) };
}

/** The offset in the text before edits. */
export function offsetBefore(offset: number, edits: readonly TextEdit[]): number {
  let at = offset;
  for (const { span, newText } of [...edits].reverse()) {
    const put = span.start + newText.length;
    if (at >= put) at += span.end - put;
    else if (at > span.start) at = span.start;
  }
  return at;
}

export function moveAcross(edits: ReadonlyMap<string, readonly TextEdit[]>): Move {
  return {
    span: (file, span) => movedSpan(span, edits.get(file) ?? []),
    offset: (file, offset) => movedSpan({ start: offset, end: offset }, edits.get(file) ?? []).start,
  };
}

function movedPlace({ file, span }: Place, move: Move): Place {
  return { file, span: move.span(file, span) };
}

function movedTrace(trace: Trace, move: Move): Trace {
  return { ...trace, steps: trace.steps.map((step) => (step.place === null ? step : { ...step, place: movedPlace(step.place, move) })) };
}

export function movedFinding(finding: Finding, move: Move): Finding {
  const { premises, related, fix } = finding;
  return {
    ...finding,
    place: movedPlace(finding.place, move),
    premises: premises.map((premise) => (premise.place === null ? premise : { ...premise, place: movedPlace(premise.place, move) })),
    trace: finding.trace === null ? null : movedTrace(finding.trace, move),
    related: related.map((one) => ({ ...one, place: movedPlace(one.place, move) })),
    fix: fix === null ? null : { ...fix, edits: fix.edits.map((edit) => ({ ...edit, place: movedPlace(edit.place, move) })) },
  };
}

export function movedReport(report: RunReport, move: Move): RunReport {
  return { ...report, findings: report.findings.map((finding) => movedFinding(finding, move)), trace: report.trace === null ? null : movedTrace(report.trace, move) };
}

function movedRow(row: ContextRow, move: Move): ContextRow {
  return { ...row, way: row.way.map((step) => ({ ...step, place: movedPlace(step.place, move) })) };
}

export function movedInfo(info: ContextInfo, move: Move): ContextInfo {
  return { ...info, place: movedPlace(info.place, move), rows: info.rows.map((row) => movedRow(row, move)) };
}

function movedEventRow(row: EventRow, move: Move): EventRow {
  return { ...row, context: movedRow(row.context, move), findings: row.findings.map((finding) => movedFinding(finding, move)), trace: row.trace === null ? null : movedTrace(row.trace, move) };
}

function movedRun(run: EventRun, move: Move): EventRun {
  return { ...run, place: movedPlace(run.place, move), rows: run.rows.map((row) => movedEventRow(row, move)) };
}

function movedItem(item: HierarchyItem, move: Move): HierarchyItem {
  return { ...item, place: movedPlace(item.place, move), nameSpan: move.span(item.place.file, item.nameSpan) };
}

function movedCall(call: HierarchyCall, caller: string, move: Move): HierarchyCall {
  return { item: movedItem(call.item, move), spans: call.spans.map((span) => move.span(caller, span)) };
}

export function movedAnswer(question: Question, answer: Answer, move: Move): Answer {
  switch (answer.kind) {
    case 'context': {
      const { known } = answer;
      return known === null ? answer : { kind: 'context', known: { ...known, info: known.info === null ? null : movedInfo(known.info, move), span: move.span(question.file, known.span) } };
    }
    case 'changes':
      return { kind: 'changes', changes: answer.changes?.map((change) => ({ ...change, offset: move.offset(question.file, change.offset) })) ?? null };
    case 'entries':
      return { kind: 'entries', entries: answer.entries.map((entry) => (entry === null ? null : { ...entry, offset: move.offset(question.file, entry.offset) })) };
    case 'events':
      return answer;
    case 'raise':
      return { kind: 'raise', run: answer.run === null ? null : movedRun(answer.run, move) };
    case 'hierarchy':
      return { kind: 'hierarchy', item: answer.item === null ? null : movedItem(answer.item, move) };
    case 'calls': {
      const incoming = question.kind === 'calls' && question.direction === 'incoming';
      return { kind: 'calls', calls: answer.calls.map((call) => movedCall(call, incoming ? call.item.place.file : question.file, move)) };
    }
    default:
      return unreachable(answer);
  }
}
