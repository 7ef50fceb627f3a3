// The entry code of a kernel tree under review: all its entry paths, and its NMI stub entered again while it runs, judged
// by the path rules, in slices. The reports have the form of scenario runs.
import type { Place } from '../base/span.ts';
import { createEntryAnalysis } from '../contexts/entry-analysis.ts';
import type { EntryAnalysis } from '../contexts/entry-analysis.ts';
import { listOf } from '../contexts/entry-paths.ts';
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import { causesOf } from '../contexts/path-causes.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import type { Finding, RunReport, Severity } from '../rules/finding.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import type { Judgement, PathClass, PathRule, Rule } from '../rules/rule.ts';
import { createNestingRun } from './nesting-run.ts';
import { pathTrace } from './path-trace.ts';
import type { PathEnd } from './path-trace.ts';

export interface KernelProgram {
  readonly program: Program;
  /** Name of the configuration it was read with. */
  readonly configuration: string;
  readonly variants: readonly CpuVariant[];
  /** Read beside the tree's own configuration, whose program is run in full. */
  readonly beside: boolean;
}

export interface KernelRun {
  /** Explores about `steps` further steps; true when nothing is left. */
  readonly advance: (steps: number) => boolean;
  /** The same for the entry paths alone, which is all that contexts need. */
  readonly advancePaths: (steps: number) => boolean;
  readonly steps: () => number;
  readonly reports: () => readonly RunReport[];
  readonly analysis: EntryAnalysis;
}

/** What a rule says of a step. */
export interface Heard {
  readonly rule: Rule;
  readonly judgement: Judgement;
}

interface Candidate extends PathEnd {
  readonly rule: Rule;
  readonly variants: Set<string>;
}

const RANK: Readonly<Record<Severity, number>> = { error: 3, warning: 2, info: 1, hint: 0 };
const NONE: Heard[] = [];
/** Findings of one rule that are shown one by one; of the others the reader is told where they are. */
const MOST_OF_A_RULE = 3;

export function createKernelRun(kernel: KernelProgram, rules: readonly Rule[]): KernelRun {
  const { program } = kernel;
  const judging = judgesOf(program, rules);
  const found = new Map<string, Candidate>();

  function observe(step: PathStep, values: readonly number[], choices: Parameters<typeof listOf>[0], depth: number): boolean {
    const heard = heardAt(judging, step, values);
    for (const { rule, judgement } of heard) {
      const key = `${rule.name}@${judgement.place.file}:${judgement.place.span.start}`;
      const before = found.get(key);
      const variants = before?.variants ?? new Set<string>();
      variants.add(step.start.variant.name);
      if (before === undefined || lengthOf(step.start, depth) < lengthOf(before.start, before.depth)) found.set(key, { rule, judgement, start: step.start, choices: listOf(choices), depth, step, variants });
    }
    return heard.length > 0;
  }

  const analysis = createEntryAnalysis(program, kernel.variants, judging.monitors, observe);
  const nesting = createNestingRun(kernel, rules);
  let pathsDone = false;

  function advancePaths(steps: number): boolean {
    const stop = analysis.steps() + steps;
    while (!pathsDone && analysis.steps() < stop) pathsDone = analysis.advance(1);
    return pathsDone;
  }

  // Where a stub alone goes wrong already, what nested NMIs make of that says nothing more, and may be explored for long;
  // what a return to user mode leaves wrong they have nothing to do with.
  const broken = (): boolean => [...found.values()].some(({ rule, judgement, step }) => (judgement.severity ?? rule.severity) === 'error' && step.after.cpu.cpl !== 3);

  return {
    analysis,
    steps: () => analysis.steps() + nesting.states(),
    advancePaths,
    advance: (steps) => advancePaths(steps) && (broken() || nesting.advance(Math.max(500, steps / 20))),
    reports: () => {
      const paths = pathReport(kernel, analysis, [...found.values()], pathsDone);
      return [paths, ...(broken() ? [] : nesting.reports())];
    },
  };
}

