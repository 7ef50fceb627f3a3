// The full exploration of a stub that may be entered again while it runs: NMIs at every boundary at which they are not
// blocked, breakpoints and faults in its C handler, each through its own stub. Nothing is assumed to restore what it
// interrupts. For any number of events what is dead is forgotten; with bounds nothing is.
import { entryCall, isRoutine } from '../kernel/entry-calls.ts';
import { createPairs } from '../explore/pairs.ts';
import type { Model, Transition } from '../explore/model.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Effect } from '../machine/effects.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { DeadWord } from './dead-words.ts';
import { forgettingOf, unsteadyOf } from './nesting-dead.ts';
import type { KeptWords } from './nesting-dead.ts';
import { kindsOfInterrupted } from './nesting-kinds.ts';
import { nestSteps, NMI, showsNmi, takesNmi } from './nesting-steps.ts';
import type { PartedState } from './parts.ts';
import { pathStepsOf } from './path-steps.ts';
import type { PartedOutcome } from './path-steps.ts';

/** What is explored: how often each event may come. */
export interface NestingBounds {
  /** `Infinity` for any number. */
  readonly nmis: number;
  /** Vectors that the C handler may raise, each that often; `Infinity`: any number of times, but not while one is live. */
  readonly traps: ReadonlyMap<number, number>;
}

/** Any number of NMIs, of breakpoints and of page faults in the C handler. */
export const ANY_NUMBER: NestingBounds = { nmis: Infinity, traps: new Map([[3, Infinity], [14, Infinity]]) };

/** The machine with what the events leave owed: an NMI was delivered and no C handler has run for it yet. */
export interface Nest {
  readonly state: PartedState;
  readonly owed: boolean;
  /** NMIs delivered so far less runs of the C handler: a stub repeats it for nested NMIs and for nothing else. */
  readonly spare: number;
  readonly nmis: number;
  readonly traps: readonly number[];
}

export interface NestStep extends Transition<Nest> {
  readonly label: string;
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly calls: string | null;
  /** The state that the step was taken in: the last of a chain. */
  readonly before: State;
  /** The state as the machine leaves it, before what is dead in it is forgotten. */
  readonly left: PartedState;
}

const LONGEST_CHAIN = 512;
/** NMIs that are told apart from more of them where any number may come: a handler that runs too often is never missed. */
const MOST_SPARE = 2;
const NO_EFFECTS: readonly Effect[] = [];
const NO_STEPS: readonly NestStep[] = [];
/** Words of a packed state. */
const WIDTH = 7;

function liveSinceNmi({ frames }: State, vector: number): boolean {
  for (let at = frames.length - 1; at >= 0 && frames[at]?.vector !== NMI; at -= 1) if (frames[at]?.vector === vector) return true;
  return false;
}

function only(outcomes: readonly PartedOutcome[]): PartedOutcome {
  const [one] = outcomes;
  if (one === undefined || outcomes.length > 1) throw new Error('a delivery has one outcome');
  return one;
}

/** Steps that leave no choice, taken together: the last of them, how many they are, and what they do to the spare NMIs. */
interface Chain {
  readonly last: NestStep | null;
  readonly weight: number;
  readonly spare: number;
}

export interface NestingModel extends Model<Nest> {
  readonly successors: (nest: Nest) => readonly NestStep[];
  /** A step looked at a word that had been forgotten: what was explored says nothing, and `kept` has the word from now on. */
  readonly isVoid: () => boolean;
  /** Words that were found to be none to forget. */
  readonly learned: () => number;
}

/**
 * `reduced`: events only at boundaries at which they do not commute with the code. `kept`: all other words that a return
 * leaves on the NMI stack are forgotten; null where none is.
 */
