// The contexts at a line as a text table: a column for each context, then who can interrupt and why not, then the way
// there. Pure text.
import type { ContextInfo, ContextRow } from '../context-types.ts';
import type { Paint } from './paint.ts';
import { point } from './places.ts';
import type { Locate } from './places.ts';
import { gapText, mostSteps } from './steps.ts';
import { columns, hang } from './wrap.ts';

/** Contexts that are shown side by side; more of them are a line each. */
const MOST_BESIDE = 2;

/** Contexts in the form of `entrycheck context`, in at most `width` columns where the words allow it. */
export function contextText(context: ContextInfo, locate: Locate, width: number, paint: Paint): readonly string[] {
  const { rows } = context;
  return [
    `${paint.strong(point(locate(context.place)))}: ${context.symbol}: ${context.text}`,
    ...(context.silence === null ? [] : [context.silence]),
    ...(rows.length === 0 ? [] : ['', ...(rows.length > MOST_BESIDE ? list(rows, width) : table(rows, width)), '', 'who can interrupt here', ...interrupters(rows, width)]),
    ...(rows.length === 0 ? [] : ['', ...ways(rows, locate)]),
    ...context.unknown.flatMap((sentence) => hang('', '  ', sentence, width)),
  ];
}

function fieldsOf(rows: readonly ContextRow[]): readonly (readonly [string, (row: ContextRow) => string])[] {
  const guards = [...new Set(rows.flatMap((row) => row.guards.map(({ name }) => name)))];
  return [
    ['path', (row) => row.path],
    ['stack', (row) => row.stack + (row.rewinding ? ', rewinding' : '')],
    ['CPL', (row) => String(row.cpl)],
    ['GS base', (row) => row.gs],
    ['CR3', (row) => row.cr3],
    ['IF', (row) => row.interruptFlag],
    ['blocking by NMI', (row) => row.nmiBlocked],
    ['live frames', (row) => (row.liveFrames.length === 0 ? 'none' : row.liveFrames.join(' > '))],
    ...guards.map((name) => [`guard ${name}`, (row: ContextRow) => row.guards.find((guard) => guard.name === name)?.state ?? '-'] as const),
  ];
}

/** One line for each context with what a reader compares, and below it how it came about. */
function list(rows: readonly ContextRow[], width: number): readonly string[] {
  const fields = fieldsOf(rows).filter(([name]) => name !== 'path' && (name !== 'CPL' || rows.some((row) => row.cpl !== 0)));
  const lines = columns([['', ...fields.map(([name]) => (name === 'blocking by NMI' ? 'NMI blocked' : name))], ...rows.map((row, at) => [`${at + 1}`.padStart(2), ...fields.map(([, value]) => value(row))])]);
  const [head, ...below] = lines;
  return [head ?? '', ...below.flatMap((line, at) => [line, ...hang('      ', '        ', rows[at]?.path ?? '', width)])];
}

/** As many contexts side by side as fit. */
function table(rows: readonly ContextRow[], width: number): readonly string[] {
  const fields = fieldsOf(rows);
  const names = ['', ...fields.map(([name]) => name)];
  const cells = rows.map((row, at) => [rows.length === 1 ? '' : `context ${at + 1}`, ...fields.map(([, value]) => value(row))]);
  const margin = Math.max(...names.map((name) => name.length)) + 2;
  const lines: string[] = [];
  for (let from = 0; from < cells.length; ) {
    let used = margin;
    let to = from;
    while (to < cells.length) {
      const next = Math.max(...(cells[to] ?? []).map((cell) => cell.length)) + 2;
      if (to > from && used + next > width) break;
      used += next;
      to += 1;
    }
    if (from > 0) lines.push('');
    const part = cells.slice(from, to);
    const made = columns(names.map((name, at) => [name, ...part.map((column) => column[at] ?? '')]));
    lines.push(...(rows.length === 1 ? made.slice(1) : made));
    from = to;
  }
  return lines;
}

/** One line for each event, answer and reason; the contexts are named only where they differ. */
function interrupters(rows: readonly ContextRow[], width: number): readonly string[] {
  const groups = new Map<string, { readonly event: string; readonly can: string; readonly reason: string; readonly contexts: number[] }>();
  for (const [at, row] of rows.entries()) {
    for (const { event, can, reason } of row.interrupters) {
      const key = JSON.stringify([event, can, reason]);
      const group = groups.get(key) ?? { event, can, reason, contexts: [] };
      groups.set(key, group);
      group.contexts.push(at + 1);
    }
  }
  if (groups.size === 0) return ['  nothing is known'];
  const order = [...new Set([...groups.values()].map(({ event }) => event))];
  const sorted = [...groups.values()].sort((a, b) => order.indexOf(a.event) - order.indexOf(b.event));
  const heads = columns(sorted.map(({ event, can }) => [`  ${event}`, can, '|']));
  return sorted.flatMap(({ reason, contexts }, at) => {
    const head = (heads[at] ?? '').slice(0, -1);
    return hang(head, ' '.repeat(head.length), `${reason}${contexts.length === rows.length ? '' : ` (in ${ranges(contexts)})`}`, width);
  });
}

/** `1, 3-5`. */
function ranges(numbers: readonly number[]): string {
  const runs: { readonly from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last.to === number - 1) last.to = number;
    else runs.push({ from: number, to: number });
  }
  return runs.map(({ from, to }) => (from === to ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from}-${to}`)).join(', ');
}

/** The way to each context; one that leads to several is told once. */
function ways(rows: readonly ContextRow[], locate: Locate): readonly string[] {
  const contexts = new Map<string, number[]>();
  for (const [at, row] of rows.entries()) {
    const text = way(row, locate).join('\n');
    contexts.set(text, [...(contexts.get(text) ?? []), at + 1]);
  }
  return [...contexts].flatMap(([text, numbers]) => (text === '' ? [] : [numbers.length === rows.length ? 'the way here' : `the way to context ${numbers.join(', ')}`, text]));
}

function way(row: ContextRow, locate: Locate): readonly string[] {
  const half = mostSteps / 2;
  return row.way.length <= mostSteps ? row.way.map(step) : [...row.way.slice(0, half).map(step), `  ${gapText(row.way.length - 2 * half)}`, ...row.way.slice(-half).map(step)];

  function step({ place, title }: ContextRow['way'][number]): string {
    return `  ${point(locate(place))}: ${title}`;
  }
}
