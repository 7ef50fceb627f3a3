// Runs of the nesting exploration of a kernel's NMI stub, with their findings and traces.
import { outsideContexts, entrySetup } from '../contexts/entry-start.ts';
import { newKeptWords } from '../contexts/nesting-dead.ts';
import { exploreNesting } from '../contexts/nesting-exploration.ts';
import type { FaultyStep, NestingExploration, NestingTry } from '../contexts/nesting-exploration.ts';
import type { NestingFault } from '../contexts/nesting-faults.ts';
import { nestingStarts, nestingVariants } from '../contexts/nesting-starts.ts';
import type { NestingStart } from '../contexts/nesting-starts.ts';
import { nestingModel } from '../contexts/nesting.ts';
import type { Nest, NestingBounds, NestStep } from '../contexts/nesting.ts';
import type { MachineTransition } from '../contexts/model.ts';
import { nodeText } from '../contexts/projection.ts';
import { replay, unfold } from '../explore/replay.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import type { CodeNode, InstructionNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, load } from '../machine/draft.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { isConstant } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { forgetPathSteps } from '../contexts/path-steps.ts';
import { pathOutcomes } from '../contexts/path-outcomes.ts';
import type { Finding, RunReport, Trace } from '../rules/finding.ts';
import type { Rule } from '../rules/rule.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import { NESTED_NMI_RULE } from '../rules/nested-nmi-breaks-frame.ts';
import { asksForRsp, FORGED_RSP_RULE, forgedRspMessage } from '../rules/nested-test-trusts-rsp.ts';
import type { KernelProgram } from './kernel-run.ts';
import { samePath, withPath } from './playback.ts';
import type { Path } from './playback.ts';
import { traceOf } from './trace.ts';

export interface NestingRun {
  readonly advance: (states: number) => boolean;
  readonly states: () => number;
  readonly reports: () => readonly RunReport[];
}

const trapsOnce = new Map([[3, 1], [14, 1]]);

/** Tried where any number of events shows a defect, for its shortest trace: two NMIs show every defect known so far. */
export const NESTING_BOUNDS: readonly NestingBounds[] = [{ nmis: 2, traps: trapsOnce }, { nmis: 4, traps: trapsOnce }];
const MOST_STATES = 500_000;

interface One {
  readonly variant: CpuVariant;
  readonly setup: MachineSetup;
  readonly start: NestingStart;
}

