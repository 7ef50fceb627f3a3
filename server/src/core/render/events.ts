// Events raised at an instruction, or at all of a file, as text: each context with what comes of it and the trace; for a
// file a table and each violation once. Pure text.
import type { ContextRow, EventCount, EventRow, EventRun, EventSurveyResult } from '../review-types.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Paint } from './paint.ts';
import { point } from './places.ts';
import type { Locate } from './places.ts';
import { findingText, traceText } from './text.ts';
import { columns, hang } from './wrap.ts';

const indent = '    ';
/** Reasons told of one event. */
const MOST_REASONS = 6;

export function eventRunText(run: EventRun, locate: Locate, width: number, paint: Paint): readonly string[] {
  return [
    `${paint.strong(point(locate(run.place)))}: ${run.symbol}: ${run.text}: ${eventsText(run.events)} (${run.configuration})`,
    ...(run.silence === null ? [] : [run.silence]),
    ...run.rows.flatMap((row, at) => ['', ...rowText(row, at + 1, locate, width, paint)]),
    ...(run.rows.length === 0 ? [] : ['', summaryOf(run.rows)]),
  ];
}

/** `NMI, then #VE`. */
export function eventsText(events: readonly string[]): string {
  return events.join(', then ');
}

function rowText(row: EventRow, number: number, locate: Locate, width: number, paint: Paint): readonly string[] {
  const cpus = row.cpus.length === 0 ? '' : `, on CPUs with ${row.cpus.join('; ')}`;
  const reason = row.reason === null ? '' : `: ${row.reason}`;
  const head = `context ${number}: ${answerText(row, paint)}${cpus}${reason}`;
  return [
    ...hang('', indent, head, width),
    ...hang(indent, `${indent}  `, contextLine(row.context), width),
    ...row.notes.flatMap((note) => hang(indent, `${indent}  `, note, width)),
    ...(row.findings.length > 0 ? row.findings.flatMap((finding) => findingText(finding, locate, paint)) : row.trace === null ? [] : traceText(row.trace, locate)),
  ];
}

export function contextLine(row: ContextRow): string {
  const frames = row.liveFrames.length === 0 ? 'no live frame' : `live frames ${row.liveFrames.join(' > ')}`;
  return `${row.path}; stack ${row.stack}, GS base ${row.gs}, ${row.cr3}, IF ${row.interruptFlag}, NMIs ${row.nmiBlocked === 'yes' ? 'blocked' : 'not blocked'}, ${frames}`;
}

function answerText({ answer }: EventRow, paint: Paint): string {
  switch (answer) {
    case 'holds':
      return paint.good('holds');
    case 'violated':
      return paint.bad('violated');
    case 'inconclusive':
      return paint.doubtful('inconclusive');
    case 'cannot':
      return paint.quiet('cannot arrive');
    default:
      return unreachable(answer);
  }
}

function summaryOf(rows: readonly EventRow[]): string {
  const count = (answer: EventRow['answer']): number => rows.filter((row) => row.answer === answer).length;
  return `${rows.length} ${rows.length === 1 ? 'context' : 'contexts'}: ${count('holds')} hold, ${count('violated')} violated, ${count('inconclusive')} inconclusive, in ${count('cannot')} it cannot arrive`;
}

export function surveyText(file: string, result: EventSurveyResult, locate: Locate, width: number, paint: Paint): readonly string[] {
  const left = result.unreached.reduce((sum, one) => sum + one.instructions, 0);
  return [
    `${paint.strong(file)}: ${result.done} instructions (${result.configurations.join('; ')}), ${left} of them on no entry path`,
    ...(result.counts.length === 0 ? [] : ['', ...columns([['event', 'contexts', 'hold', 'violated', 'inconclusive', 'cannot arrive'], ...result.counts.map(countCells)])]),
    ...result.counts.flatMap((count) => reasonLines(count, width)),
    ...(result.unreached.length === 0 ? [] : ['', ...hang('on no entry path: ', '  ', result.unreached.map(({ symbol, instructions }) => `${symbol} (${instructions})`).join(', '), width)]),
    ...result.findings.flatMap((finding) => ['', ...findingText(finding, locate, paint)]),
  ];
}

function countCells(count: EventCount): readonly string[] {
  return [count.events, ...[count.contexts, count.holds, count.violated, count.inconclusive, count.cannot].map(String)];
}

function reasonLines({ events, reasons }: EventCount, width: number): readonly string[] {
  if (reasons.length === 0) return [];
  const left = reasons.length - MOST_REASONS;
  return [
    '',
    ...reasons.slice(0, MOST_REASONS).flatMap(({ reason, contexts }) => hang(`${events} `, '  ', `${reason} (${contexts})`, width)),
    ...(left > 0 ? [`${events} and ${left} more reasons (--format json lists all)`] : []),
  ];
}
