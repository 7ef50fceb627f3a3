// The contexts at a place of entry code that was run by its paths: distinct ones once, named by the first start that leads
// there, with who can interrupt and the way there.
import { contains, outermost } from '../base/span.ts';
import { titleOfStart } from '../contexts/entry-analysis.ts';
import type { EntryAnalysis, Reached } from '../contexts/entry-analysis.ts';
import { project } from '../contexts/projection.ts';
import type { Projection } from '../contexts/projection.ts';
import type { NodeId } from '../machine/code.ts';
import { isConstant } from '../machine/word.ts';
import { RSP } from '../machine/registers.ts';
import type { Program } from '../program/program.ts';
import type { ContextInfo, ContextRow } from '../review-types.ts';
import { interruptersAt } from './arrivals.ts';
import { wayOf } from './kernel-run.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';
import { traceOf } from './trace.ts';

const MOST_ROWS = 16;

/** Ways to be at a place that differ in nothing that a reader of a context is shown. */
export interface Group {
  readonly projection: Projection;
  /** Shortest first. */
  readonly members: readonly Reached[];
}

/** Distinct contexts of some nodes, those of few frames first. */
export function groupsAt(program: Program, analysis: EntryAnalysis, nodes: readonly NodeId[]): readonly Group[] {
  const groups = new Map<string, { projection: Projection; members: Reached[] }>();
  for (const reached of nodes.flatMap((id) => analysis.reached(id))) {
    const projection = projectionOf(program, analysis, reached);
    const { cpl, stack, gs, cr3, interruptFlag, nmiBlocked } = projection;
    const key = [cpl, stack, gs, cr3, interruptFlag, nmiBlocked].join('|');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { projection, members: [reached] });
    else known.members.push(reached);
  }
  for (const group of groups.values()) {
    group.members.sort((a, b) => lengthOf(a) - lengthOf(b));
    const first = group.members[0];
    if (first !== undefined) group.projection = projectionOf(program, analysis, first);
  }
  return [...groups.values()].sort((a, b) => lengthOf(a.members[0]) - lengthOf(b.members[0]));
}

function lengthOf(reached: Reached | undefined): number {
  let length = 0;
  for (let at: Pick<Reached, 'start' | 'steps'> | null | undefined = reached; at !== null && at !== undefined; at = at.start.parent) length += at.steps + 1;
  return length;
}

function projectionOf(program: Program, analysis: EntryAnalysis, { state, start }: Reached): Projection {
  const projection = project(program, analysis.setup, state, start.from);
  const rsp = state.registers[RSP];
  // The espfix stack is an alias whose address keeps bits of the user's RSP (arch/x86/kernel/espfix_64.c).
  return rsp !== undefined && !isConstant(rsp) && state.cpu.cpl === 0 && !rsp.name.startsWith('user RSP') ? { ...projection, stack: 'espfix', rewinding: false } : projection;
}

/** `NMI from user mode, on every CPU that is run, and 3 more`. */
export function groupTitle(analysis: EntryAnalysis, { members }: Group): string {
  const titles = [...new Set(members.map((one) => titleOfStart(one.start)))];
  const title = titles[0] ?? '';
  const cpus = [...new Set(members.map((one) => one.start.variant.name))];
  const where = cpus.length === analysis.variants.length || cpus.length === 0 ? '' : cpus.length === 1 ? ` (CPU with ${cpus[0] ?? ''})` : ` (${cpus.length} of ${analysis.variants.length} CPUs)`;
  return `${title}${titles.length > 1 ? ` and ${titles.length - 1} more` : ''}${where}`;
}

export function rowOf(kernel: KernelProgram, run: KernelRun, group: Group): ContextRow {
  const { projection, members } = group;
  const first = members[0];
  return {
    path: groupTitle(run.analysis, group),
    stack: projection.stack,
    rewinding: projection.rewinding,
    cpl: projection.cpl,
    gs: projection.gs,
    cr3: projection.cr3,
    interruptFlag: projection.interruptFlag,
    nmiBlocked: projection.nmiBlocked,
    liveFrames: projection.frames,
    guards: [],
    interrupters: first === undefined ? [] : interruptersAt(kernel.program, run.analysis.setup, first.state),
    way: first === undefined ? [] : wayTo(kernel, run, first),
  };
}

export function contextAt(programs: readonly KernelProgram[], runs: readonly KernelRun[], file: string, offset: number): ContextInfo | null {
  let info: ContextInfo | null = null;
  programs.forEach((kernel, index) => {
    const run = runs[index];
    if (run === undefined || (info !== null && info.rows.length > 0)) return;
    const nodes = nodesAt(kernel.program, file, offset);
    const node = kernel.program.code.nodes[nodes[0] ?? -1];
    if (node === undefined) return;
    const groups = groupsAt(kernel.program, run.analysis, nodes);
    const left = groups.length - MOST_ROWS;
    info = {
      symbol: node.symbol,
      text: node.text,
      place: { file: node.origin.file, span: node.origin.span },
      rows: groups.slice(0, MOST_ROWS).map((group) => rowOf(kernel, run, group)),
      unknown: left > 0 ? [`and ${left} more contexts`] : [],
      silence: groups.length > 0 ? null : silenceOf(kernel.program, node.symbol),
    };
  });
  return info;
}

/** Why no path reaches a symbol, where that is known. */
export function silenceOf(program: Program, symbol: string): string {
  if (/xen/i.test(symbol)) return 'Xen PV code is not run: its paths break the native contract by design';
  return program.functions.has(symbol) ? `no entry path reaches ${symbol} with the CPUs and configurations that are run` : 'no entry path reaches this';
}

function wayTo(kernel: KernelProgram, run: KernelRun, { start, choices, steps }: Reached): ContextRow['way'] {
  const { setup } = run.analysis;
  const { states, transitions } = wayOf(kernel.program, setup, start, choices, steps);
  return traceOf(kernel.program, setup, 'entry paths', start.from, states, transitions, []).steps.flatMap((step) => (step.place === null ? [] : [{ place: step.place, title: step.title }]));
}

/** Nodes whose text is at an offset: the smallest statement there, else those that a macro use there made. */
export function nodesAt(program: Program, file: string, offset: number): readonly NodeId[] {
  const own: { readonly id: NodeId; readonly size: number }[] = [];
  const used: NodeId[] = [];
  for (const node of program.code.nodes) {
    const { origin } = node;
    if (origin.file === file && (contains(origin.span, offset) || origin.span.end === offset)) own.push({ id: node.id, size: origin.span.end - origin.span.start });
    else if (origin.uses.some((use) => use.file === file && contains(use.span, offset)) || (outermost(origin).file === file && contains(outermost(origin).span, offset))) used.push(node.id);
  }
  if (own.length === 0) return used;
  const smallest = Math.min(...own.map((one) => one.size));
  return own.filter((one) => one.size === smallest).map((one) => one.id);
}
