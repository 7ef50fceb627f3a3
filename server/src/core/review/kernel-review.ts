// What the review says of entry code that it runs by its paths: a kernel tree's, and that of a unit with stubs of its own.
import type { Place, Span } from '../base/span.ts';
import { instructionDoors } from '../contexts/entry-doors.ts';
import { absentFeature, FRED_VARIANTS } from '../kernel/variants.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import type { Program } from '../program/program.ts';
import type { Finding, RunReport } from '../rules/finding.ts';
import type { Inspection, Rule } from '../rules/rule.ts';
import type { ContextInfo, KnownContext } from '../context-types.ts';
import type { EventRun, EventSurvey } from '../event-types.ts';
import type { Exploration } from '../review-types.ts';
import { inspect } from './findings.ts';
import { answers, entryIn, eventsAt, raiseAt } from './event-here.ts';
import { createSurvey, isIn } from './event-survey.ts';
import { contextAt, nodesAt, nodesOf, sameNodesAround } from './kernel-context.ts';
import { createKernelRun } from './kernel-run.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';

/** Rules that judge the program of a kernel tree as it stands. */
const INSPECTED: ReadonlySet<string> = new Set(['ist-stack-shared', 'ist-on-user-reachable-trap', 'ist-stub-called', 'saferet-fixup-without-fence', 'entry-point-unfit']);

export interface KernelReview {
  readonly exploration: () => Exploration;
  readonly contextAt: (file: string, offset: number) => ContextInfo | null;
  /** The same with where else it holds and whether it may still grow; explores nothing. */
  readonly knownAt: (file: string, offset: number) => KnownContext;
  /** Runs about `steps` further steps; true when nothing is left. */
  readonly advance: (steps: number) => boolean;
  readonly programs: readonly KernelProgram[];
  readonly runs: readonly KernelRun[];
  /** Runs about `steps` further steps of the entry paths alone; true when nothing is left. */
  readonly advancePaths: (steps: number) => boolean;
  /** Runs about `steps` further steps of what contexts at a place need, with entries for the events; true when that is all. */
  readonly advanceAt: (file: string, offset: number | null, vectors: readonly number[], steps: number) => boolean;
  /** Raises events, by their vectors, at the instruction there; null where there is none. All must be explored. */
  readonly raise: (file: string, offset: number, vectors: readonly number[]) => EventRun | null;
  readonly survey: (file: string, events: readonly (readonly number[])[]) => EventSurvey;
  /** Events that may arrive there in some context that is known so far; null where none is known. */
  readonly eventsAt: (file: string, offset: number) => readonly string[] | null;
  readonly entryIn: (file: string, span: Span) => { readonly offset: number; readonly events: readonly string[] } | null;
}

/** What `before` explored of the same programs is kept. */
export function createKernelReview(programs: readonly KernelProgram[], rules: readonly Rule[], inspection: Omit<Inspection, 'program'>, before: KernelReview | null): KernelReview {
  const runs = programs.map((kernel) => before?.runs[before.programs.indexOf(kernel)] ?? createKernelRun(kernel, rules));
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

  /** Program by program, until one reaches the place; without a place all of those that have the file. */
  function advanceAt(file: string, offset: number | null, vectors: readonly number[], steps: number): boolean {
    for (const [index, kernel] of programs.entries()) {
      const run = runs[index];
      if (run === undefined || !concerns(kernel, file, offset)) continue;
      if (!run.advancePaths(steps)) return false;
      if (offset !== null && answers(kernel, run, file, offset, vectors)) return true;
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
    programs,
    runs,
    advancePaths: (steps) => runs.every((run) => run.advancePaths(steps)),
    advance,
    advanceAt,
    exploration: () => ({
      run: (states) => {
        const done = advance(states * 2);
        return { scenario: 'entry paths', start: 'every context', states: runs.reduce((sum, run) => sum + run.steps(), 0), depth: 0, done };
      },
      reports: () => programs.flatMap((kernel, index) => [...(kernel.program.contexts.has('inside C') ? [inspected(kernel)] : []), ...(runs[index]?.reports() ?? [])]),
    }),
    contextAt: (file, offset) => contextAt(programs, runs, file, offset),
    knownAt: (file, offset) => ({
      info: contextAt(programs, runs, file, offset),
      span: sameNodesAround(programs.map(({ program }) => program), file, offset),
      finished: advanceAt(file, offset, [], 0),
    }),
    raise: (file, offset, vectors) => raiseAt(programs, runs, rules, file, offset, vectors),
    survey: (file, events) => createSurvey(programs, runs, rules, file, events),
    entryIn: (file, span) => entryIn(programs, runs, file, span),
    eventsAt: (file, offset) => eventsAt(programs, runs, file, offset),
  };
}

function concerns({ program }: KernelProgram, file: string, offset: number | null): boolean {
  return offset === null ? nodesOf(program, file).some((node) => isIn(node, file)) : nodesAt(program, file, offset).length > 0;
}

/** CPUs that a unit's own stubs are run on: by what its code deals with. */
export function unitVariants(program: Program): readonly CpuVariant[] {
  if (program.delivery === 'fred') return FRED_VARIANTS;
  const writesCr3 = program.code.nodes.some((node) => node.kind === 'instruction' && node.mnemonic.startsWith('mov') && node.operands.at(-1)?.kind === 'system-register' && (node.operands.at(-1) as { readonly name: string }).name === 'cr3');
  const absent = new Set(program.directives.flatMap((directive) => (directive.kind === 'assume' ? (absentFeature(directive.subject) ?? []) : [])));
  const patched = program.code.nodes.some((node) => node.kind === 'feature') ? PATCHED.filter((feature) => !absent.has(feature)) : [];
  const present = [...patched, ...(writesCr3 ? ['X86_FEATURE_PTI'] : [])];
  return [
    { name: writesCr3 ? 'PTI' : 'no FSGSBASE', present },
    { name: writesCr3 ? 'PTI, FSGSBASE' : 'FSGSBASE', present: [...present, 'X86_FEATURE_FSGSBASE'] },
  ].filter(({ present }) => !present.some((feature) => absent.has(feature)));
}

/** Features whose alternatives are there to be taken, where a unit has alternatives. */
const PATCHED = ['X86_FEATURE_ALWAYS', 'X86_FEATURE_SMAP', 'X86_FEATURE_FENCE_SWAPGS_USER', 'X86_FEATURE_FENCE_SWAPGS_KERNEL', 'X86_FEATURE_CLEAR_CPU_BUF'];

/** Whether a unit has stubs that are its own text. */
export function hasStubs(program: Program): boolean {
  return program.handlers.some((handler) => !handler.synthesized && program.functions.has(handler.stubName)) || instructionDoors(program).length > 0 || program.syscallExit !== null;
}
