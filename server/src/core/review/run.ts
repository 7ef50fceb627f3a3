// One run: a scenario on a program from one start context, explored in slices, judged by the rules, with a verdict that
// says what it is worth.
import type { Place } from '../base/span.ts';
import { createExplorer } from '../explore/explorer.ts';
import { replay, unfold } from '../explore/replay.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { Finding, RunReport, Severity, Trace, Verdict } from '../rules/finding.ts';
import type { Judgement, Rule } from '../rules/rule.ts';
import type { Expectation, Scenario, StartContext } from '../scenarios/scenario.ts';
import { machineModel } from '../contexts/model.ts';
import type { MachineTransition } from '../contexts/model.ts';
import { shows } from '../contexts/properties.ts';
import { handles, prepare } from '../contexts/setup.ts';
import { createAnyNumber } from './any-number.ts';
import type { AnyNumberRun } from './any-number.ts';
import { withPath } from './playback.ts';
import { traceOf } from './trace.ts';

export interface RunOptions {
  readonly maxStates: number;
  /** No reductions: every boundary takes every event. */
  readonly reference: boolean;
  /** Whether what holds is explored for any number of events as well. */
  readonly anyNumber?: boolean;
}

export interface RunProgress {
  readonly states: number;
  readonly depth: number;
  readonly done: boolean;
  /** Whether it is explored for any number of events by now. */
  readonly beyond: boolean;
}

export interface Run {
  readonly scenario: Scenario;
  readonly start: StartContext;
  readonly advance: (states: number) => RunProgress;
  readonly report: () => RunReport;
}

/** States explored beyond the first violation, so that other rules find their shortest witness too: as many again. */
const LEAST_BEYOND = 1000;
const MOST_BEYOND = 20_000;

/** Whether a scenario says anything about a program: its vectors are handled and its delivery is the program's. */
export function applies(program: Program, scenario: Scenario): boolean {
  if (scenario.delivery === 'fred' && program.delivery !== 'fred') return false;
  return scenario.needs.every((event) => handles(program, event)) && scenario.budgets.some((budget) => handles(program, budget.event));
}

interface Candidate {
  readonly rule: Rule;
  readonly judgement: Judgement;
  readonly from: number;
  readonly choice: number;
}

export function createRun(program: Program, scenario: Scenario, start: StartContext, design: string, rules: readonly Rule[], options: RunOptions): Run {
  const prepared = prepare(program, scenario, start, { reference: options.reference });
  const model = machineModel(prepared.setup, [prepared.initial]);
  const judges = rules.filter((rule) => rule.judge !== null);
  const found = new Map<string, Candidate>();
  const broken = new Map<Expectation, { readonly from: number; readonly choice: number }>();
  const reached = new Set<Expectation>();
  const unknown = new Map<string, number>();
  const fallbacks = new Map<string, number>();
  const ends = new Map<string, number>();
  const neverAssumed = exempt(program, scenario, start);

  let violatedAt: number | null = null;

  const explorer = createExplorer<State>(model, Math.min(options.maxStates, scenario.maxStates), {
    enough: (states) => {
      if (violatedAt === null && broken.size > 0) violatedAt = states;
      return violatedAt !== null && states > violatedAt + Math.min(MOST_BEYOND, Math.max(LEAST_BEYOND, violatedAt));
    },
    onTransition: (from, before, choice, transition) => {
      const step = transition as MachineTransition;
      if (step.effects.length === 0) return;
      const seen = { program, before, effects: step.effects, after: step.state };
      for (const expectation of scenario.expect) {
        if (expectation.kind === 'never' && !broken.has(expectation) && shows(expectation.property, seen)) broken.set(expectation, { from, choice });
        if (expectation.kind === 'reachable' && !reached.has(expectation) && shows(expectation.property, seen)) reached.add(expectation);
      }
      for (const effect of step.effects) {
        if (effect.kind === 'unknown') unknown.set(effect.what, (unknown.get(effect.what) ?? 0) + 1);
        if (effect.kind === 'fallback') count(fallbacks, `${vectorTitle(effect.vector)} while ${program.guards[effect.guard]?.name ?? 'the guard'} was busy: ${effect.fallback}`);
        if (effect.kind === 'ended') count(ends, `${effect.why} ends a path`);
      }
      const node = program.code.nodes[before.node];
      if (node === undefined) return;
      for (const rule of judges) {
        for (const judgement of rule.judge?.({ program, setup: prepared.setup, scenario, before, node, event: step.event, effects: step.effects, after: step.state }) ?? []) {
          const key = `${rule.name}@${judgement.place.file}:${judgement.place.span.start}`;
          if (!found.has(key)) found.set(key, { rule, judgement, from, choice });
        }
      }
    },
  });

  let progress = explorer.run(0);

  function traceTo(from: number, choice: number): Trace {
    const path = explorer.pathTo(from);
    return replayTrace(program, scenario, start, options.reference, [...path.choices, choice]);
  }

  /** The model delivers by the tables as they stand: which frame lies where is not known then. */
  const stacksMove = program.stackWrites.length > 0;
  const isWrong = (): boolean => [...found.values()].some(({ rule, judgement }) => lowered(judgement.severity ?? rule.severity, judgement) === 'error');
  const missing = (): readonly Expectation[] => scenario.expect.filter((one) => one.kind === 'reachable' && !reached.has(one));
  /** Beyond the budgets: null before the run has come to its end, and where it does not hold. */
  let beyond: AnyNumberRun | null = null;
  const asksBeyond = (): boolean => options.anyNumber === true && broken.size === 0 && !stacksMove && !progress.boundHit && missing().length === 0 && !isWrong();

  return {
    scenario,
    start,
    advance: (states) => {
      if (!progress.done) progress = explorer.run(states);
      else if (asksBeyond()) beyond ??= createAnyNumber(program, scenario, start);
      const done = beyond === null ? progress.done && !asksBeyond() : beyond.advance(states);
      return { states: progress.states, depth: progress.depth, done, beyond: beyond !== null };
    },
    report: () => {
      const boundsHit = [...(progress.boundHit ? [`${progress.states} states`] : []), ...(model.cutOff() ? [`live frames at most ${scenario.depth}`] : []), ...(stacksMove && broken.size > 0 ? ['the stack of an event is changed at run time'] : [])];
      const first = [...broken].filter(([one]) => !stacksMove || !isOverwriting(one)).sort((a, b) => explorer.depthOf(a[1].from) - explorer.depthOf(b[1].from))[0];
      const verdict: Verdict = first !== undefined || isWrong() ? 'violated' : progress.boundHit || (stacksMove && broken.size > 0) ? 'inconclusive' : missing().length > 0 ? 'vacuous' : 'holds';
      const remarks = [
        ...(first === undefined ? [] : [`violated: never ${first[0].kind === 'never' ? first[0].what : ''}`]),
        ...(verdict === 'vacuous' ? missing().map((one) => `not seen: ${one.kind === 'reachable' ? one.what : ''}`) : []),
        ...[...fallbacks].map(([what, times]) => `${what} (${times} times)`),
        ...ends.keys(),
        ...[...unknown.keys()].map((what) => `unknown: ${what}`),
        ...unread(scenario).map((what) => `unknown: ${what}`),
      ];
      return {
        scenario: scenario.name,
        design,
        start,
        verdict,
        states: progress.states,
        transitions: progress.transitions,
        depth: progress.depth,
        bounds: prepared.bounds,
        boundsHit,
        assumptions: [...new Set([...program.assumptions, ...neverAssumed])],
        findings: [...found.values()].map((one) => toFinding(one, traceTo(one.from, one.choice), scenario)),
        remarks,
        trace: first === undefined ? null : traceTo(first[1].from, first[1].choice),
        anyNumber: verdict === 'holds' ? (beyond?.result() ?? null) : null,
      };
    },
  };
}

