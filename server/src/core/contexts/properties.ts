// Properties that scenarios name, as predicates over what a transition did.
import type { Effect } from '../machine/effects.ts';
import { DOUBLE_FAULT } from '../machine/event.ts';
import type { State } from '../machine/state.ts';
import { vectorByName } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import type { ScenarioProperty } from '../scenarios/scenario.ts';

export interface Seen {
  readonly program: Program;
  readonly before: State;
  readonly effects: readonly Effect[];
  readonly after: State;
}

/** Whether a transition shows the property. */
export function shows(property: ScenarioProperty, seen: Seen): boolean {
  switch (property.kind) {
    case 'named':
      return named(property.name, seen);
    case 'guard':
      return seen.effects.some((effect) => effect.kind === 'guard-busy-at-quiescence' && property.state === 'busy' && seen.program.guards[effect.guard]?.name === property.guard);
    case 'event':
      return seen.effects.some((effect) => effect.kind === 'deliver' && isVector(property.event, effect.vector) && during(property.during, seen) && at(property.at, seen));
    case 'fallback':
      return seen.effects.some((effect) => effect.kind === 'fallback' && effect.fallback === property.fallback) && at(property.at, seen);
  }
}

function isVector(event: string, vector: number): boolean {
  return event === 'IRQ' ? vector >= 32 : vectorByName(event)?.number === vector;
}

function during(event: string | null, seen: Seen): boolean {
  return event === null || seen.before.frames.some((frame) => isVector(event, frame.vector));
}

function at(where: string | null, seen: Seen): boolean {
  if (where === null) return true;
  if (where !== 'gap') return true;
  const { gap, contexts } = seen.program;
  const node = seen.before.node;
  return node === contexts.get('gap') || (gap !== null && node >= gap.first && node < gap.end);
}

function named(name: string, seen: Seen): boolean {
  const has = (...kinds: readonly Effect['kind'][]): boolean => seen.effects.some((effect) => kinds.includes(effect.kind));
  switch (name) {
    case 'live-frame-overwritten':
      return has('frame-overwritten', 'wrong-return');
    case 'guard-busy-at-quiescence':
      return has('guard-busy-at-quiescence');
    case 'word-consumed-by-nested':
      return has('guard-stolen');
    case 'shutdown':
      return seen.after.ended === 'fallback-shutdown' || seen.after.ended === 'shutdown';
    case 'double-fault':
      return seen.after.ended === 'double-fault' || seen.effects.some((effect) => effect.kind === 'deliver' && effect.vector === DOUBLE_FAULT);
    case 'frame-on-user-stack':
      return has('frame-on-user-stack') || seen.after.ended === 'stack-on-user-rsp';
    default:
      return false;
  }
}
