// "Raise this event here": at one instruction of entry code, from every distinct context that reaches it. Results name the
// context, what comes of it, and the trace.
import type { Span } from '../base/span.ts';
import type { NodeId } from '../machine/code.ts';
import { VECTORS } from '../machine/vectors.ts';
import type { EventRow, EventRun } from '../event-types.ts';
import type { Rule } from '../rules/rule.ts';
import { arrivalOf, eventsAnywhere, eventTitle, hasEntry } from './arrivals.ts';
import { benchOf, firstOfEach, tryOne } from './event-bench.ts';
import type { Bench, Tried } from './event-bench.ts';
import { findingsOf, mergeFindings, shortTrace } from './event-findings.ts';
import { cpusText, groupsAt, nodesAt, placeIn, rowOf, silenceOf } from './kernel-context.ts';
import type { Group } from './kernel-context.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';

/** What a reader looks for comes first. */
const ORDER: readonly EventRow['answer'][] = ['violated', 'inconclusive', 'holds', 'cannot'];

/** The first program that reaches one of the nodes and has an entry for each event, else the first that reaches one. */
function chosen(programs: readonly KernelProgram[], runs: readonly KernelRun[], nodesOf: (kernel: KernelProgram) => readonly NodeId[], vectors: readonly number[]): { readonly kernel: KernelProgram; readonly run: KernelRun; readonly nodes: readonly NodeId[] } | null {
  let best: { readonly kernel: KernelProgram; readonly run: KernelRun; readonly nodes: readonly NodeId[]; readonly rank: number } | null = null;
  for (const [index, kernel] of programs.entries()) {
    const run = runs[index];
    if (run === undefined) continue;
    const nodes = nodesOf(kernel);
    if (nodes.length === 0) continue;
    const isReached = nodes.some((node) => run.analysis.reached(node).length > 0);
    const rank = !isReached ? 0 : vectors.every((vector) => hasEntry(run.analysis.setup, vector)) ? 2 : 1;
    if (best === null || rank > best.rank) best = { kernel, run, nodes, rank };
  }
  return best;
}

/** Whether a program that was explored reaches a place and has an entry for each event. */
export function answers(kernel: KernelProgram, run: KernelRun, file: string, offset: number, vectors: readonly number[]): boolean {
  return vectors.every((vector) => hasEntry(run.analysis.setup, vector)) && nodesAt(kernel.program, file, offset).some((node) => run.analysis.reached(node).length > 0);
}

export function raiseAt(programs: readonly KernelProgram[], runs: readonly KernelRun[], rules: readonly Rule[], file: string, offset: number, vectors: readonly number[]): EventRun | null {
  const found = chosen(programs, runs, (kernel) => nodesAt(kernel.program, file, offset), vectors);
  if (found === null) return null;
  const { kernel, run, nodes } = found;
  const node = kernel.program.code.nodes[nodes[0] ?? -1];
  if (node === undefined) return null;
  const bench = benchOf(kernel, run, rules);
  const rows = groupsAt(kernel.program, run.analysis, nodes).flatMap((group) => rowsOf(bench, group, vectors));
  return {
    symbol: node.symbol,
    text: node.text,
    place: placeIn(node, file, offset),
    configuration: kernel.configuration,
    events: vectors.map(eventTitle),
    rows: [...rows].sort((a, b) => ORDER.indexOf(a.answer) - ORDER.indexOf(b.answer)),
    silence: rows.length > 0 ? null : silenceOf(kernel.program, node.symbol),
  };
}

/** Of each group the first way to each instruction on each CPU: their answers, equal ones once. */
function rowsOf(bench: Bench, group: Group, vectors: readonly number[]): readonly EventRow[] {
  const tried = [...firstOfEach(group.members)].map((reached) => tryOne(bench, reached, vectors));
  const byAnswer = new Map<string, Tried[]>();
  for (const one of tried) {
    const key = one.cannot ?? `${one.followed?.answer ?? ''} ${one.followed?.notes.join() ?? ''}`;
    byAnswer.set(key, [...(byAnswer.get(key) ?? []), one]);
  }
  const context = rowOf(bench.kernel, bench.run, group);
  return [...byAnswer.values()].map((same): EventRow => {
    const [first] = same;
    const followed = first?.followed ?? null;
    const findings = mergeFindings(same.flatMap((one) => findingsOf(bench, one, vectors)));
    const cpus = byAnswer.size === 1 ? null : cpusText(bench.run.analysis.variants, new Set(same.map((one) => one.reached.start.variant)));
    return {
      context,
      answer: followed?.answer ?? 'cannot',
      reason: first?.cannot ?? followed?.reason ?? null,
      notes: followed?.notes ?? [],
      cpus,
      steps: same.reduce((sum, one) => sum + (one.followed?.steps ?? 0), 0),
      findings,
      trace: findings[0]?.trace ?? (first === undefined || followed === null ? null : shortTrace(bench, first.reached, followed, vectors)),
    };
  });
}

/** The first instruction of a span of text that paths reach, with the events that may arrive there; null where none is known. */
export function entryIn(programs: readonly KernelProgram[], runs: readonly KernelRun[], file: string, span: Span): { readonly offset: number; readonly events: readonly string[] } | null {
  for (const [index, { program }] of programs.entries()) {
    const inside = program.code.nodes.flatMap((node) => {
      const shown = node.kind === 'instruction' ? [node.origin, ...node.origin.uses].find((place) => place.file === file && span.start <= place.span.start && place.span.start < span.end) : undefined;
      return shown !== undefined && (runs[index]?.analysis.reached(node.id).length ?? 0) > 0 ? [shown.span.start] : [];
    });
    if (inside.length === 0) continue;
    const offset = Math.min(...inside);
    return { offset, events: eventsAt(programs, runs, file, offset) ?? [] };
  }
  return null;
}

/** Events of one's own choice of which some may arrive at an offset in some context that is known so far. */
export function eventsAt(programs: readonly KernelProgram[], runs: readonly KernelRun[], file: string, offset: number): readonly string[] | null {
  const found = chosen(programs, runs, (kernel) => nodesAt(kernel.program, file, offset), []);
  if (found === null) return null;
  const { program } = found.kernel;
  const { setup, reached } = found.run.analysis;
  const states = found.nodes.flatMap((node) => reached(node).map((one) => one.state));
  if (states.length === 0) return null;
  const all = [...eventsAnywhere(setup), ...VECTORS.map((vector) => vector.number).filter((vector) => [11, 12, 13, 14].includes(vector)), 32];
  return [...new Set(all)].filter((vector) => states.some((state) => arrivalOf(program, setup, state, vector).can === 'yes')).map(eventTitle);
}