/** Of what the rules say of a step that which counts: the severest, of the highest rank. */
export function heardAt(judging: Judges, step: PathStep, values: readonly number[]): readonly Heard[] {
  let heard = NONE;
  let best = -1;
  for (const { rule, path, slot } of judging.at(step.node.id)) {
    for (const judgement of path.judge(step, slot < 0 ? 0 : (values[slot] ?? 0))) {
      const rank = RANK[judgement.severity ?? rule.severity] * 10 + (path.rank ?? 0);
      if (rank > best) heard = [];
      if (rank >= best) heard.push({ rule, judgement });
      best = Math.max(best, rank);
    }
  }
  return heard;
}

interface Judge {
  readonly rule: Rule;
  readonly path: PathRule;
  /** Index of its monitor, -1 where it has none. */
  readonly slot: number;
}

export interface Judges {
  readonly monitors: readonly Monitor[];
  /** The rules that have to see a node. */
  readonly at: (node: NodeId) => readonly Judge[];
}

export function judgesOf(program: Program, rules: readonly Rule[]): Judges {
  const monitors: Monitor[] = [];
  const judges: Judge[] = [];
  for (const rule of rules) {
    const { path } = rule;
    if (path === undefined) continue;
    const known = path.monitor === null ? -1 : monitors.indexOf(path.monitor);
    judges.push({ rule, path, slot: path.monitor === null ? -1 : known >= 0 ? known : monitors.push(path.monitor) - 1 });
  }
  const byNode: (readonly Judge[] | undefined)[] = [];
  const byClasses = new Map<string, readonly Judge[]>();
  return {
    monitors,
    at: (id) => {
      const known = byNode[id];
      if (known !== undefined) return known;
      const classes = classesOf(program.code.nodes[id]);
      const key = classes.join();
      let own = byClasses.get(key);
      if (own === undefined) byClasses.set(key, (own = judges.filter(({ path }) => path.at.some((name) => classes.includes(name)))));
      byNode[id] = own;
      return own;
    },
  };
}

function classesOf(node: CodeNode | undefined): readonly PathClass[] {
  if (node?.kind !== 'instruction') return [];
  const classes: PathClass[] = [];
  const { mnemonic, operands } = node;
  if (/^(call|jmp)/.test(mnemonic)) classes.push('call');
  if (/^(iret|eret|sysret|sysexit|ret|ud2)/.test(mnemonic)) classes.push('return');
  if (/^(push|pop|call|leave|enter|movs|stos|lods|scas|cmps)/.test(mnemonic) || operands.some((operand) => operand.kind === 'memory')) classes.push('access');
  if (operands.some((operand) => operand.kind === 'memory')) classes.push('memory');
  if (operands.some((operand) => operand.kind === 'memory' && operand.segment === 'gs')) classes.push('per-CPU');
  if (/^(movs|stos|lods|scas|cmps)/.test(mnemonic)) classes.push('string');
  if (mnemonic.startsWith('push')) classes.push('push');
  if (/^(sti|cli|popf)/.test(mnemonic)) classes.push('flags');
  if (/^(rdmsr|wrmsr|rdpid|rdtscp|mov|swapgs)/.test(mnemonic)) classes.push('system');
  return classes;
}

/** Steps from the outermost start of a path to a step of it. */
function lengthOf(start: PathStart, depth: number): number {
  return depth + 1 + (start.parent === null ? 0 : lengthOf(start.parent.start, start.parent.steps));
}

