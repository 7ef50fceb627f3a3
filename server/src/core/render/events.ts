// Events raised at an instruction, or at all of a file, as text: each context with what comes of it and the trace; for a
// file a table and each violation once. Pure text.
import type { ContextRow } from '../context-types.ts';
import type { EventCount, EventRow, EventRun, EventSurveyResult } from '../event-types.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Paint } from './paint.ts';
import { point } from './places.ts';
import type { Locate } from './places.ts';
import { findingText, traceText } from './text.ts';
import { columns, hang } from './wrap.ts';

const indent = '    ';
/** Reasons told of one event. */
const MOST_REASONS = 6;

/** Contexts that hold, of which the trace is printed. */
const MOST_HOLDING = 2;

export function eventRunText(run: EventRun, locate: Locate, width: number, paint: Paint): readonly string[] {
  const { rows } = run;
  const told = rows.filter((row) => row.answer !== 'cannot');
  const shown = told.filter((row, at) => row.answer !== 'holds' || at < told.filter((one) => one.answer !== 'holds').length + MOST_HOLDING);
  const numberOf = new Map(rows.map((row, at) => [row, at + 1]));
  return [
    `${paint.strong(point(locate(run.place)))}: ${run.symbol}: ${run.text}: ${eventsText(run.events)}${run.configuration === '' ? '' : ` (${run.configuration})`}`,
    ...(run.silence === null ? [] : [run.silence]),
    ...shown.flatMap((row) => ['', ...rowText(row, numberOf.get(row) ?? 0, locate, width, paint)]),
    ...(told.length === shown.length ? [] : ['', ...told.slice(shown.length).flatMap((row) => briefText(row, numberOf.get(row) ?? 0, width, paint))]),
    ...cannotText(rows, numberOf, width, paint),
    ...(rows.length === 0 ? [] : ['', summaryOf(rows)]),
  ];
}

function briefText(row: EventRow, number: number, width: number, paint: Paint): readonly string[] {
  return hang('', indent, `context ${number}: ${answerText(row, paint)}${cpusOf(row)}: ${contextLine(row.context)}${row.notes.map((note) => `; ${note}`).join('')}`, width);
}

/** One paragraph for each reason. */
function cannotText(rows: readonly EventRow[], numberOf: ReadonlyMap<EventRow, number>, width: number, paint: Paint): readonly string[] {
  const reasons = new Map<string, EventRow[]>();
  for (const row of rows) if (row.answer === 'cannot') reasons.set(row.reason ?? '', [...(reasons.get(row.reason ?? '') ?? []), row]);
  return [...reasons].flatMap(([reason, same]) => ['', `${paint.quiet('cannot arrive')}: ${reason}`, ...same.flatMap((row) => hang(indent, `${indent}  `, `context ${numberOf.get(row) ?? 0}${cpusOf(row)}: ${contextLine(row.context)}`, width))]);
}

function cpusOf(row: EventRow): string {
  return row.cpus === null ? '' : `, on ${row.cpus}`;
}

/** `NMI, then #VE`. */
export function eventsText(events: readonly string[]): string {
  return events.join(', then ');
}

function rowText(row: EventRow, number: number, locate: Locate, width: number, paint: Paint): readonly string[] {
  const reason = row.reason === null ? '' : `: ${row.reason}`;
  const head = `context ${number}: ${answerText(row, paint)}${cpusOf(row)}${reason}`;
  return [
    ...hang('', indent, head, width),
    ...hang(indent, `${indent}  `, contextLine(row.context), width),
    ...row.notes.flatMap((note) => hang(indent, `${indent}  `, note, width)),
    ...(row.findings.length > 0 ? row.findings.flatMap((finding) => findingText(finding, locate, paint)) : row.trace === null ? [] : traceText(row.trace, locate)),
  ];
}

export function contextLine(row: ContextRow): string {
  const frames = row.liveFrames.length === 0 ? 'no live frame' : `live frames ${row.liveFrames.join(' > ')}`;
  return `${row.path}; stack ${row.stack}, GS base ${row.gs}, CR3 ${row.cr3}, IF ${row.interruptFlag}, NMIs ${row.nmiBlocked === 'yes' ? 'blocked' : 'not blocked'}, ${frames}`;
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
  return `${rows.length} ${rows.length === 1 ? 'context' : 'contexts'}: ${count('holds')} hold, ${count('violated')} violated, ${count('inconclusive')} inconclusive, ${count('cannot')} cannot arrive`;
}

export function surveyText(file: string, result: EventSurveyResult, locate: Locate, width: number, paint: Paint): readonly string[] {
  const left = result.unreached.reduce((sum, one) => sum + one.instructions, 0);
  return [
    `${paint.strong(file)}: ${result.done} instructions${result.configurations.join('') === '' ? '' : ` (${result.configurations.join('; ')})`}, ${left} of them on no entry path`,
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
