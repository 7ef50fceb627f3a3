// What the review says of entry code that it runs by its paths: a kernel tree's, and that of a unit with stubs of its own.
import type { Place } from '../base/span.ts';
import { contains, outermost } from '../base/span.ts';
import { titleOfStart } from '../contexts/entry-analysis.ts';
import { replayPath } from '../contexts/entry-paths.ts';
import type { Reached } from '../contexts/entry-analysis.ts';
import { project } from '../contexts/projection.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import type { NodeId } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import type { Finding, RunReport } from '../rules/finding.ts';
import type { Inspection, Rule } from '../rules/rule.ts';
import type { ContextInfo, ContextRow, Exploration } from '../review-types.ts';
import { interruptersOf } from './contexts.ts';
import { inspect } from './findings.ts';
import { createKernelRun } from './kernel-run.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';
import { traceOf } from './trace.ts';

/** Rules that judge the program of a kernel tree as it stands. */
const INSPECTED: ReadonlySet<string> = new Set(['ist-stack-shared', 'ist-stub-called', 'saferet-fixup-without-fence']);

export interface KernelReview {
  readonly exploration: () => Exploration;
  readonly contextAt: (file: string, offset: number) => ContextInfo | null;
  /** Runs about `steps` further steps; true when nothing is left. */
  readonly advance: (steps: number) => boolean;
  readonly runs: readonly KernelRun[];
}

export function createKernelReview(programs: readonly KernelProgram[], rules: readonly Rule[], inspection: Omit<Inspection, 'program'>): KernelReview {
  const runs = programs.map((kernel) => createKernelRun(kernel, rules));
  const inspecting = rules.filter((rule) => INSPECTED.has(rule.name));

  function advance(steps: number): boolean {
    let stop = 0;
    for (const run of runs) {
      const before = run.steps();
      if (!run.advance(steps - stop)) return false;
      stop += run.steps() - before;
    }
    return true;
  }

  /** Findings that need no run, as a report of their own. */
  function inspected(kernel: KernelProgram): RunReport {
    const fallback: Place = { file: '', span: { start: 0, end: 0 } };
    const findings: readonly Finding[] = inspect(inspecting, { ...inspection, program: kernel.program }, fallback);
    return { scenario: 'tables and stubs', design: kernel.configuration, start: 'as they stand', verdict: findings.length > 0 ? 'violated' : 'holds', states: 0, transitions: 0, depth: 0, bounds: [], boundsHit: [], assumptions: [], findings, remarks: [], trace: null };
  }

  return {
    runs,
    advance,
    exploration: () => ({
      run: (states) => {
        const done = advance(states * 2);
        return { scenario: 'entry paths', start: 'every context', states: runs.reduce((sum, run) => sum + run.steps(), 0), depth: 0, done };
      },
      reports: () => programs.flatMap((kernel, index) => [...(kernel.program.contexts.has('inside C') ? [inspected(kernel)] : []), ...(runs[index]?.reports() ?? [])]),
    }),
    contextAt: (file, offset) => contextAt(programs, runs, file, offset),
  };
}

const MOST_ROWS = 16;

function contextAt(programs: readonly KernelProgram[], runs: readonly KernelRun[], file: string, offset: number): ContextInfo | null {
  let info: ContextInfo | null = null;
  programs.forEach((kernel, index) => {
    const run = runs[index];
    if (run === undefined || (info !== null && info.rows.length > 0)) return;
    const nodes = nodesAt(kernel.program, file, offset);
    const first = nodes[0];
    const node = first === undefined ? undefined : kernel.program.code.nodes[first];
    if (node === undefined) return;
    const rows: ContextRow[] = [];
    const keys = new Set<string>();
    for (const reached of nodes.flatMap((id) => run.analysis.reached(id))) {
      const row = rowOf(kernel, run, reached);
      const key = `${row.path}|${row.stack}|${row.cpl}|${row.gs}|${row.cr3}|${row.interruptFlag}|${row.nmiBlocked}`;
      if (keys.has(key) || rows.length >= MOST_ROWS) continue;
      keys.add(key);
      rows.push(row);
    }
    info = { symbol: node.symbol, text: node.text, place: { file: node.origin.file, span: node.origin.span }, rows, unknown: [], silence: rows.length > 0 ? null : silenceOf(kernel.program, node.symbol) };
  });
  return info;
}

/** Why no path reaches a symbol, where that is known. */
function silenceOf(program: Program, symbol: string): string {
  if (/xen/i.test(symbol)) return 'Xen PV code is not run: its paths break the native contract by design';
  return program.functions.has(symbol) ? `no entry path reaches ${symbol} with the CPUs and configurations that are run` : 'no entry path reaches this';
}

function rowOf(kernel: KernelProgram, run: KernelRun, reached: Reached): ContextRow {
  const { state, start } = reached;
  const projection = project(kernel.program, run.analysis.setup, state, start.from);
  return {
    path: `${titleOfStart(start)} (${start.variant.name})`,
    stack: projection.stack,
    rewinding: projection.rewinding,
    cpl: projection.cpl,
    gs: projection.gs,
    cr3: projection.cr3,
    interruptFlag: projection.interruptFlag,
    nmiBlocked: projection.nmiBlocked,
    liveFrames: projection.frames,
    guards: [],
    interrupters: interruptersOf(kernel.program, state, projection),
    way: wayTo(kernel, run, reached),
  };
}

function wayTo(kernel: KernelProgram, run: KernelRun, { start, choices, steps }: Reached): ContextRow['way'] {
  const played = replayPath(kernel.program, run.analysis.setup, start, choices, steps);
  const transitions = played.outcomes.map((outcome) => ({ label: outcome.label, event: null, effects: outcome.effects, state: outcome.state, weight: 1 }));
  return traceOf(kernel.program, run.analysis.setup, 'entry paths', start.from, played.states, transitions, []).steps.flatMap((step) => (step.place === null ? [] : [{ place: step.place, title: step.title }]));
}

/** Nodes whose text is at an offset: the smallest statement there, else those that a macro use there made. */
function nodesAt(program: Program, file: string, offset: number): readonly NodeId[] {
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

/** CPUs that a unit's own stubs are run on: by what its code deals with. */
export function unitVariants(program: Program): readonly CpuVariant[] {
  const writesCr3 = program.code.nodes.some((node) => node.kind === 'instruction' && node.mnemonic.startsWith('mov') && node.operands.at(-1)?.kind === 'system-register' && (node.operands.at(-1) as { readonly name: string }).name === 'cr3');
  const pti = writesCr3 ? ['X86_FEATURE_PTI'] : [];
  return [
    { name: writesCr3 ? 'PTI' : 'no PTI', present: pti },
    { name: writesCr3 ? 'PTI, FSGSBASE' : 'FSGSBASE', present: [...pti, 'X86_FEATURE_FSGSBASE'] },
  ];
}

/** Whether a unit has stubs that are its own text. */
export function hasStubs(program: Program): boolean {
  return program.handlers.some((handler) => !handler.synthesized && program.functions.has(handler.stubName)) || program.gap !== null;
}
