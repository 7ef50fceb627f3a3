// The way of one design followed in another: the same events at the same places, and the first step at which the two are no
// longer alike. What a patch changes of a counterexample is that step.
import type { Place } from '../base/span.ts';
import { machineModel } from '../contexts/model.ts';
import type { MachineModel, MachineTransition } from '../contexts/model.ts';
import { changes, nodeText, project } from '../contexts/projection.ts';
import type { Projection } from '../contexts/projection.ts';
import { prepare } from '../contexts/setup.ts';
import { replay } from '../explore/replay.ts';
import type { Effect } from '../machine/effects.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import type { Change } from '../rules/finding.ts';
import type { Scenario, StartContext } from '../scenarios/scenario.ts';
import { keyStep } from './trace.ts';

/** A design with the scenario that is run on it. */
export interface Side {
  readonly program: Program;
  readonly scenario: Scenario;
}

export interface Divergence {
  /** Number of the step in the trace of the first design, from 1. */
  readonly step: number;
  readonly title: string;
  readonly place: Place | null;
  readonly lane: readonly string[];
  readonly what:
    /** The other design does not come to that place, with those events live. */
    | { readonly kind: 'not-reached' }
    /** It runs this code first. */
    | { readonly kind: 'other-code'; readonly text: string }
    /** It comes there with other contents: each field as it is in the first design, and in the other. */
    | { readonly kind: 'differs'; readonly fields: readonly Change[] }
    /** The event does not arrive there. */
    | { readonly kind: 'no-event'; readonly event: string }
    /** The step ends otherwise: what it does in the other design, in words, or null for nothing that a trace tells. */
    | { readonly kind: 'ends-otherwise'; readonly title: string | null; readonly fields: readonly Change[] };
  /** Where the other design is then. */
  readonly otherPlace: Place | null;
  /** Where the way goes on without that step, what comes of it. */
  readonly then: Divergence | null;
}

/** States of the other design that are looked at on the way to one place. */
const MOST_STATES = 20_000;
/** Ways to one place that are looked at: loops and branches on what is not known come there more than once. */
const MOST_WAYS = 16;

interface Player {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly model: MachineModel;
  readonly start: StartContext;
}

function playerOf({ program, scenario }: Side, start: StartContext, reference: boolean): Player & { readonly initial: State } {
  const { setup, initial } = prepare(program, scenario, start, { reference });
  return { program, setup, model: machineModel(setup, [initial]), start, initial };
}

/** Follows the trace of `choices` in the first design; null where the other one goes the same way to its end. */
export function divergenceOf(first: Side, other: Side, start: StartContext, choices: readonly number[]): Divergence | null {
  const led = playerOf(first, start, false);
  const { states, transitions } = replay<State>(led.model, 0, choices);
  const follower = playerOf(other, start, true);
  let state = follower.initial;
  let number = 0;
  let missing: Divergence | null = null;
  for (const [at, each] of transitions.entries()) {
    const transition = each as MachineTransition;
    const before = states[at];
    const after = states[at + 1];
    if (before === undefined || after === undefined) break;
    const key = keyStep(first.program, led.setup, before, transition);
    if (key === null && transition.event === null) continue;
    if (key !== null) number += 1;
    const words = (player: Player, of: State): Projection => project(player.program, player.setup, of, start);
    const here = words(led, before);
    const there = words(led, after);
    const diverges = (what: Divergence['what'], otherState: State): Divergence => ({ step: Math.max(1, number), title: key?.title ?? transition.label, place: key?.place ?? null, lane: there.lane, what, otherPlace: placeOf(other.program, otherState), then: null });
    const met = meet(led, before, follower, state);
    if (met === null) {
      const gone = diverges({ kind: 'not-reached' }, state);
      // Code that is written otherwise may still come to where the next event arrives.
      if (transition.event !== null || at === transitions.length - 1) return behind(missing, gone);
      missing ??= gone;
      continue;
    }
    const fields = differences(here, words(follower, met));
    if (fields.length > 0) return behind(missing, diverges({ kind: 'differs', fields }, met));
    const [next, ...others] = follower.model.successors(met).filter((one) => one.event === transition.event).map((step) => ({ step, fields: differences(there, words(follower, step.state)) }));
    if (next === undefined) return behind(missing, diverges({ kind: 'no-event', event: transition.event === null ? transition.label : vectorTitle(transition.event) }, met));
    const alike = [next, ...others].find((one) => one.fields.length === 0 && kindsOf(one.step.effects) === kindsOf(transition.effects));
    if (alike === undefined) return behind(missing, diverges({ kind: 'ends-otherwise', title: keyStep(other.program, follower.setup, met, next.step)?.title ?? null, fields: next.fields }, next.step.state));
    state = alike.step.state;
  }
  return missing;
}

/** What comes of a step that the other design lacks: that it does not come to the next one either says no more. */
function behind(missing: Divergence | null, found: Divergence): Divergence {
  if (missing === null) return found;
  return found.what.kind === 'not-reached' ? missing : { ...missing, then: found };
}

function kindsOf(effects: readonly Effect[]): string {
  return effects.map(({ kind }) => kind).join();
}

/** The same place in both: the same text of the same function, with the same events live. */
function placeKey({ code }: Program, { node, frames }: State): string {
  const found = code.nodes[node];
  return `${found === undefined ? '' : nodeText(found)} ${frames.map(({ vector }) => vector).join()}`;
}

/** The state in which the follower comes to where the leader is without any event; of several the one that is most alike. */
function meet(led: Player, target: State, follower: Player, from: State): State | null {
  const wanted = placeKey(led.program, target);
  const alike = project(led.program, led.setup, target, led.start);
  const seen = new Set<string>();
  const words = new Uint32Array(follower.model.width);
  let best: { readonly state: State; readonly apart: number } | null = null;
  let ways = 0;
  let waiting: State[] = [from];
  while (waiting.length > 0 && seen.size < MOST_STATES && ways < MOST_WAYS) {
    const next: State[] = [];
    for (const state of waiting) {
      follower.model.pack(state, words, 0);
      const id = words.join();
      if (seen.has(id)) continue;
      seen.add(id);
      if (placeKey(follower.program, state) === wanted) {
        ways += 1;
        const apart = differences(alike, project(follower.program, follower.setup, state, follower.start)).length;
        if (apart === 0) return state;
        if (best === null || apart < best.apart) best = { state, apart };
      }
      for (const step of follower.model.successors(state)) if (step.event === null) next.push(step.state);
    }
    waiting = next;
  }
  return best?.state ?? null;
}

/** Guards are compared by their names: a design may have others. */
function differences(one: Projection, other: Projection): readonly Change[] {
  const shared = new Set(one.guards.map(({ name }) => name).filter((name) => other.guards.some((guard) => guard.name === name)));
  const sorted = (projection: Projection): Projection => ({ ...projection, guards: projection.guards.filter(({ name }) => shared.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1)) });
  return changes(sorted(one), sorted(other));
}

function placeOf({ code }: Program, { node }: State): Place | null {
  const origin = code.nodes[node]?.origin;
  return origin === undefined || origin.file === '' ? null : { file: origin.file, span: origin.span };
}