function pathReport(kernel: KernelProgram, analysis: EntryAnalysis, candidates: readonly Candidate[], done: boolean): RunReport {
  const findings = merged(candidates).map(({ candidate, others }) => toFinding(kernel, analysis, candidate, others));
  const worst = findings[0];
  return {
    scenario: 'entry paths',
    design: kernel.configuration,
    start: 'every context',
    verdict: findings.length > 0 ? 'violated' : done && analysis.unbounded().length === 0 ? 'holds' : 'inconclusive',
    states: analysis.steps(),
    transitions: analysis.steps(),
    depth: Math.max(0, ...candidates.map((one) => one.depth)),
    bounds: ['handlers are assumed to restore what they interrupt, and are checked to'],
    boundsHit: analysis.unbounded(),
    assumptions: ['memory of the kernel that entry code touches is mapped and does not fail'],
    findings,
    remarks: [`entered ${counted(analysis.starts(), 'time')} through ${counted(analysis.doors.length, 'entry point')} on ${counted(analysis.variants.length, 'kind')} of CPU`],
    trace: worst?.trace ?? null,
  };
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Shortest first; of many findings of one rule the first ones, with the places of the others. */
function merged(candidates: readonly Candidate[]): readonly { readonly candidate: Candidate; readonly others: readonly Place[] }[] {
  const byRule = new Map<Rule, Candidate[]>();
  for (const one of [...candidates].sort((a, b) => lengthOf(a.start, a.depth) - lengthOf(b.start, b.depth))) byRule.set(one.rule, [...(byRule.get(one.rule) ?? []), one]);
  return [...byRule.values()].map(onceEach).flatMap((all) => {
    const rest = all.slice(MOST_OF_A_RULE).map((one) => one.judgement.place);
    return all.slice(0, MOST_OF_A_RULE).map((candidate, index) => ({ candidate, others: index === 0 ? rest : [] }));
  });
}

/** What one rule says of one cause at several instructions, each on CPUs of its own, is told at the first of them. */
function onceEach(all: readonly Candidate[]): readonly Candidate[] {
  const heads: Candidate[] = [];
  for (const one of all) {
    const at = heads.findIndex((head) => causeOf(head) === causeOf(one) && ![...one.variants].some((name) => head.variants.has(name)));
    const head = heads[at];
    if (head === undefined) {
      heads.push(one);
      continue;
    }
    const earlier = one.judgement.place.span.start < head.judgement.place.span.start ? one : head;
    heads[at] = { ...earlier, variants: new Set([...head.variants, ...one.variants]) };
  }
  return heads;
}

/** What is said behind the instruction, in the same file. */
function causeOf({ judgement }: Candidate): string {
  const { message, place } = judgement;
  const colon = message.indexOf(': ');
  return `${place.file} ${colon < 0 ? message : message.slice(colon)}`;
}

/** Where what a wrong return brings back, and the way to it, came from, where that is not the place of the finding. */
function causes({ program }: KernelProgram, { setup }: EntryAnalysis, { judgement, start, choices, depth }: Candidate): Finding['related'] {
  if (judgement.blamed === undefined) return [];
  // A line of a macro, and the use of it that made the instruction.
  const found = causesOf(program, setup, start, choices, depth, judgement.blamed).flatMap(({ node, what }) => [pathPlace(node), { file: node.origin.file, span: node.origin.span }].map((place) => ({ place, message: what })));
  const at = (place: Place): string => `${place.file} ${place.span.start}`;
  return found.filter(({ place }, index) => at(place) !== at(judgement.place) && found.findIndex((other) => at(other.place) === at(place)) === index);
}

function toFinding(kernel: KernelProgram, analysis: EntryAnalysis, candidate: Candidate, others: readonly Place[]): Finding {
  const { rule, judgement } = candidate;
  const more = others.slice(0, 8).map((place) => ({ place, message: 'the same here' }));
  if (others.length > more.length && more[0] !== undefined) more.push({ place: more[0].place, message: `and ${others.length - more.length} more` });
  return {
    rule: rule.name,
    severity: judgement.severity ?? rule.severity,
    place: judgement.place,
    message: judgement.message,
    premises: judgement.premises,
    trace: pathTrace(kernel, analysis.setup, candidate),
    related: [...(judgement.related ?? []), ...causes(kernel, analysis, candidate), ...more],
    fix: null,
    // A sketch has one configuration, and what shows on every CPU needs no list of them.
    variants: kernel.program.contexts.has('inside C') || candidate.variants.size < analysis.variants.length ? [...candidate.variants].map((name) => `${kernel.configuration}: ${name}`) : [],
  };
}