export function nestingModel(program: Program, setup: MachineSetup, start: State, bounds: NestingBounds, reduced: boolean, kept: KeptWords | null = null): NestingModel {
  const vectors = [...bounds.traps.keys()];
  const mostSpare = bounds.nmis === Infinity ? MOST_SPARE : Infinity;
  const boundaries = !reduced ? 'all' : kept === null ? 'for traces' : 'for a verdict';
  const shows = showsNmi(program, setup, boundaries);
  const insideC = program.contexts.get('inside C') ?? -1;
  const known = pathStepsOf(program, setup);
  const forgetting = kept === null ? null : forgettingOf(setup, kept);
  const unsteady = kept === null ? null : unsteadyOf(start, kept);
  const stub = program.handlers.find((handler) => handler.vector === NMI)?.stub ?? -1;
  const isFirstOfItsKind = forgetting === null ? (): boolean => true : kindsOfInterrupted(program, setup, stub, forgetting.region);
  let looked = false;
  let learned = 0;
  /** Nothing is said of what lies behind a look at a word that was forgotten. */
  const looksAtDead = (dead: readonly DeadWord[]): boolean => {
    if (dead.length === 0 || forgetting === null) return false;
    learned += forgetting.keep(dead);
    looked = true;
    return true;
  };
  const settledMemory = (state: PartedState): PartedState => (forgetting === null || unsteady === null ? state : unsteady(forgetting.behindReturn(state)));
  const { delivery, leaving, stretchToNmi, stretchToC } = nestSteps(known, program, setup, start.node, vectors, boundaries);

  function raise(nest: Nest, vector: number, label: string): readonly NestStep[] {
    const after = only(delivery(vector, nest.state));
    if (looksAtDead(after.dead)) return NO_STEPS;
    const index = vectors.indexOf(vector);
    return [{
      label,
      event: vector,
      effects: after.effects,
      calls: null,
      before: nest.state,
      left: after.state,
      weight: 1,
      state: {
        state: after.state,
        owed: vector === NMI ? true : nest.owed,
        spare: vector === NMI ? Math.min(nest.spare + 1, mostSpare) : nest.spare,
        nmis: vector === NMI ? nest.nmis - 1 : nest.nmis,
        traps: nest.traps.map((left, at) => (at === index ? left - 1 : left)),
      },
    }];
  }

  function leaveC(nest: Nest): readonly NestStep[] {
    const after = only(leaving(0, nest.state));
    if (looksAtDead(after.dead)) return NO_STEPS;
    return [{ label: 'the C handler returns', event: null, effects: after.effects, calls: null, before: nest.state, left: after.state, weight: 1, state: { state: after.state, owed: nest.owed, spare: nest.spare, nmis: nest.nmis, traps: nest.traps } }];
  }

  function codeSteps(nest: Nest): readonly NestStep[] {
    const { state } = nest;
    if (state.node === insideC) return leaveC(nest);
    if (state.node === start.node && state.frames.length === 0) return NO_STEPS;
    const outcomes = known.outcomes(state);
    if (outcomes.some(({ dead }) => looksAtDead(dead))) return NO_STEPS;
    return outcomes.map((outcome): NestStep => {
      const handler = outcome.calls !== null && outcome.inside !== null && entryCall(outcome.calls).effect === 'returns' && !entryCall(outcome.calls).anyStack && !isRoutine(outcome.calls);
      const handled = handler && state.frames.at(-1)?.vector === NMI;
      const left = handler && outcome.inside !== null ? outcome.inside : outcome.state;
      const after = outcome.effects.some((effect) => effect.kind === 'return') ? settledMemory(left) : left;
      return { label: '', event: null, effects: outcome.effects, calls: outcome.calls, before: state, left, weight: 1, state: { state: after, owed: handled ? false : nest.owed, spare: handled ? nest.spare - 1 : nest.spare, nmis: nest.nmis, traps: nest.traps } };
    });
  }

  function mayTake(state: State): boolean {
    return (state.node === insideC || state.node === start.node || shows(state)) && takesNmi(state);
  }

  function all(nest: Nest): readonly NestStep[] {
    const { state } = nest;
    if (known.hasEnded(state)) return [];
    const steps = [...codeSteps(nest)];
    if (nest.nmis > 0 && mayTake(state) && isFirstOfItsKind(nest)) steps.push(...raise(nest, NMI, 'NMI'));
    if (state.node === insideC && state.frames.some((frame) => frame.vector === NMI)) {
      vectors.forEach((vector, index) => {
        const left = nest.traps[index] ?? 0;
        if (left > 0 && (left < Infinity || !liveSinceNmi(state, vector))) steps.push(...raise(nest, vector, 'in the C handler'));
      });
    }
    return steps;
  }

  /** Chains by the machine's state and by which events may still come. */
  const ids = createPairs();
  const chains: (Chain | undefined)[] = [];

  function chainFrom(nest: Nest): Chain {
    let mask = nest.nmis > 0 ? 1 : 0;
    nest.traps.forEach((left, index) => (mask |= left > 0 ? 2 << index : 0));
    const { state } = nest;
    const id = ids.idOf(-1 - ids.idOf(ids.idOf(ids.idOf(ids.idOf(state.registersId, state.memoryId), state.controlId), state.framesId), state.restId), (state.node << (vectors.length + 1)) | mask);
    return (chains[id] ??= walk(nest));
  }

  function walk(first: Nest): Chain {
    let nest = first;
    let weight = 0;
    let last: NestStep | null = null;
    // What a step breaks is looked for at the end of its chain: one that could break something ends it.
    while (weight + 1 < LONGEST_CHAIN && (last === null || last.effects.length === 0) && nest.spare === first.spare && !known.hasEnded(nest.state)) {
      const stretch = (nest.nmis > 0 ? stretchToNmi : stretchToC)(nest.state);
      if (stretch !== null && weight + stretch.steps < LONGEST_CHAIN) {
        const { state } = nest;
        if (looksAtDead(stretch.dead)) break;
        nest = { state: known.behind(state, stretch.last), owed: nest.owed, spare: nest.spare, nmis: nest.nmis, traps: nest.traps };
        last = { label: '', event: null, effects: NO_EFFECTS, calls: null, before: stretch.before === null ? state : known.behind(state, stretch.before), left: nest.state, weight: 1, state: nest };
        weight += stretch.steps;
        continue;
      }
      if (nest.nmis > 0 && mayTake(nest.state)) break;
      const behind = all(nest);
      const single = behind[0];
      if (single === undefined || behind.length !== 1 || single.event !== null) break;
      last = single;
      nest = single.state;
      weight += 1;
    }
    // An NMI is owed no more where the C handler has run, which is when the spare ones get fewer.
    return { last, weight, spare: nest.spare - first.spare };
  }

  function chain(step: NestStep): NestStep {
    if (step.effects.length > 0) return step;
    const { last, weight, spare } = chainFrom(step.state);
    if (last === null) return step;
    const { owed, nmis, traps } = step.state;
    return { label: step.label, event: step.event, effects: last.effects, calls: last.calls, before: last.before, left: last.left, weight: step.weight + weight, state: { state: last.state.state, owed: owed && spare === 0, spare: step.state.spare + spare, nmis, traps } };
  }

  /** Where nothing is handled any more, NMIs that came together with others count no longer: any number may come anew. */
  function settled(step: NestStep): NestStep {
    const { state } = step;
    return bounds.nmis < Infinity || state.spare <= 0 || state.state.frames.length > 0 ? step : { ...step, state: { ...state, spare: 0 } };
  }

  return {
    width: WIDTH,
    isVoid: () => looked,
    learned: () => learned,
    initial: () => [{ state: settledMemory(known.stateOf(start)), owed: false, spare: 0, nmis: bounds.nmis, traps: [...bounds.traps.values()] }],
    successors: (nest) => (reduced ? all(nest).map(chain) : all(nest)).map(settled),
    pack: (nest, into, offset) => {
      const { node, registersId, controlId, framesId, restId } = nest.state;
      into[offset] = node;
      into[offset + 1] = registersId;
      into[offset + 2] = controlId;
      into[offset + 3] = forgetting === null ? nest.state.memoryId : forgetting.alike(nest.state);
      into[offset + 4] = framesId;
      into[offset + 5] = restId;
      let counts = (nest.spare + 1) * 2 + (nest.owed ? 1 : 0);
      for (const left of [nest.nmis, ...nest.traps]) counts = counts * 16 + (left === Infinity ? 0 : left);
      into[offset + 6] = counts;
    },
  };
}
