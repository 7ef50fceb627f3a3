// Runs every entry stub from every context that it can be entered in, with handlers assumed to restore what they
// interrupt: the fast tier of contexts, and what the path rules judge. A stub that does not restore it is a finding of its
// own path, so the assumption is checked where it is made.
import type { CodeNode, NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { deliver } from '../machine/deliver.ts';
import { draftOf, finish } from '../machine/draft.ts';
import type { Effect } from '../machine/effects.ts';
import { CODE_REGION, nodeAtAddress, regionIndexOf } from '../machine/layout.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { PathStart } from './entry-start.ts';
import { entersC, pathChoices } from './path-outcomes.ts';
import type { PathOutcome } from './path-outcomes.ts';
import { createSeenStates } from './seen-states.ts';

/** One step of a path. */
export interface PathStep {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly start: PathStart;
  readonly before: State;
  readonly node: CodeNode;
  readonly effects: readonly Effect[];
  readonly after: State;
  /** Name of the C function or routine out of view that the step calls. */
  readonly calls: string | null;
}

/** Something that a path remembers beside the state: a small number, changed by its steps. */
export interface Monitor {
  readonly initial: (start: PathStart) => number;
  readonly next: (value: number, step: PathStep) => number;
}

export interface PathVisit {
  /**
   * Sees each step once, in the order of a breadth-first search, up to the first that it says is wrong: what comes behind
   * that is not judged. `depth` counts from the start of the path.
   */
  readonly step: (step: PathStep, monitors: readonly number[], choices: Choices, depth: number) => boolean;
  /** Sees each state that the path can be interrupted in: those of its instructions, and of C code that it calls. */
  readonly state: (state: State, choices: Choices, wrong: boolean, depth: number) => void;
  /** The path went on longer than any real one does. */
  readonly tooLong: () => void;
}

/** The choices to a step, last one first. */
export type Choices = { readonly choice: number; readonly before: Choices } | null;

export function listOf(choices: Choices): readonly number[] {
  const out: number[] = [];
  for (let at = choices; at !== null; at = at.before) out.push(at.choice);
  return out.reverse();
}

const MOST_STEPS = 60_000;

/** Nodes that more than one node leads to, by a static look: where paths may meet. */
export function meetingPoints(program: Program): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const meet = new Set<NodeId>();
  const lead = (to: NodeId | null): void => {
    if (to === null) return;
    if (seen.has(to)) meet.add(to);
    seen.add(to);
  };
  for (const node of program.code.nodes) {
    if (node.kind === 'feature') {
      lead(node.present);
      lead(node.absent);
    }
    if (node.kind === 'instruction') {
      lead(node.next);
      lead(node.target);
    }
  }
  return meet;
}

interface Waiting {
  readonly state: State;
  readonly monitors: readonly number[];
  readonly choices: Choices;
  /** A step before was wrong. */
  readonly wrong: boolean;
}

/** The monitors' values behind a step; the same list where none changed. */
function changed(monitors: readonly Monitor[], values: readonly number[], step: PathStep): readonly number[] {
  let after: number[] | null = null;
  for (let index = 0; index < monitors.length; index += 1) {
    const before = values[index] ?? 0;
    const now = monitors[index]?.next(before, step) ?? before;
    if (now === before) continue;
    after ??= [...values];
    after[index] = now;
  }
  return after ?? values;
}

/** Follows one start to the ends of its paths. */
export function followPath(program: Program, setup: MachineSetup, start: PathStart, monitors: readonly Monitor[], meet: ReadonlySet<NodeId>, visit: PathVisit): void {
  const seen = createSeenStates();
  const frames = start.interrupted.frames.length;
  let frontier: Waiting[] = [{ state: start.first, monitors: monitors.map((monitor) => monitor.initial(start)), choices: null, wrong: false }];
  let steps = 0;
  for (let depth = 0; frontier.length > 0; depth += 1) {
    const next: Waiting[] = [];
    for (const { state, monitors: values, choices, wrong } of frontier) {
      const node = program.code.nodes[state.node];
      if (node === undefined || state.ended !== null) continue;
      if (meet.has(state.node) && !seen.isNew(state, values, wrong)) continue;
      steps += 1;
      if (steps > MOST_STEPS) {
        visit.tooLong();
        return;
      }
      if (node.kind !== 'feature') visit.state(state, choices, wrong, depth);
      const outcomes = pathChoices(program, setup, state);
      let inside: State | null = null;
      outcomes.forEach((outcome, choice) => {
        const taken: Choices = outcomes.length === 1 ? choices : { choice, before: choices };
        const step: PathStep = { program, setup, start, before: state, node, effects: outcome.effects, after: outcome.state, calls: outcome.calls };
        const bad = wrong || visit.step(step, values, taken, depth);
        if (outcome.inside !== null && outcome.inside.cpu !== inside?.cpu && entersC(outcome)) visit.state((inside = outcome.inside), taken, bad, depth);
        if (cameBack(outcome, frames, start)) return;
        next.push({ state: outcome.state, monitors: changed(monitors, values, step), choices: taken, wrong: bad });
      });
    }
    frontier = next;
  }
}

/** The path is over where its event has returned; a landing pad goes on in the code that the event interrupted. */
function cameBack(outcome: PathOutcome, frames: number, start: PathStart): boolean {
  if (outcome.effects.length === 0 || outcome.state.frames.length > frames || !outcome.effects.some((effect) => effect.kind === 'return')) return false;
  return outcome.state.cpu.cpl === 3 || outcome.state.node === start.interrupted.node || start.interrupted.cpu.cpl === 3;
}

/** Nodes whose addresses an instruction holds in a register or compares with, by that instruction. */
export function comparedNodes(program: Program): ReadonlyMap<NodeId, readonly NodeId[]> {
  const compared = new Map<NodeId, NodeId[]>();
  for (const node of program.code.nodes) {
    if (node.kind !== 'instruction') continue;
    for (const operand of node.operands) {
      const value = operand.kind === 'immediate' ? operand.value : operand.kind === 'memory' && operand.base === null && node.mnemonic.startsWith('lea') ? operand.displacement : null;
      if (value === null) continue;
      const address = BigInt.asUintN(64, value);
      const at = regionIndexOf(program.layout, address) === CODE_REGION ? nodeAtAddress(address) : null;
      if (at !== null) compared.set(node.id, [...(compared.get(node.id) ?? []), at]);
    }
  }
  return compared;
}

/** The state right behind the delivery of a vector, or null where the set-up has no gate for it. */
export function delivered(setup: MachineSetup, state: State, vector: number): State | null {
  if (setup.delivery === 'idt' && !setup.gates.has(vector)) return null;
  const draft = draftOf(state);
  deliver(draft, setup, vector);
  return finish(draft);
}


export interface Played {
  readonly states: readonly State[];
  readonly outcomes: readonly PathOutcome[];
}

/** The path of a start again, by its choices, for `steps` steps. */
export function replayPath(program: Program, setup: MachineSetup, start: PathStart, choices: readonly number[], steps: number): Played {
  const states: State[] = [start.first];
  const outcomes: PathOutcome[] = [];
  let at = 0;
  for (let step = 0; step < steps; step += 1) {
    const before = states[step];
    const all = before === undefined ? [] : pathChoices(program, setup, before);
    const outcome = all.length > 1 ? all[choices[at] ?? 0] : all[0];
    if (all.length > 1) at += 1;
    if (outcome === undefined) break;
    outcomes.push(outcome);
    states.push(outcome.state);
  }
  return { states, outcomes };
}