export function createNestingRun(kernel: KernelProgram, rules: readonly Rule[]): NestingRun {
  const { program } = kernel;
  const rule = rules.find((one) => one.name === NESTED_NMI_RULE) ?? null;
  const forged = rules.find((one) => one.name === FORGED_RSP_RULE) ?? null;
  const applies = rule !== null && program.contexts.has('inside C') && program.delivery === 'idt' && program.handlers.some((handler) => handler.vector === 2 && handler.ist.value === 'NMI');
  const setup = entrySetup(program);
  const waiting: One[] = !applies ? [] : nestingVariants(kernel.variants).flatMap((variant) => {
    const outside = outsideContexts(program, variant);
    const user = outside.find((one) => one.name === 'user');
    const inside = outside.find((one) => one.name === 'kernel');
    if (user === undefined || inside === undefined) return [];
    return nestingStarts(program, user.state, inside.state).filter(({ chosen }) => chosen || !kernel.beside).map((start) => ({ variant, setup, start }));
  });
  const plan = { kept: newKeptWords(), bounds: NESTING_BOUNDS, reduced: true, maxStates: MOST_STATES };
  const done: RunReport[] = [];
  let running: { readonly one: One; readonly exploration: NestingExploration } | null = null;
  let states = 0;

  function traceTo(run: Explored, { from, choice }: FaultyStep): Trace {
    const choices = [...run.of.explorer.pathTo(from).choices, choice];
    const played = replay<Nest>(run.of.model, 0, choices);
    const transitions = (played.transitions as readonly NestStep[]).map((step): MachineTransition => ({ label: step.label, event: step.event, effects: step.effects, state: step.state.state, weight: step.weight }));
    const trace = traceOf(program, run.one.setup, 'nested NMIs', run.one.start.title, played.states.map((nest) => nest.state), transitions, choices);
    const { one, of: { bounds } } = run;
    const taken = transitions.map(({ event, weight }) => ({ event, weight }));
    return withPath({ ...trace, variant: [one.variant.name] }, () => singleSteps(one, bounds, choices, taken));
  }

  /** Steps of the code come first at each boundary, and where there was no choice there is one. */
  function singleSteps({ setup: machine, start }: One, bounds: NestingBounds, choices: readonly number[], taken: readonly Pick<NestStep, 'event' | 'weight'>[]): Path {
    const model = nestingModel(program, machine, start.state, bounds, false);
    const [initial] = model.initial();
    if (initial === undefined) throw new Error('the model has no start');
    const { states, transitions } = unfold<Nest, NestStep>(initial, taken.map(({ weight }) => weight), (nest, choice, step) => {
      const event = step === 0 ? (taken[choice]?.event ?? null) : null;
      return model.successors(nest).filter((successor) => successor.event === event)[event === null && step === 0 ? (choices[choice] ?? 0) : 0];
    });
    return {
      program,
      setup: machine,
      scenario: null,
      states: states.map(({ state }) => state),
      transitions: transitions.map(({ label, event, effects, state: { state } }) => ({ label, event, effects, state, weight: 1 })),
    };
  }

  /** The last step says what is wrong, at the instruction at which it shows. */
  function withFault(trace: Trace, what: NestingFault, step: NestStep): Trace {
    const node = program.code.nodes[step.before.node];
    const lane = trace.steps.at(-1)?.lane ?? [];
    return node === undefined ? trace : samePath({ ...trace, steps: [...trace.steps, { title: what.what, place: node.kind === 'interrupted' ? null : pathPlace(node), symbol: node.symbol, lane, changed: [], steps: 1 }] }, trace);
  }

  function found(speaks: Rule, node: CodeNode, { variant }: One): Omit<Finding, 'message' | 'trace'> {
    return { rule: speaks.name, severity: speaks.severity, place: pathPlace(node), premises: [{ fact: `CPU with ${variant.name}`, place: null, assumed: false }], related: [], fix: null, variants: [`${kernel.configuration}: ${variant.name}`] };
  }

  function report(one: One, exploration: NestingExploration): RunReport {
    const run: Explored = { one, of: exploration.last() };
    const fault = run.of.fault();
    const progress = exploration.progress();
    const findings: Finding[] = [];
    const trace = fault === null ? null : withFault(traceTo(run, fault), fault.what, fault.step);
    const asked = fault?.what.kind === 'nmi-lost' && forged !== null && one.start.forged && !done.some(({ findings: before }) => before.some((finding) => finding.rule === NESTED_NMI_RULE)) ? askedForRsp(program, run, fault) : null;
    if (fault !== null && forged !== null && asked !== null && trace !== null) {
      findings.push({ ...found(forged, asked, one), message: forgedRspMessage(asked, one.start.title), trace });
    } else if (fault !== null && rule !== null && trace !== null) {
      const node = (fault.what.kind === 'nmi-lost' ? markerWriter(program, run, fault) : null) ?? blamed(program.code.nodes, fault.step, fault.what.kind);
      findings.push({ ...found(rule, node, one), message: messageOf(node, fault.what, one.start.title), trace });
    }
    return {
      scenario: 'nested NMIs',
      design: `${kernel.configuration}, ${one.variant.name}`,
      start: one.start.title,
      verdict: fault !== null ? 'violated' : progress.boundHit ? 'inconclusive' : 'holds',
      states: progress.states,
      transitions: progress.transitions,
      depth: progress.depth,
      bounds: boundsInWords(run.of.bounds),
      boundsHit: progress.boundHit ? [`${progress.states} states`] : [],
      assumptions: ['the C handler returns with the callee-saved registers as it found them'],
      findings,
      remarks: fault === null && run.of.bounds.nmis < Infinity ? ['not shown for any number of NMIs'] : [],
      trace,
    };
  }

  return {
    states: () => states + (running?.exploration.states() ?? 0),
    reports: () => done,
    advance: (more) => {
      const stop = states + (running?.exploration.states() ?? 0) + more;
      for (;;) {
        if (running === null) {
          const one = waiting.shift();
          if (one === undefined) return true;
          running = { one, exploration: exploreNesting(program, one.setup, one.start.state, plan) };
        }
        const { one, exploration } = running;
        const ended = exploration.advance(Math.max(1, stop - states - exploration.states()));
        if (ended) {
          done.push(report(one, exploration));
          states += exploration.states();
          running = null;
          // What was learned of the steps is as large as all else that is known of the program.
          if (waiting[0] === undefined) forgetPathSteps(program);
        }
        if (states + (running?.exploration.states() ?? 0) >= stop) return running === null && waiting.length === 0;
      }
    },
  };
}

