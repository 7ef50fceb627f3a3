// The way to a step of an entry path, as a trace: the paths of its starts one behind the other, each up to where the next
// one interrupts it.
import { titleOfStart, variantsOf } from '../contexts/entry-analysis.ts';
import { replayPath } from '../contexts/entry-paths.ts';
import type { PathStep } from '../contexts/entry-paths.ts';
import { entrySetup, vectorOf } from '../contexts/entry-start.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import type { MachineTransition } from '../contexts/model.ts';
import { pathKeyOf, playedBy } from '../contexts/path-keys.ts';
import { changes, project } from '../contexts/projection.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { Trace, TraceStep } from '../rules/finding.ts';
import type { Judgement } from '../rules/rule.ts';
import type { KernelProgram } from './kernel-run.ts';
import { withPath } from './playback.ts';
import type { Path } from './playback.ts';
import { traceOf } from './trace.ts';

/** A step of a path, how it was come to, and what is said of it. */
export interface PathEnd {
  readonly start: PathStart;
  readonly choices: readonly number[];
  readonly depth: number;
  readonly step: PathStep;
  readonly judgement: Judgement;
}

/** The path of each start up to where the next one interrupts it, then `steps` steps of this one. */
export function wayOf(program: Program, setup: MachineSetup, last: PathStart, choices: readonly number[], steps: number): { readonly states: State[]; readonly transitions: MachineTransition[] } {
  const states: State[] = [];
  const transitions: MachineTransition[] = [];
  const follow = (start: PathStart, taken: readonly number[], count: number): void => {
    if (start.parent !== null) follow(start.parent.start, start.parent.choices, start.parent.steps);
    if (start.parent === null) states.push(start.interrupted);
    else states[states.length - 1] = start.interrupted;
    transitions.push({ label: '', event: null, effects: entering(setup, start), state: start.first, weight: 1 });
    states.push(start.first);
    for (const outcome of replayPath(program, setup, start, taken, count).outcomes) {
      transitions.push({ label: outcome.label, event: null, effects: outcome.effects, state: outcome.state, weight: 1 });
      states.push(outcome.state);
    }
  };
  follow(last, choices, steps);
  return { states, transitions };
}

/** The whole way to the last step of a path. */
export function pathTrace({ program, configuration }: KernelProgram, setup: MachineSetup, { start, choices, depth, step, judgement }: PathEnd): Trace {
  const { states, transitions } = wayOf(program, setup, start, choices, depth);
  const outermost = outermostOf(start);
  const trace = traceOf(program, setup, 'entry paths', outermost.from, states, transitions, choices);
  const path = (): Path => {
    const way = wayOf(program, setup, start, choices, depth + 1);
    return { program, setup, states: way.states, transitions: way.transitions, scenario: null };
  };
  const last = states.at(-1);
  const told = trace.steps.reduce((sum, step) => sum + step.steps, 0);
  const shown = states[told];
  const whole = { ...trace, start: outermost.from, variant: [start.variant.name], way: { configuration, ...pathKeyOf(program, start, choices, depth) } };
  if (last === undefined || shown === undefined) return withPath(whole, path);
  const final: TraceStep = {
    title: step.node.kind === 'interrupted' ? (judgement.message.split(';')[0] ?? judgement.message) : `${step.node.symbol}: ${step.node.text}`,
    place: judgement.place,
    symbol: step.node.symbol,
    lane: project(program, setup, last, outermost.from).lane,
    changed: changes(project(program, setup, shown, outermost.from), project(program, setup, last, outermost.from)),
    steps: Math.max(1, transitions.length + 1 - told),
  };
  return withPath({ ...whole, steps: [...trace.steps, final] }, path);
}

/** How a trace that another review told is walked, by its key; null where the code is not what it was then. */
export function pathOfTrace({ program, variants }: KernelProgram, trace: Trace): Path | null {
  const setup = entrySetup(program);
  const legs = trace.way === undefined ? null : playedBy(program, setup, variantsOf(program, variants), trace.way);
  const [leg, last] = [trace.way?.legs.at(-1), legs?.at(-1)];
  if (leg === undefined || last === undefined) return null;
  const { states, transitions } = wayOf(program, setup, last.start, leg.choices, leg.steps + 1);
  const before = states.slice(0, transitions.length);
  const end = program.code.nodes[before.at(-1)?.node ?? -1];
  if (end === undefined || (end.kind !== 'interrupted' && trace.steps.at(-1)?.title !== `${end.symbol}: ${end.text}`)) return null;
  const again = traceOf(program, setup, trace.scenario, trace.start, before, transitions.slice(0, -1), trace.choices).steps.map(({ title }) => title);
  const same = again.every((title, index) => trace.steps[index]?.title === title) && trace.steps.length - again.length <= 1;
  return same ? { program, setup, states, transitions, scenario: null } : null;
}

export function outermostOf(start: PathStart): PathStart {
  return start.parent === null ? start : outermostOf(start.parent.start);
}

/** What entering shows in a trace: the delivery, or the instruction that entered. */
function entering(setup: MachineSetup, start: PathStart): MachineTransition['effects'] {
  const frame = start.first.frames.at(-1);
  const vector = vectorOf(start.door);
  if (vector !== null && frame !== undefined) return [{ kind: 'deliver', vector, frame, stack: setup.layout.regions[frame.region]?.name ?? 'unknown', rewinding: setup.layout.regions[frame.region]?.rewinding === true }];
  return [{ kind: 'entered', what: titleOfStart(start) }];
}

