// The contexts at a place of entry code that was run by its paths: distinct ones once, named by the first start that leads
// there, with who can interrupt and the way there.
import { contains, touches } from '../base/span.ts';
import type { Place, Span } from '../base/span.ts';
import { titleOfStart } from '../contexts/entry-analysis.ts';
import type { EntryAnalysis, Reached } from '../contexts/entry-analysis.ts';
import { project } from '../contexts/projection.ts';
import type { Projection } from '../contexts/projection.ts';
import { replayPath } from '../contexts/entry-paths.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import { vectorOf } from '../contexts/entry-start.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import { nameAddress } from '../machine/layout.ts';
import { isConstant, SIGN } from '../machine/word.ts';
import { RSP } from '../machine/registers.ts';
import { FIXED_FEATURES } from '../kernel/variants.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import type { Program } from '../program/program.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import type { ContextInfo, ContextRow } from '../context-types.ts';
import { interruptersAt } from './arrivals.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';
import { traceOf } from './trace.ts';

const MOST_ROWS = 32;

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

/** What is shown of a way to be somewhere. */
export function projectionOf(program: Program, analysis: EntryAnalysis, { state, start }: Reached): Projection {
  const projection = project(program, analysis.setup, state, start.from);
  const rsp = state.registers[RSP];
  // The espfix stack is an alias whose address keeps bits of the user's RSP (arch/x86/kernel/espfix_64.c).
  const alias = rsp !== undefined && !isConstant(rsp) && state.cpu.cpl === 0 && rsp.name.startsWith('user ') && !((rsp.known & SIGN) !== 0n && (rsp.value & SIGN) === 0n);
  return alias ? { ...projection, stack: 'espfix', rewinding: false } : projection;
}

/** `NMI from user mode and 3 more (CPUs without PTI)`. */
export function groupTitle(analysis: EntryAnalysis, { members }: Group): string {
  const titles = [...new Set(members.map((one) => titleIn(one.start)))];
  const cpus = cpusText(analysis.variants, new Set(members.map((one) => one.start.variant)));
  return `${titles[0] ?? ''}${titles.length > 1 ? ` and ${titles.length - 1} more` : ''}${cpus === null ? '' : ` (${cpus})`}`;
}

/** What an ALTERNATIVE puts in the place of other code belongs to no symbol. */
export function titleIn(start: PathStart): string {
  return titleOfStart(start).replace(' from : ', ' from the replacement ');
}

/** What the CPUs have in common and the others have not; null where they are all that are run. */
export function cpusText(all: readonly CpuVariant[], some: ReadonlySet<CpuVariant>): string | null {
  if (some.size >= all.length) return null;
  const [first] = some;
  if (some.size === 1 && first !== undefined) return `CPU with ${first.name}`;
  for (const feature of FIXED_FEATURES) {
    const having = all.filter((variant) => variant.present.includes(feature));
    const name = feature.replace(/^X86_FEATURE_/, '');
    if (having.length === some.size && having.every((variant) => some.has(variant))) return `CPUs with ${name}`;
    if (having.length === all.length - some.size && having.every((variant) => !some.has(variant))) return `CPUs without ${name}`;
  }
  return `${some.size} of ${all.length} CPUs`;
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
    cr3: projection.cr3.replace(/ CR3$/, ''),
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
      place: placeIn(node, file, offset),
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

/** Each entry at the first instruction that it runs, and what matters behind it. */
function wayTo(kernel: KernelProgram, run: KernelRun, reached: Reached): ContextRow['way'] {
  const { setup } = run.analysis;
  const { program } = kernel;
  const way: { readonly place: Place; readonly title: string }[] = [];
  const follow = (start: PathStart, choices: readonly number[], steps: number): void => {
    if (start.parent !== null) follow(start.parent.start, start.parent.choices, start.parent.steps);
    const stub = program.code.nodes[start.first.node];
    const frame = vectorOf(start.door) !== null ? start.first.frames.at(-1) : undefined;
    if (stub !== undefined) way.push({ place: pathPlace(stub), title: `${titleIn(start)}${frame === undefined ? '' : `; frame at ${nameAddress(setup.layout, frame.base)}`}` });
    const played = replayPath(program, setup, start, choices, steps);
    const transitions = played.outcomes.map((outcome) => ({ label: outcome.label, event: null, effects: outcome.effects, state: outcome.state, weight: 1 }));
    for (const step of traceOf(program, setup, 'entry paths', start.from, played.states, transitions, []).steps) if (step.place !== null) way.push({ place: step.place, title: step.title });
  };
  follow(reached.start, reached.choices, reached.steps);
  return way;
}

/** Where the reader pointed: the text itself, or the macro use there that made the node. */
export function placeIn({ origin }: CodeNode, file: string, offset: number): Place {
  const { span } = [origin, ...origin.uses].find((place) => place.file === file && place.span.start <= offset && offset <= place.span.end) ?? origin;
  return [origin, ...origin.uses].some((place) => place.file === file) ? { file, span } : { file: origin.file, span: origin.span };
}

/** The nodes that have some of their text in a file, by file; a program is looked through once. */
const byFile = new WeakMap<Program, Map<string, readonly CodeNode[]>>();

export function nodesOf(program: Program, file: string): readonly CodeNode[] {
  const known = byFile.get(program) ?? new Map<string, readonly CodeNode[]>();
  byFile.set(program, known);
  const before = known.get(file);
  if (before !== undefined) return before;
  const nodes = program.code.nodes.filter(({ origin }) => origin.file === file || origin.uses.some((use) => use.file === file));
  known.set(file, nodes);
  return nodes;
}

/** Nodes whose text is at an offset: the smallest statement there, else those that a macro use there made. */
export function nodesAt(program: Program, file: string, offset: number): readonly NodeId[] {
  const own: { readonly id: NodeId; readonly size: number }[] = [];
  const used: NodeId[] = [];
  for (const node of nodesOf(program, file)) {
    const { origin } = node;
    if (origin.file === file && touches(origin.span, offset)) own.push({ id: node.id, size: origin.span.end - origin.span.start });
    else if (origin.uses.some((use) => use.file === file && contains(use.span, offset))) used.push(node.id);
  }
  if (own.length === 0) return used;
  const smallest = Math.min(...own.map((one) => one.size));
  return own.filter((one) => one.size === smallest).map((one) => one.id);
}

/** The offsets around one, the last included, at which the same nodes of the programs are. */
export function sameNodesAround(programs: readonly Program[], file: string, offset: number): Span {
  let start = 0;
  let end = Number.MAX_SAFE_INTEGER;
  const border = (at: number): void => {
    if (at <= offset) start = Math.max(start, at);
    else end = Math.min(end, at - 1);
  };
  for (const program of programs) {
    for (const { origin } of nodesOf(program, file)) {
      if (origin.file === file) {
        border(origin.span.start);
        border(origin.span.end + 1);
      }
      for (const use of origin.uses) {
        if (use.file !== file) continue;
        border(use.span.start);
        border(use.span.end);
      }
    }
  }
  return { start, end };
}
