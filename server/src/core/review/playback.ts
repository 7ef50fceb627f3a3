// The replay of a trace for a debugger: every machine step of it, also those that the exploration took as one, and what
// the machine is at each. What a trace was made of is known for as long as the trace itself.
import type { MachineTransition } from '../contexts/model.ts';
import { shows } from '../contexts/properties.ts';
import { outermost } from '../base/span.ts';
import type { Place } from '../base/span.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, load } from '../machine/draft.ts';
import { nameAddress } from '../machine/layout.ts';
import { registerIndex } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Caller, CodePoint, Done, Playback, Watch } from '../playback-types.ts';
import type { Program } from '../program/program.ts';
import type { Trace } from '../rules/finding.ts';
import { RULES } from '../rules/index.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { INVARIANTS } from './invariants.ts';
import { depthOf, waitingAt } from './playback-calls.ts';
import { findRow } from './playback-find.ts';
import { changedRows } from './playback-changes.ts';
import { controlRows, registerRows, wordRows } from './playback-rows.ts';
import type { Moment } from './playback-rows.ts';
import { localRows, savedRows, stackRows } from './playback-stacks.ts';
import { stepTitle } from './trace.ts';

/** What a trace was told from: `states` has one state more than `transitions`, which are single machine steps. */
export interface Path {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly states: readonly State[];
  readonly transitions: readonly MachineTransition[];
  /** null for paths that rules judge by themselves. */
  readonly scenario: Scenario | null;
}

const paths = new WeakMap<Trace, () => Path>();

/** Keeps how a trace is walked again. */
export function withPath(trace: Trace, path: () => Path): Trace {
  paths.set(trace, path);
  return trace;
}

/** What a trace that was changed is walked by: the path of the one it was made from. */
export function samePath(trace: Trace, from: Trace): Trace {
  const path = paths.get(from);
  return path === undefined ? trace : withPath(trace, path);
}

/** null where the trace was not made here, or has no steps any more. */
export function playbackOf(trace: Trace): Playback | null {
  const path = paths.get(trace)?.();
  return path === undefined || path.transitions.length === 0 ? null : playbackAlong(trace, path);
}

function playbackAlong(trace: Trace, { program, setup, states, transitions, scenario }: Path): Playback {
  const waiting = waitingAt(program, states, transitions);
  const nothing: Done = { arrived: [], broken: [], judged: [], told: null };
  const last = transitions.length;

  function stateAt(position: number): State {
    const state = states[Math.max(0, Math.min(position, last))];
    if (state === undefined) throw new Error(`a replay of ${last} steps has no position ${position}`);
    return state;
  }

  function momentAt(position: number): Moment {
    return { program, setup, state: stateAt(position), waiting: waiting[position] ?? null };
  }

  /** Nothing runs behind the last step: unless it delivered an event, the reader is shown what it did. */
  function shownNode(position: number): number {
    const step = position === last ? transitions[last - 1] : undefined;
    return step === undefined || step.effects.some(({ kind }) => kind === 'deliver') ? stateAt(position).node : stateAt(position - 1).node;
  }

  function judgedAt(before: State, { event, effects, state: after }: MachineTransition): Done['judged'] {
    const node = program.code.nodes[before.node];
    if (scenario === null || node === undefined) return [];
    return RULES.flatMap((rule) => (rule.judge?.({ program, setup, scenario, before, node, event, effects, after }) ?? []).map(({ message }) => ({ rule: rule.name, message })));
  }

  function point(node: number): CodePoint {
    return pointOf(program, node);
  }

  return {
    scenario: trace.scenario,
    start: trace.start,
    variant: trace.variant,
    steps: last,
    depth: (position) => depthOf(waiting[position] ?? null),
    node: shownNode,
    codeAt: (position) => point(shownNode(position)),
    callers: (position) => {
      const callers: Caller[] = [];
      const { frames } = stateAt(position);
      for (let at = waiting[position] ?? null; at !== null; at = at.outer) {
        const frame = frames[at.frame];
        const event = frame === undefined ? '' : vectorTitle(frame.vector);
        callers.push({ kind: at.kind, event, frame: frame === undefined ? '' : nameAddress(setup.layout, frame.base), code: point(at.node) });
      }
      return callers;
    },
    done: (position) => {
      const transition = transitions[position - 1];
      if (transition === undefined || transition.effects.length === 0) return nothing;
      const before = stateAt(position - 1);
      const seen = { program, before, effects: transition.effects, after: transition.state };
      return {
        arrived: transition.effects.flatMap((effect) => (effect.kind === 'deliver' ? [vectorTitle(effect.vector)] : [])),
        broken: INVARIANTS.filter(({ property }) => shows(property, seen)).map(({ name }) => name),
        judged: judgedAt(before, transition),
        told: stepTitle(program, setup, before, transition),
      };
    },
    registers: (position) => registerRows(momentAt(position)),
    control: (position) => controlRows(momentAt(position)),
    stacks: (position) => stackRows(momentAt(position)),
    words: (position) => wordRows(momentAt(position)),
    locals: (position, frame) => localRows(momentAt(position), frame),
    saved: (position, frame) => savedRows(momentAt(position), frame),
    changed: (position) => (position === 0 ? [] : changedRows(momentAt(position - 1), momentAt(position))),
    find: (position, frame, name) => findRow(momentAt(position), frame, name),
    changes: (position, watch) => position > 0 && differs(setup, momentAt(position - 1), momentAt(position), watch),
    nameOf: (watch) => (watch.kind === 'register' ? watch.name : nameAddress(setup.layout, watch.address)),
    codeIn: (file) => program.code.nodes.flatMap((node) => [node.origin, ...node.origin.uses].flatMap((place) => (place.file === file ? [{ node: node.id, place: { file, span: place.span } }] : []))),
    files: () => [...new Set(program.code.nodes.flatMap((node) => [node.origin, ...node.origin.uses].map(({ file }) => file)))].filter((file) => file !== ''),
    entryOf: (symbol) => program.code.symbols.get(symbol) ?? null,
  };
}

function pointOf(program: Program, id: number): CodePoint {
  const node = program.code.nodes[id];
  if (node === undefined) return { node: id, symbol: '', text: 'nothing that is in view', written: null, use: null };
  const { file, span, uses } = node.origin;
  const written: Place | null = file === '' ? null : { file, span };
  return { node: id, symbol: node.kind === 'interrupted' ? '' : node.symbol, text: node.text, written, use: uses.length === 0 ? null : outermost(node.origin) };
}

function differs(setup: MachineSetup, before: Moment, after: Moment, watch: Watch): boolean {
  if (watch.kind === 'memory') {
    if (before.state.memory === after.state.memory) return false;
    return load(draftOf(before.state), setup, watch.address, watch.size) !== load(draftOf(after.state), setup, watch.address, watch.size);
  }
  const register = registerIndex(watch.name);
  if (register !== null) return before.state.registers[register] !== after.state.registers[register];
  const value = ({ value }: { readonly value: string } = { value: '' }): string => value;
  const of = (moment: Moment): string => value(controlRows(moment).find(({ name }) => name === watch.name));
  return of(before) !== of(after);
}
