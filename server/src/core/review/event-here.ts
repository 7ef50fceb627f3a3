// "Raise this event here": at one instruction of entry code, from every distinct context that reaches it, or at all
// instructions of a file. Results name the context, what comes of it, and the trace.
import { outermost } from '../base/span.ts';
import type { Place, Span } from '../base/span.ts';
import type { Reached } from '../contexts/entry-analysis.ts';
import { changes, project } from '../contexts/projection.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import { RSP } from '../machine/registers.ts';
import { isConstant } from '../machine/word.ts';
import { VECTORS } from '../machine/vectors.ts';
import type { EventCount, EventRow, EventRun, EventSurvey, Finding, Trace } from '../review-types.ts';
import { NESTED_NMI_RULE } from '../rules/nested-nmi-breaks-frame.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import type { Rule } from '../rules/rule.ts';
import { arrivalOf, eventsAnywhere, eventTitle, hasEntry } from './arrivals.ts';
import { createFollower } from './event-follow.ts';
import type { Followed, Follower } from './event-follow.ts';
import { cpusText, groupsAt, nodesAt, placeIn, rowOf, silenceOf, titleIn } from './kernel-context.ts';
import type { Group } from './kernel-context.ts';
import { judgesOf, outermostOf, wayOf } from './kernel-run.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';
import { traceOf } from './trace.ts';

/** One program with what follows events in it. */
interface Bench {
  readonly kernel: KernelProgram;
  readonly run: KernelRun;
  readonly follower: Follower;
}

interface Tried {
  readonly reached: Reached;
  readonly followed: Followed | null;
  /** Why the first event cannot arrive. */
  readonly cannot: string | null;
}

const VC = 29;
/** What a reader looks for comes first. */
const ORDER: readonly EventRow['answer'][] = ['violated', 'inconclusive', 'holds', 'cannot'];

const benches = new WeakMap<KernelRun, Bench>();

function benchOf(kernel: KernelProgram, run: KernelRun, rules: readonly Rule[]): Bench {
  const known = benches.get(run);
  if (known !== undefined) return known;
  const made = { kernel, run, follower: createFollower(kernel.program, run.analysis.setup, judgesOf(kernel.program, rules)) };
  benches.set(run, made);
  return made;
}

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