function boundsInWords({ nmis, traps }: NestingBounds): readonly string[] {
  const often = (count: number): string => (count === Infinity ? 'any number of times' : `at most ${count}`);
  return [`NMI ${often(nmis)}`, ...[...traps].map(([vector, count]) => `vector ${vector} in the C handler ${often(count)}${count === Infinity ? ', not while one is live there' : ''}`)];
}

function messageOf(node: CodeNode, fault: NestingFault, start: string): string {
  const where = nodeText(node);
  if (fault.kind === 'nmi-lost') return `${where} leaves a word on the NMI stack that makes a later NMI look nested: ${fault.what} (start: ${start}); nothing but the protocol itself may write where its marker lies`;
  return `an NMI at ${where} breaks the NMI that it interrupts: ${fault.what} (start: ${start}); the nested NMI must be recognised at every instruction from the entry to the return`;
}

interface Explored {
  readonly one: One;
  readonly of: NestingTry;
}

/** Every state on the way to a step, those inside its chains too. */
function statesTo(program: Program, run: Explored, { from, choice }: FaultyStep): readonly State[] {
  const { setup } = run.one;
  const played = replay<Nest>(run.of.model, 0, [...run.of.explorer.pathTo(from).choices, choice]);
  const states: State[] = [];
  for (let index = 0; index + 1 < played.states.length; index += 1) {
    const nest = played.states[index];
    if (nest === undefined) continue;
    const first = (played.transitions[index] as NestStep).state.state;
    const end = played.states[index + 1]?.state ?? first;
    states.push(nest.state);
    for (let state: State = nest.state, count = 0; count < LONGEST_WALK; count += 1) {
      const next = pathOutcomes(program, setup, state);
      const only = next[0];
      if (next.length !== 1 || only === undefined || state.node === end.node) break;
      state = only.inside ?? only.state;
      states.push(state);
    }
  }
  return states;
}

/** The last instruction of an NMI stub that asked for the interrupted RSP, or null. */
function askedForRsp(program: Program, run: Explored, fault: FaultyStep): CodeNode | null {
  for (const state of [...statesTo(program, run, fault)].reverse()) {
    const node = program.code.nodes[state.node];
    if (node !== undefined && asksForRsp(node, state, run.one.setup)) return node;
  }
  return null;
}

/** The last instruction that wrote the word by which the dropped NMI was taken for a nested one, or null. */
function markerWriter(program: Program, run: Explored, fault: FaultyStep): CodeNode | null {
  const { setup } = run.one;
  const states = statesTo(program, run, fault);
  const test = [...states].reverse().find((state) => {
    const node = program.code.nodes[state.node];
    return node?.kind === 'instruction' && node.mnemonic.startsWith('cmp') && state.frames.at(-1)?.vector === NMI && markerAddress(node, state) !== null;
  });
  const node = test === undefined ? undefined : program.code.nodes[test.node];
  const address = test === undefined || node?.kind !== 'instruction' ? null : markerAddress(node, test);
  if (test === undefined || address === null) return null;
  const last = states.lastIndexOf(test);
  const word = (state: State): Word => load(draftOf(state), setup, address & ~7n, 8);
  for (let index = last; index > 0; index -= 1) {
    const before = states[index - 1];
    const after = states[index];
    if (before === undefined || after === undefined || word(before) === word(after)) continue;
    const writer = program.code.nodes[before.node];
    if (writer?.kind === 'instruction') return writer;
  }
  return null;
}

const LONGEST_WALK = 600;
const NMI = 2;

/** Where a comparison looks below RSP. */
function markerAddress(node: InstructionNode, state: State): bigint | null {
  const operand = node.operands.find((one) => one.kind === 'memory' && one.base === RSP && one.displacement < 0n);
  const rsp = state.registers[RSP];
  return operand?.kind === 'memory' && rsp !== undefined && isConstant(rsp) ? rsp.value + operand.displacement : null;
}

/** The instruction that a nested NMI interrupted, where one has returned to it, else where the fault showed. */
function blamed(nodes: readonly CodeNode[], step: NestStep, kind: NestingFault['kind']): CodeNode {
  if (kind !== 'nmi-lost' && kind !== 'nmi-repeated') for (const effect of step.effects) {
    if (effect.kind !== 'return' || effect.frame === null) continue;
    const node = nodes[effect.frame.interrupted];
    if (node !== undefined && node.kind === 'instruction') return node;
  }
  const node = nodes[step.before.node];
  if (node === undefined) throw new Error('a step of the exploration is at no node of the program');
  return node;
}
