// A replayed path as a trace that a reader follows by hand: events, switches, guard words and the violation as key
// steps, everything in between merged into them.
import type { Place } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import type { Effect } from '../machine/effects.ts';
import type { MachineSetup } from '../machine/config.ts';
import { nameAddress } from '../machine/layout.ts';
import type { State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import type { Change, Trace, TraceStep } from '../rules/finding.ts';
import type { MachineTransition } from '../contexts/model.ts';
import { changes, project } from '../contexts/projection.ts';
import type { Projection } from '../contexts/projection.ts';

/** Key steps that a reader is shown at most. */
const MOST_STEPS = 20;

export interface KeyStep {
  readonly title: string;
  readonly place: Place | null;
  readonly symbol: string;
  /** How much it tells, for traces that are too long. */
  readonly weight: number;
}

interface Candidate extends KeyStep {
  readonly at: number;
}

/** Builds the trace of a replay; `states` has one state more than `transitions`. */
export function traceOf(program: Program, setup: MachineSetup, scenario: string, start: string, states: readonly State[], transitions: readonly MachineTransition[], choices: readonly number[]): Trace {
  const candidates: Candidate[] = [];
  transitions.forEach((transition, at) => {
    const before = states[at];
    if (before === undefined) return;
    const step = keyStep(program, setup, before, transition);
    if (step === null) return;
    const standsIn = step.place === null && program.code.nodes[before.node]?.kind !== 'interrupted';
    candidates.push({ ...step, place: standsIn ? lastPlace(program, states, at) : step.place, at });
  });
  const kept = strongest(candidates);
  const steps: TraceStep[] = [];
  const first = states[0];
  let projection: Projection | null = first === undefined ? null : project(program, setup, first, start);
  let from = 0;
  for (const candidate of kept) {
    const after = states[candidate.at + 1];
    if (after === undefined || projection === null) continue;
    const now = project(program, setup, after, start);
    const changed: readonly Change[] = changes(projection, now);
    steps.push({ title: candidate.title, place: candidate.place, symbol: candidate.symbol, lane: now.lane, changed, steps: weightOf(transitions, from, candidate.at + 1) });
    projection = now;
    from = candidate.at + 1;
  }
  const features = states.at(-1)?.features ?? [];
  return { steps, choices, scenario, start, variant: features };
}

/** Code that stands in for what is not in view has no text: the reader is sent to the code that led there. */
function lastPlace(program: Program, states: readonly State[], at: number): Place | null {
  for (let index = at; index >= 0; index -= 1) {
    const node = states[index]?.node;
    const { place } = node === undefined ? { place: null } : placeOf(program, node);
    if (place !== null) return place;
  }
  return null;
}

function weightOf(transitions: readonly MachineTransition[], from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += transitions[at]?.weight ?? 1;
  return sum;
}

/** All candidates where they are few; else the heaviest, in order. */
function strongest(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.length <= MOST_STEPS) return candidates;
  const byWeight = candidates.map((candidate, index) => ({ candidate, index })).sort((a, b) => b.candidate.weight - a.candidate.weight || b.index - a.index);
  const keep = new Set(byWeight.slice(0, MOST_STEPS).map((one) => one.index));
  return candidates.filter((_, index) => keep.has(index));
}

function placeOf(program: Program, node: number): { place: Place | null; symbol: string } {
  const found = program.code.nodes[node];
  if (found === undefined || found.origin.file === '') return { place: null, symbol: found?.symbol ?? '' };
  const place = found.kind === 'operation' ? { file: found.origin.file, span: found.origin.span } : outermost(found.origin);
  return { place, symbol: found.symbol };
}

/** What a step is called in a trace, where it is a key step, and where it happens. */
export function keyStep(program: Program, setup: MachineSetup, before: State, transition: MachineTransition): KeyStep | null {
  const titles: { text: string; weight: number }[] = [];
  const node = program.code.nodes[before.node];
  const text = node === undefined ? '' : node.text;
  const where = node === undefined ? '' : node.kind === 'interrupted' ? node.text : node.symbol === '' ? shorten(text) : `${node.symbol}: ${shorten(text)}`;
  const delivered = transition.effects.some((effect) => effect.kind === 'deliver');
  for (const effect of transition.effects) {
    if (effect.kind === 'guard-set' && delivered) continue;
    const title = titleOf(program, setup, effect, where, before);
    if (title !== null && effect.kind === 'deliver') titles.unshift(title);
    else if (title !== null) titles.push(title);
  }
  if (titles.length === 0) return null;
  const { place, symbol } = placeOf(program, shownAt(before.node, transition.effects));
  return { title: titles.map((one) => one.text).join('; '), place, symbol, weight: Math.max(...titles.map((one) => one.weight)) };
}