function firstOfEach(members: readonly Reached[]): readonly Reached[] {
  const seen = new Set<string>();
  return members.filter((one) => {
    const key = `${one.state.node} ${one.start.variant.name}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function tryOne({ kernel, run, follower }: Bench, reached: Reached, vectors: readonly number[]): Tried {
  const arrival = arrivalOf(kernel.program, run.analysis.setup, reached.state, vectors[0] ?? 0);
  if (arrival.can === 'no') return { reached, followed: null, cannot: arrival.reason };
  const rsp = reached.state.registers[RSP];
  if (reached.state.cpu.cpl === 0 && rsp !== undefined && !isConstant(rsp) && rsp.name === '') return { reached, followed: null, cannot: 'not run: RSP is that of a task that is not in view' };
  if (interruptedByNeedlessExit(kernel, reached)) return { reached, followed: null, cannot: 'not run: a #VC came where no instruction exits' };
  return { reached, followed: follower.follow(reached, vectors), cannot: null };
}

/** Instructions that a hypervisor intercepts (AMD APM vol. 2, "SEV-ES", "#VC Exception"). */
const EXITING = /^(cpuid|rdmsr|wrmsr|rdtscp?|rdpmc|in[bwl]|out[bwl]|hlt|wbinvd|invd|monitor|mwait|vmmcall|mov)/;

/** Linux sees to it that its entry code makes no exits: memory is validated beforehand, and it has no such instruction. */
function interruptedByNeedlessExit({ program }: KernelProgram, { state }: Reached): boolean {
  return state.frames.some((frame) => {
    const node = program.code.nodes[frame.interrupted];
    return frame.vector === VC && node?.kind === 'instruction' && !(EXITING.test(node.mnemonic) && (!node.mnemonic.startsWith('mov') || node.operands.some((operand) => operand.kind === 'system-register' && operand.name.startsWith('dr'))));
  });
}

function nameOf(vectors: readonly number[]): string {
  return vectors.map(eventTitle).join(', ');
}

/** From the instruction on. */
function shortTrace({ kernel, run }: Bench, reached: Reached, followed: Followed, vectors: readonly number[]): Trace {
  const states = [reached.state, ...followed.transitions.map((transition) => transition.state)];
  return { ...traceOf(kernel.program, run.analysis.setup, `${nameOf(vectors)} here`, reached.start.from, states, followed.transitions, []), start: titleIn(reached.start), variant: [reached.start.variant.name] };
}

/** The whole way, from outside the kernel to what goes wrong. */
function wholeTrace({ kernel, run }: Bench, reached: Reached, followed: Followed, vectors: readonly number[], title: string, place: Place): Trace {
  const { setup } = run.analysis;
  const { program } = kernel;
  const { states, transitions } = wayOf(program, setup, reached.start, reached.choices, reached.steps);
  const all = [...transitions, ...followed.transitions];
  const passed = [...states, ...followed.transitions.map((transition) => transition.state)];
  const outside = outermostOf(reached.start).from;
  const trace = traceOf(program, setup, `${nameOf(vectors)} here`, outside, passed, all, []);
  const last = passed.at(-1);
  const before = passed.at(-2);
  const told = trace.steps.reduce((sum, step) => sum + step.steps, 0);
  if (last === undefined || before === undefined || told >= all.length) return { ...trace, start: outside, variant: [reached.start.variant.name] };
  const now = project(program, setup, last, outside);
  const final = { title, place, symbol: followed.node?.symbol ?? '', lane: now.lane, changed: changes(project(program, setup, before, outside), now), steps: all.length - told };
  return { ...trace, start: outside, variant: [reached.start.variant.name], steps: [...trace.steps, final] };
}

function findingsOf(bench: Bench, { reached, followed }: Tried, vectors: readonly number[]): readonly Finding[] {
  if (followed === null || followed.wrong === null || followed.node === null) return [];
  const { wrong, node } = followed;
  const at = bench.kernel.program.code.nodes[reached.state.node];
  const where = `${nameOf(vectors)} at ${at === undefined ? 'an instruction' : `${at.symbol}: ${at.text}`}`;
  const plain = { fix: null, variants: [`${bench.kernel.configuration}: ${reached.start.variant.name}`] } as const;
  if (wrong.kind === 'rule') {
    return wrong.heard.map(({ rule, judgement }) => ({
      ...plain,
      rule: rule.name,
      severity: judgement.severity ?? rule.severity,
      place: judgement.place,
      message: judgement.message,
      premises: judgement.premises,
      trace: wholeTrace(bench, reached, followed, vectors, judgement.message.split(';')[0] ?? '', judgement.place),
      related: judgement.related ?? [],
    }));
  }
  const place = shownPlace(node);
  const nmi = wrong.frame?.vector === 2 && vectors.includes(2);
  return [{
    ...plain,
    rule: wrong.kind === 'wrong-return' ? 'frame-unbalanced-at-return' : nmi ? NESTED_NMI_RULE : 'frame-overwritten',
    severity: 'error',
    place,
    message: `${where}: ${wrong.what}`,
    premises: [{ fact: `${titleIn(reached.start)}, CPU with ${reached.start.variant.name}`, place: null, assumed: false }],
    trace: wholeTrace(bench, reached, followed, vectors, wrong.what, place),
    related: [],
  }];
}

function shownPlace(node: CodeNode): Place {
  return node.kind === 'interrupted' ? outermost(node.origin) : pathPlace(node);
}

/** Each once, with the shortest trace and all CPUs on which it shows. */
function mergeFindings(findings: readonly Finding[]): readonly Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.rule}@${finding.place.file}:${finding.place.span.start}`;
    const before = merged.get(key);
    if (before === undefined) merged.set(key, finding);
    else merged.set(key, { ...(lengthOf(finding) < lengthOf(before) ? finding : before), variants: [...new Set([...before.variants, ...finding.variants])] });
  }
  return [...merged.values()];
}

function lengthOf(finding: Finding): number {
  return finding.trace?.steps.reduce((sum, step) => sum + step.steps, 0) ?? Infinity;
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

interface Site {
  readonly bench: Bench;
  readonly node: NodeId;
}

export function createSurvey(programs: readonly KernelProgram[], runs: readonly KernelRun[], rules: readonly Rule[], file: string, sequences: readonly (readonly number[])[]): EventSurvey {
  const sites: Site[] = [];
  const told = new Set<string>();
  const names: string[] = [];
  programs.forEach((kernel, index) => {
    const run = runs[index];
    if (run === undefined) return;
    const bench = benchOf(kernel, run, rules);
    const own = kernel.program.code.nodes.filter((node) => isIn(node, file) && !told.has(keyOf(node)));
    for (const node of own) {
      if (run.analysis.reached(node.id).length === 0 && index < programs.length - 1) continue;
      told.add(keyOf(node));
      sites.push({ bench, node: node.id });
    }
    if (own.length > 0) names.push(kernel.configuration);
  });
  const wanted = sequences.length > 0 ? sequences : runs.slice(0, 1).flatMap((run) => eventsAnywhere(run.analysis.setup).map((vector) => [vector]));
  const counts = wanted.map((vectors) => ({ vectors, contexts: 0, holds: 0, violated: 0, inconclusive: 0, cannot: 0, reasons: new Map<string, number>() }));
  const unreached = new Map<string, number>();
  let findings: readonly Finding[] = [];
  let at = 0;

  function visit({ bench, node }: Site): void {
    const groups = groupsAt(bench.kernel.program, bench.run.analysis, [node]);
    if (groups.length === 0) {
      const symbol = bench.kernel.program.code.nodes[node]?.symbol ?? '';
      unreached.set(symbol, (unreached.get(symbol) ?? 0) + 1);
    }
    for (const count of counts) {
      for (const group of groups) {
        for (const reached of firstOfEach(group.members)) {
          const one = tryOne(bench, reached, count.vectors);
          const answer = one.followed?.answer ?? 'cannot';
          count.contexts += 1;
          count[answer] += 1;
          const reason = one.cannot ?? one.followed?.reason ?? null;
          if (reason !== null) count.reasons.set(`${answer === 'cannot' ? 'cannot arrive' : answer}: ${reason}`, (count.reasons.get(`${answer === 'cannot' ? 'cannot arrive' : answer}: ${reason}`) ?? 0) + 1);
          if (answer === 'violated') findings = mergeFindings([...findings, ...findingsOf(bench, one, count.vectors)]);
        }
      }
    }
  }

  return {
    advance: (instructions) => {
      const stop = Math.min(sites.length, at + instructions);
      for (; at < stop; at += 1) {
        const site = sites[at];
        if (site !== undefined) visit(site);
      }
      return at >= sites.length;
    },
    result: () => ({
      configurations: names,
      instructions: sites.length,
      done: at,
      unreached: [...unreached].map(([symbol, instructions]) => ({ symbol, instructions })),
      counts: counts.map((count): EventCount => ({ ...count, events: nameOf(count.vectors), reasons: [...count.reasons].sort((a, b) => b[1] - a[1]).map(([reason, contexts]) => ({ reason, contexts })) })),
      findings,
    }),
  };
}

/** Instructions that a reader of the file sees there, or that a macro used there makes. */
export function isIn(node: CodeNode, file: string): boolean {
  if (node.kind === 'feature' || node.kind === 'interrupted') return false;
  return node.origin.file === file || node.origin.uses.some((use) => use.file === file);
}

function keyOf(node: CodeNode): string {
  return [node.origin, ...node.origin.uses].map(({ file, span }) => `${file}:${span.start}`).join(' ') + node.text + node.symbol;
}
