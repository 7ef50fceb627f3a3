// What the trace page shows, as pure functions of runs and the reader's choices. Knows no document.
import type { TraceView, ViewStep } from '../../../server/src/lsp/protocol.ts';

/** A step of the list, or a run of steps that are not shown. */
export type Row = { readonly kind: 'step'; readonly index: number; readonly step: ViewStep } | { readonly kind: 'hidden'; readonly count: number };

export interface Choices {
  readonly filter: string;
  readonly onlyChanges: boolean;
}

/** Steps that match, with what was left out between them. The first and the last step of a trace always stay. */
export function rowsOf(view: TraceView, { filter, onlyChanges }: Choices): readonly Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const rows: Row[] = [];
  let hidden = 0;
  for (const [index, step] of view.steps.entries()) {
    const end = index === 0 || index === view.steps.length - 1;
    const kept = (!onlyChanges || end || step.changed.length > 0) && matches(step, words);
    if (!kept) {
      hidden += 1;
      continue;
    }
    if (hidden > 0) rows.push({ kind: 'hidden', count: hidden });
    hidden = 0;
    rows.push({ kind: 'step', index, step });
  }
  if (hidden > 0) rows.push({ kind: 'hidden', count: hidden });
  return rows;
}

function matches(step: ViewStep, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [step.title, step.symbol, placeText(step), ...step.lane, ...step.changed.map(({ field, from, to }) => `${field} ${from} ${to}`)].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** `design.c:12`, or nothing for a step without a place. */
export function placeText({ at }: ViewStep): string {
  if (at === null) return '';
  return `${decodeURIComponent(at.uri.slice(at.uri.lastIndexOf('/') + 1))}:${at.startLine + 1}`;
}

/** Where the steps of a list are: by their index in the trace, which grows along the list. */
export interface Shown {
  readonly index: number;
  /** Place of the row in the list. */
  readonly at: number;
}

export function shownSteps(rows: readonly Row[]): readonly Shown[] {
  return rows.flatMap((row, at) => (row.kind === 'step' ? [{ index: row.index, at }] : []));
}

/** Place, among the shown steps, of the first one that is not before a step of the trace. */
function placeAmong(shown: readonly Shown[], index: number): number {
  let [from, to] = [0, shown.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((shown[middle]?.index ?? 0) < index) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The row of a step of the trace; null where it is not shown. */
export function rowOfStep(shown: readonly Shown[], index: number): number | null {
  const found = shown[placeAmong(shown, index)];
  return found?.index === index ? found.at : null;
}

/** The step above or below in the list, by its index in the trace; stays at the ends. */
export function neighbour(shown: readonly Shown[], index: number, by: number): number {
  const from = Math.min(shown.length - 1, placeAmong(shown, index));
  return shown[Math.min(shown.length - 1, Math.max(0, from + by))]?.index ?? index;
}

/** The step for a line of the editor: the selected one if it stands there, else the next one behind it, else the first. */
export function stepAtLine(view: TraceView, selected: number, uri: string, line: number): number | null {
  const there = view.steps.flatMap(({ at }, index) => (at !== null && at.uri === uri && at.startLine <= line && line <= at.endLine ? [index] : []));
  if (there.includes(selected)) return selected;
  return there.find((index) => index > selected) ?? there[0] ?? null;
}

/** Verdicts in words; the sign before it is for the eye only. */
export function verdictText(view: TraceView): string {
  switch (view.verdict) {
    case 'holds':
      return '✓ holds';
    case 'violated':
      return '✗ violated';
    case 'vacuous':
      return '○ vacuous';
    case 'inconclusive':
      return '? inconclusive';
    case null:
      return view.rule === null ? 'trace' : `✗ ${view.rule}`;
  }
}

export function runLabel(view: TraceView): string {
  return view.verdict === null ? `${verdictText(view)}: ${view.message ?? view.title}` : `${verdictText(view)}: ${view.scenario} from ${view.start}`;
}

/** `14 runs: 2 violated, 12 holds`, worst first. */
export function summary(runs: readonly TraceView[]): string {
  const worstFirst = ['violated', 'inconclusive', 'vacuous', 'holds'] as const;
  const counts = worstFirst.map((verdict) => ({ verdict, count: runs.filter((run) => run.verdict === verdict).length }));
  const parts = counts.filter(({ count }) => count > 0).map(({ verdict, count }) => `${count} ${verdict}`);
  return `${runs.length} ${parts.length === 0 ? 'traces' : `runs: ${parts.join(', ')}`}`;
}

/** What the verdict is worth, as name and sentences. Bounds that were hit come before those in force. */
export function worth(view: TraceView): readonly { readonly name: string; readonly facts: readonly string[] }[] {
  const counted = [
    view.states === null ? '' : `${view.states} states`,
    view.transitions === null ? '' : `${view.transitions} transitions`,
    view.depth === null ? '' : `depth ${view.depth}`,
  ].filter((text) => text !== '');
  const all = [
    { name: 'Explored', facts: counted.length === 0 ? [] : [counted.join(', ')] },
    { name: 'Variant', facts: view.variant.length === 0 ? [] : [view.variant.join(', ')] },
    { name: 'Bounds hit', facts: view.boundsHit },
    { name: 'Bounds', facts: view.bounds.length === 0 ? [] : [view.bounds.join(', ')] },
    { name: 'Beyond the bounds', facts: view.beyond },
    { name: 'Assumed', facts: view.assumptions },
    { name: 'Remarks', facts: view.remarks },
  ];
  return all.filter(({ facts }) => facts.length > 0);
}