/** What a scenario file says and this version does not follow. */
function unread(scenario: Scenario): readonly string[] {
  return [
    ...(scenario.steps.length > 1 ? ['`steps` behind the first event are not followed: the environment is free'] : []),
    ...(scenario.where.length > 0 ? ['`where` is not followed: events may arrive everywhere'] : []),
    ...(scenario.initial.registers.size > 0 ? ['`initial.regs` is not followed: registers hold what the start context says'] : []),
  ];
}

function count(into: Map<string, number>, key: string): void {
  into.set(key, (into.get(key) ?? 0) + 1);
}

/** The trace of a replay key, for everything that keeps only the choices. */
export function replayTrace(program: Program, scenario: Scenario, start: StartContext, reference: boolean, choices: readonly number[]): Trace {
  const { setup, initial } = prepare(program, scenario, start, { reference });
  const { states, transitions } = replay<State>(machineModel(setup, [initial]), 0, choices);
  const weights = transitions.map(({ weight }) => weight);
  return withPath(traceOf(program, setup, scenario.name, start, states, transitions as readonly MachineTransition[], choices), () => {
    // Where there was no choice, the first step is the only one.
    const model = machineModel(setup, [initial], { single: true });
    return { program, setup, scenario, ...unfold(initial, weights, (state, choice, step) => model.successors(state)[step === 0 ? (choices[choice] ?? 0) : 0]) };
  });
}

function toFinding(candidate: Candidate, trace: Trace, scenario: Scenario): Finding {
  const { rule, judgement } = candidate;
  return {
    rule: rule.name,
    severity: lowered(judgement.severity ?? rule.severity, judgement),
    place: judgement.place,
    message: judgement.message,
    premises: judgement.premises,
    trace,
    related: judgement.related ?? [],
    fix: null,
    variants: [`${scenario.name}`],
  };
}

function isOverwriting(one: Expectation): boolean {
  return one.kind === 'never' && one.property.kind === 'named' && one.property.name === 'live-frame-overwritten';
}

/** What rests on something that was only assumed is no error. */
function lowered(severity: Severity, { premises }: Judgement): Severity {
  return severity === 'error' && premises.some(({ assumed }) => assumed) ? 'warning' : severity;
}

/** Starts that an annotation rules out: `never-in gap vectors=VE`. */
function exempt(program: Program, scenario: Scenario, start: StartContext): readonly string[] {
  return excludes(program, scenario, start) === null ? [] : [`the ${start} start is ruled out by an annotation`];
}

/** The annotation that says a scenario's event never comes in a start context, or null. */
export function excludes(program: Program, scenario: Scenario, start: StartContext): Place | null {
  if (start !== 'gap') return null;
  for (const directive of program.directives) {
    if (directive.kind !== 'never-in' || (directive.where !== 'gap' && directive.where !== 'entry')) continue;
    if (scenario.budgets.some((budget) => directive.vectors.includes(budget.event)) && scenario.needs.some((need) => directive.vectors.includes(need))) return directive.place;
  }
  return null;
}
