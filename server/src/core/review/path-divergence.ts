// The counterexample of one tree's entry code followed in another's, instruction by instruction: the first step at which the
// other runs other code, is not entered, or is in another state.
import type { Place } from '../base/span.ts';
import { variantsOf } from '../contexts/entry-analysis.ts';
import { entrySetup } from '../contexts/entry-start.ts';
import { firstBy, insideOf, interruptedBy, playedBy } from '../contexts/path-keys.ts';
import type { PathKey, PathLeg, PlayedLeg } from '../contexts/path-keys.ts';
import { pathChoices } from '../contexts/path-outcomes.ts';
import type { PathOutcome } from '../contexts/path-outcomes.ts';
import { changes, flagText, laneOf, nodeText, project } from '../contexts/projection.ts';
import type { MachineSetup } from '../machine/config.ts';
import { AC, DF, NT } from '../machine/state.ts';
import type { State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import type { Change, Trace } from '../rules/finding.ts';
import type { Divergence } from './divergence.ts';
import type { KernelProgram } from './kernel-run.ts';

/** Instructions of the other tree that are looked at for the one that the counterexample comes to. */
const MOST_BEHIND = 64;

const FLAGS = [['DF', DF], ['AC', AC], ['NT', NT]] as const;

/** What a kernel tree's entry code is run as, by configurations. */
export type EntryPrograms = readonly KernelProgram[];

/** Follows the trace of an entry path of one tree in another; null where the trace is of none, or the other has no such program. */
export function followedIn(led: EntryPrograms, others: EntryPrograms, trace: Trace): Divergence | 'same' | null {
  const first = led.find(({ configuration }) => configuration === trace.way?.configuration);
  // Trees of two releases have configurations of their own.
  const second = others.find(({ configuration }) => configuration === first?.configuration) ?? others.find(({ beside, program }) => beside === first?.beside && program.delivery === first.program.delivery);
  return first === undefined || second === undefined ? null : pathDivergenceOf(first, second, trace);
}

interface Side {
  readonly program: Program;
  readonly setup: MachineSetup;
}

/**
 * Follows the trace of an entry path of `led` in `other`. `same`: the other tree goes the same way to its end, as far as a
 * trace tells; null where the way is not known.
 */
export function pathDivergenceOf(led: KernelProgram, other: KernelProgram, trace: Trace): Divergence | 'same' | null {
  const key = trace.way;
  const leader: Side = { program: led.program, setup: entrySetup(led.program) };
  const legs = key === undefined ? null : playedBy(led.program, leader.setup, variantsOf(led.program, led.variants), key);
  if (key === undefined || legs === null) return null;
  return follow(leader, legs, key, { program: other.program, setup: entrySetup(other.program) }, other, trace);
}

function follow(leader: Side, legs: readonly PlayedLeg[], key: PathKey, follower: Side, other: KernelProgram, trace: Trace): Divergence | 'same' {
  /** Machine steps so far: each entry is one. */
  let count = 0;
  const at = (state: State, title: string, what: Divergence['what'], there: State | null): Divergence => ({
    step: numberOf(trace, count),
    title,
    place: placeOf(leader.program, state),
    lane: laneOf(leader.program, state, key.from),
    what,
    otherPlace: there === null ? null : placeOf(follower.program, there),
    then: null,
  });
  let start = firstBy(other.program, follower.setup, variantsOf(other.program, other.variants), key);
  for (const [index, { start: led, states, outcomes }] of legs.entries()) {
    const leg = key.legs[index];
    const entered = leg === undefined ? '' : entryText(leg);
    if (leg === undefined || start === null) return at(led.interrupted, entered, { kind: 'no-event', event: entered }, null);
    const entry = differences(leader, led.first, follower, start.first, key);
    if (entry.length > 0) return at(led.first, entered, { kind: 'differs', fields: entry }, start.first);
    count += 1;
    let state = start.first;
    for (const [step, outcome] of outcomes.entries()) {
      const before = states[step];
      if (before === undefined) break;
      const parted = parts(leader, before, follower, state, at);
      if (parted !== null) return parted;
      const next = alike(leader, outcome, follower, pathChoices(other.program, follower.setup, state));
      if (next === null) return at(before, textOf(leader, before), { kind: 'ends-otherwise', title: null, fields: [] }, state);
      const fields = differences(leader, outcome.state, follower, next.state, key);
      if (fields.length > 0) return at(before, textOf(leader, before), { kind: 'ends-otherwise', title: null, fields }, state);
      state = next.state;
      count += 1;
    }
    const last = states.at(-1);
    const parted = last === undefined ? null : parts(leader, last, follower, state, at);
    if (parted !== null) return parted;
    const following = key.legs[index + 1];
    if (following === undefined) return 'same';
    const inside = leg.insideC ? insideOf(other.program, follower.setup, state, leg.choices) : state;
    start = inside === null ? null : interruptedBy(other.program, follower.setup, start, leg, inside, following.door);
  }
  return 'same';
}

function entryText({ door: { kind, vector, name } }: PathLeg): string {
  return vector === null || kind !== 'event' ? `the entry at ${name}` : vectorTitle(vector);
}

/** Where the two are about to run different code, or null. */
function parts(leader: Side, here: State, follower: Side, there: State, at: (state: State, title: string, what: Divergence['what'], there: State) => Divergence): Divergence | null {
  const wanted = textOf(leader, here);
  if (textOf(follower, there) === wanted) return null;
  return at(here, wanted, comesTo(follower, there, wanted) ? { kind: 'other-code', text: textOf(follower, there) } : { kind: 'not-reached' }, there);
}

/** Whether code comes to an instruction soon. */
function comesTo({ program, setup }: Side, from: State, wanted: string): boolean {
  let frontier: readonly State[] = [from];
  for (let steps = 0; steps < MOST_BEHIND && frontier.length > 0; steps += 1) {
    frontier = frontier.slice(0, 8).flatMap((state) => pathChoices(program, setup, state).map((outcome) => outcome.state));
    if (frontier.some((state) => textOf({ program, setup }, state) === wanted)) return true;
  }
  return false;
}

/** The outcome that goes on where the other's does. */
function alike(leader: Side, { label, state }: PathOutcome, follower: Side, outcomes: readonly PathOutcome[]): PathOutcome | null {
  const wanted = textOf(leader, state);
  const there = outcomes.filter((one) => textOf(follower, one.state) === wanted && one.state.ended === state.ended);
  if (there.length === 0 && outcomes.length === 1 && state.ended === null) return outcomes[0] ?? null;
  return there.find((one) => one.label === label) ?? there[0] ?? null;
}

function textOf({ program }: Side, { node }: State): string {
  const found = program.code.nodes[node];
  return found === undefined ? '' : nodeText(found).replaceAll(/\s+/g, ' ');
}

/** What traces tell of a state, and the flags that entry code has to clear. */
function differences(leader: Side, here: State, follower: Side, there: State, { from }: PathKey): readonly Change[] {
  const fields = [...changes(project(leader.program, leader.setup, here, from), project(follower.program, follower.setup, there, from))];
  for (const [field, bit] of FLAGS) {
    const [one, two] = [flagText(here.flags, bit), flagText(there.flags, bit)];
    if (one !== two) fields.push({ field, from: one, to: two });
  }
  return fields;
}

/** Number of the step of a trace that a machine step is part of. */
function numberOf({ steps }: Trace, count: number): number {
  let told = 0;
  for (const [index, step] of steps.entries()) {
    told += step.steps;
    if (count < told) return index + 1;
  }
  return Math.max(1, steps.length);
}

function placeOf({ code }: Program, { node }: State): Place | null {
  const origin = code.nodes[node]?.origin;
  return origin === undefined || origin.file === '' ? null : { file: origin.file, span: origin.span };
}