/** What a single step is told as; null where it does nothing that a trace tells. */
export function stepTitle(program: Program, setup: MachineSetup, before: State, transition: MachineTransition): string | null {
  return keyStep(program, setup, before, transition)?.title ?? null;
}

/** What stands in for fixup_exception() has no text of its own: a fix-up shows the access that it is for. */
function shownAt(node: number, effects: readonly Effect[]): number {
  for (const effect of effects) if (effect.kind === 'fixup') return effect.at;
  return node;
}

function shorten(text: string): string {
  return text.length > 48 ? `${text.slice(0, 45)}...` : text;
}

function titleOf(program: Program, setup: MachineSetup, effect: Effect, where: string, before: State): { text: string; weight: number } | null {
  switch (effect.kind) {
    case 'deliver': {
      return { text: `${vectorTitle(effect.vector)} arrives at ${where}; frame at ${nameAddress(setup.layout, effect.frame.base)}`, weight: 9 };
    }
    case 'frame-overwritten':
      return { text: `this overwrites the live ${vectorTitle(effect.frame.vector)} frame: its saved RIP and RSP are gone`, weight: 10 };
    case 'frame-on-user-stack':
      return { text: `${vectorTitle(effect.vector)} arrives at ${where}; without a stack switch its frame goes to the RSP that user space chose`, weight: 10 };
    case 'return':
      return effect.frame === null ? { text: 'returns inside the handler', weight: 3 } : { text: `the ${vectorTitle(effect.frame.vector)} handler returns`, weight: 6 };
    case 'wrong-return':
      return { text: `the event return goes to the wrong context: RSP ${effect.found} instead of ${effect.expected}`, weight: 10 };
    case 'guard-set':
      return { text: `${guardName(program, effect.guard)} becomes busy`, weight: 5 };
    case 'guard-cleared':
      return { text: `${where} clears ${guardName(program, effect.guard)}${effect.live ? ' while the frame is live' : ''}`, weight: 8 };
    case 'guard-busy-at-quiescence':
      return { text: `nothing is left to run and ${guardName(program, effect.guard)} is still busy: disarmed for ever`, weight: 10 };
    case 'guard-stolen':
      return { text: `${guardName(program, effect.guard)} was set for another event: its handler finds nothing`, weight: 10 };
    case 'info-read':
      return effect.afterClear ? { text: `${where} reads the event information after ${guardName(program, effect.guard)} was cleared`, weight: 8 } : null;
    case 'fallback':
      return { text: `${vectorTitle(effect.vector)} at ${where} finds ${guardName(program, effect.guard)} busy: ${fallbackText(effect.fallback)}`, weight: 8 };
    case 'irqs-enabled':
      return { text: `${where} enables interrupts${effect.liveRewinding ? ' on a stack that rewinds' : ''}`, weight: effect.liveRewinding ? 8 : 3 };
    case 'stack-switch':
      return { text: `${where} switches ${effect.from === 'unknown' ? '' : `from the ${effect.from} stack `}to ${effect.userChosen ? effect.to : `the ${effect.to} stack`}`, weight: effect.userChosen ? 8 : 4 };
    case 'pending':
      return { text: `${effect.via}() arms the deferral${effect.vector < 0 ? '' : ` (vector ${effect.vector})`}`, weight: 6 };
    case 'nmi-latched':
      return { text: effect.lost ? 'an NMI arrives while one is latched already, and is lost' : 'an NMI arrives while NMIs are blocked, and waits', weight: 7 };
    case 'delivery-fault':
      return { text: `delivery of ${vectorTitle(effect.vector)} raises ${vectorTitle(effect.fault)}: ${effect.becomes === 'shutdown' ? 'the processor shuts down' : `${vectorTitle(effect.becomes)} is delivered`}${effect.lost ? `, and the ${vectorTitle(effect.vector)} is lost` : ''}`, weight: 10 };
    case 'broadcast':
    case 'smi':
      return null;
    case 'nmi-unblocked':
      return effect.inNmi ? { text: 'this IRET unblocks NMIs inside the NMI handler', weight: 7 } : null;
    case 'fixup':
      return { text: 'the saved RIP now points at the landing pad of the exception table', weight: 6 };
    case 'entered':
      return { text: effect.what, weight: 9 };
    case 'ended':
      return { text: `${effect.why} does not return`, weight: 8 };
    case 'store':
    case 'feature':
      return null;
    case 'unknown':
      return before.ended === null && /not known|not in view/.test(effect.what) && effect.what.includes('RIP') ? { text: effect.what, weight: 8 } : null;
  }
}

function fallbackText(fallback: string): string {
  switch (fallback) {
    case 'vmexit':
      return 'an ordinary VM exit, the host decides';
    case 'df':
      return 'double fault';
    case 'shutdown':
      return 'shutdown';
    default:
      return fallback;
  }
}

function guardName(program: Program, guard: number): string {
  return program.guards[guard]?.name ?? 'the guard';
}
