// Follows events that are raised at an instruction: delivery, the real stub, the next event inside the C handler of the one
// before it, the returns, and the interrupted path to its own end. Nothing is assumed to restore what it interrupts.
import { entryCall, isRoutine } from '../kernel/entry-calls.ts';
import { meetingPoints, replayPath } from '../contexts/entry-paths.ts';
import { pathOutcomes } from '../contexts/path-outcomes.ts';
import type { PathOutcome } from '../contexts/path-outcomes.ts';
import type { PathStep } from '../contexts/entry-paths.ts';
import type { Reached } from '../contexts/entry-analysis.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import { machineModel } from '../contexts/model.ts';
import type { MachineTransition } from '../contexts/model.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { deliver } from '../machine/deliver.ts';
import { draftOf, finish, withChange } from '../machine/draft.ts';
import type { Effect } from '../machine/effects.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { add, constant } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { arrivalOf, eventTitle } from './arrivals.ts';
import { framesWithCopies, lostCopy, lostFrame } from './lost-frames.ts';
import type { LostFrame } from './lost-frames.ts';
import { heardAt } from './kernel-run.ts';
import type { Heard, Judges } from './kernel-run.ts';

/** What is wrong with a step: a rule says so, or a frame is lost. */
export type Wrong = { readonly kind: 'rule'; readonly heard: readonly Heard[] } | LostFrame;

export interface Followed {
  readonly answer: 'holds' | 'violated' | 'inconclusive';
  readonly wrong: Wrong | null;
  /** The node at which it went wrong. */
  readonly node: CodeNode | null;
  readonly reason: string | null;
  readonly notes: readonly string[];
  readonly steps: number;
  /** From the instruction to the violation, or along the shortest way to the end. */
  readonly transitions: readonly MachineTransition[];
}

/** An event, or the path that was under way when the first one came. */
interface Level {
  readonly start: PathStart;
  readonly values: readonly number[];
  /** Live frames when it came. */
  readonly frames: number;
  /** Of those, the ones of which some stack held the words that bring them back. */
  readonly kept: readonly number[];
  /** The call in whose C function it was raised, null for an instruction. */
  readonly call: NodeId | null;
  /** The next event was raised in its C handler, or could not be. */
  readonly handled: boolean;
}

interface Link {
  readonly transition: MachineTransition;
  readonly before: Link | null;
}

interface Walk {
  readonly state: State;
  readonly levels: readonly Level[];
  /** Events that are still to be raised. */
  readonly left: number;
  /** The next one has come and waits for its blocking or masking to end (PRI-03). */
  readonly waits: boolean;
  readonly notes: readonly string[];
  readonly link: Link | null;
}

const NMI = 2;
const FIRST_EXTERNAL = 32;
const MOST_STEPS = 30_000;

export interface Follower {
  readonly follow: (reached: Reached, vectors: readonly number[]) => Followed;
}

export function createFollower(program: Program, setup: MachineSetup, judging: Judges): Follower {
  const meet = meetingPoints(program);
  const insideC = program.contexts.get('inside C') ?? -1;
  const nodeOf = (state: State): CodeNode | undefined => program.code.nodes[state.node];

  function follow(reached: Reached, vectors: readonly number[]): Followed {
    const model = machineModel(setup, [reached.state]);
    const packed = new Uint32Array(model.width);
    const seen = new Set<string>();
    let steps = 0;
    let ended: Walk | null = null;
    let open: string | null = null;
    const notes = new Set<string>();
    const outer: Level = { start: reached.start, values: valuesAt(reached), frames: reached.start.interrupted.frames.length, kept: [], call: null, handled: true };
    const answer = (kind: Followed['answer'], walk: Walk, wrong: Wrong | null, node: CodeNode | null, reason: string | null): Followed => ({ answer: kind, wrong, node, reason, notes: [...walk.notes, ...notes], steps, transitions: transitionsOf(walk.link) });

    let frontier: Walk[] = [raiseHere({ state: reached.state, levels: [outer], left: vectors.length, waits: false, notes: [], link: null }, vectors)];
    while (frontier.length > 0) {
      const next: Walk[] = [];
      for (const walk of frontier) {
        const wrongDelivery = walk.link === null ? null : lostFrame(walk.link.transition.effects);
        if (wrongDelivery !== null) return answer('violated', walk, wrongDelivery, program.code.nodes[walk.levels.at(-1)?.start.interrupted.node ?? -1] ?? null, null);
        if (walk.state.ended !== null) {
          ended ??= walk;
          continue;
        }
        if (walk.waits) {
          const arrived = raise(walk, vectors);
          if (arrived.levels.length > walk.levels.length) {
            next.push(arrived);
            continue;
          }
        }
        if (meet.has(walk.state.node)) {
          model.pack(walk.state, packed, 0);
          const key = `${packed.join()};${walk.left}${walk.waits ? 'w' : ''};${walk.levels.map((level) => `${level.values.join()}${level.handled ? '!' : ''}`).join('/')}`;
          if (seen.has(key)) continue;
          seen.add(key);
        }
        steps += 1;
        if (steps > MOST_STEPS) return answer('inconclusive', walk, null, null, `more than ${MOST_STEPS} steps`);
        const level = walk.levels.at(-1);
        const node = nodeOf(walk.state);
        if (level === undefined || node === undefined) continue;
        if (level.call !== null && walk.state.node === insideC) {
          const more = raise(walk, vectors);
          next.push(more.levels.length > walk.levels.length ? more : leave(more, level, level.call));
          continue;
        }
        if (mayNest(walk, level) && node.kind === 'operation' && node.operation.kind === 'enter') {
          next.push(raise(handled(walk, level, null), vectors));
          continue;
        }
        const outcomes = pathOutcomes(program, setup, walk.state);
        if (outcomes.length === 0) ended ??= walk;
        let nested = false;
        for (const outcome of outcomes) {
          const step: PathStep = { program, setup, start: level.start, before: walk.state, node, effects: outcome.effects, after: outcome.state, calls: outcome.calls };
          const link: Link = { transition: { label: outcome.label, event: null, effects: outcome.effects, state: outcome.state, weight: 1 }, before: walk.link };
          const heard = node.kind === 'feature' ? [] : heardAt(judging, step, level.values);
          if (heard.length > 0) return answer('violated', { ...walk, link }, { kind: 'rule', heard }, node, null);
          const lost = lostFrame(outcome.effects) ?? lostCopy(setup, level.kept, outcome, level.start.door.name);
          if (lost !== null) return answer('violated', { ...walk, link }, lost, node, null);
          // Where the interrupted path itself cannot be followed any more the events are long over.
          if (outcome.state.ended === 'left-code' && walk.levels.length === 1) notes.add(`the interrupted path is followed up to ${node.symbol}: ${node.text}: ${unknownOf(outcome.effects)}`);
          else if (outcome.state.ended === 'left-code') open ??= `${node.symbol}: ${node.text}: ${unknownOf(outcome.effects)}`;
          if (nested) continue;
          let { handled: tried } = level;
          let { notes: said } = walk;
          if (mayNest(walk, level) && outcome.inside !== null && isHandler(outcome)) {
            const inside = raise({ ...handled(walk, level, walk.state.node), state: outcome.inside }, vectors);
            if (inside.levels.length > walk.levels.length) {
              nested = true;
              next.push(inside);
              continue;
            }
            tried = true;
            said = inside.notes;
          }
          const levels = [...walk.levels.slice(0, -1), { ...level, handled: tried, values: judging.monitors.map((monitor, index) => monitor.next(level.values[index] ?? 0, step)) }];
          const back = cameBack({ ...walk, notes: said, state: outcome.state, levels, link }, outcome);
          // The machine forgets stacks without a frame; code entered by SYSCALL has none, and what it keeps there counts.
          const after = back.levels.length < levels.length && back.state.cpu.cpl === 0 ? { ...back, state: withChange(back.state, { memory: walk.state.memory }) } : back;
          if (after.levels.length === 0) ended ??= after;
          else if (after.levels.length === 1 && after.left > 0 && after.state.node === reached.state.node && walk.levels.length > 1) next.push(raiseHere(after, vectors));
          else next.push(after);
        }
      }
      frontier = next;
    }
    const last = ended ?? { state: reached.state, levels: [], left: 0, waits: false, notes: [], link: null };
    if (open !== null) return answer('inconclusive', last, null, null, open);
    return answer('holds', last.left === 0 ? last : { ...last, notes: [...last.notes, `${eventTitle(vectors[vectors.length - last.left] ?? 0)} was not raised: the event before it did not come back to the instruction`] }, null, null, null);
  }

  /** What the monitors remember when the path is at the instruction. */
  function valuesAt({ start, choices, steps }: Reached): readonly number[] {
    let values = judging.monitors.map((monitor) => monitor.initial(start));
    const { states, outcomes } = replayPath(program, setup, start, choices, steps);
    outcomes.forEach((outcome, index) => {
      const before = states[index];
      const node = before === undefined ? undefined : nodeOf(before);
      if (before === undefined || node === undefined) return;
      const step: PathStep = { program, setup, start, before, node, effects: outcome.effects, after: outcome.state, calls: outcome.calls };
      values = judging.monitors.map((monitor, slot) => monitor.next(values[slot] ?? 0, step));
    });
    return values;
  }

  /** Delivers the next event where the walk is; one that cannot come there is noted and waits. */
  function raise(walk: Walk, vectors: readonly number[]): Walk {
    if (walk.left === 0) return walk;
    const vector = vectors[vectors.length - walk.left] ?? 0;
    const node = nodeOf(walk.state);
    const level = walk.levels.at(-1);
    const arrival = arrivalOf(program, setup, walk.state, vector);
    const where = node?.kind === 'interrupted' || node?.kind === 'operation' ? 'in the C handler' : 'where the event before it returned';
    if (arrival.can === 'no' || level === undefined) {
      const waits = vector === NMI || vector >= FIRST_EXTERNAL;
      if (walk.waits && waits) return walk;
      return { ...walk, waits, notes: [...walk.notes, `${arrival.event} ${waits ? 'waits' : 'does not arrive'} ${where}: ${arrival.reason}`] };
    }
    const draft = draftOf(walk.state);
    deliver(draft, setup, vector);
    const { effects } = draft;
    const first = finish(draft);
    const start: PathStart = {
      id: -1,
      door: { kind: 'event', vector, stub: first.node, name: program.code.nodes[first.node]?.symbol ?? '' },
      variant: level.start.variant,
      cpu: level.start.cpu,
      interrupted: walk.state,
      first,
      from: node === undefined ? '' : node.kind === 'interrupted' ? `C code that ${program.code.nodes[level.call ?? -1]?.symbol ?? 'a stub'} calls` : `${node.symbol}: ${node.text}`,
      user: false,
      parent: { start: level.start, choices: [], steps: 0 },
    };
    const kept = framesWithCopies(setup, walk.state);
    const raised: Level = { start, values: judging.monitors.map((monitor) => monitor.initial(start)), frames: walk.state.frames.length, kept, call: null, handled: false };
    const link: Link = { transition: { label: '', event: vector, effects, state: first, weight: 1 }, before: walk.link };
    return { ...walk, state: first, levels: [...walk.levels, raised], left: walk.left - 1, waits: false, link };
  }

  /** At the instruction itself events come in their order, and one that cannot come is left out. */
  function raiseHere(walk: Walk, vectors: readonly number[]): Walk {
    let at = walk;
    while (at.left > 0) {
      const raised = raise(at, vectors);
      if (raised.levels.length > at.levels.length) return raised;
      at = { ...raised, left: at.left - 1, waits: false };
    }
    return at;
  }

  /** Back at the call whose C function was interrupted, which now does what its row says. */
  function leave(walk: Walk, level: Level, call: NodeId): Walk {
    const node = program.code.nodes[call];
    const registers = [...walk.state.registers];
    if (node?.kind === 'instruction' && node.mnemonic === 'call') registers[RSP] = add(registers[RSP] ?? constant(0n), constant(8n));
    return { ...walk, state: withChange(walk.state, { node: call, registers }), levels: [...walk.levels.slice(0, -1), { ...level, call: null }] };
  }

  function handled(walk: Walk, level: Level, call: NodeId | null): Walk {
    return { ...walk, levels: [...walk.levels.slice(0, -1), { ...level, call, handled: true }] };
  }

  /** An event that was raised here is about to have its handler, and another is to come. */
  function mayNest(walk: Walk, level: Level): boolean {
    return walk.left > 0 && walk.levels.length > 1 && !level.handled;
  }

  return { follow };
}

/** Drops the levels whose event has returned. */
function cameBack(walk: Walk, outcome: PathOutcome): Walk {
  if (!outcome.effects.some((effect) => effect.kind === 'return')) return walk;
  const { state } = outcome;
  const over = walk.levels.findIndex(({ start, frames }) => state.frames.length <= frames && (state.cpu.cpl === 3 || state.node === start.interrupted.node || start.interrupted.cpu.cpl === 3));
  return over < 0 ? walk : { ...walk, levels: walk.levels.slice(0, over) };
}

/** A call of the C function that handles the event, not of one that only moves frames. */
function isHandler({ calls }: PathOutcome): boolean {
  if (calls === null || isRoutine(calls)) return false;
  const row = entryCall(calls);
  return row.effect === 'returns' && !row.anyStack;
}

function unknownOf(effects: readonly Effect[]): string {
  for (const effect of effects) if (effect.kind === 'unknown') return effect.what;
  return 'nobody knows where it goes';
}

function transitionsOf(link: Link | null): readonly MachineTransition[] {
  const out: MachineTransition[] = [];
  for (let at = link; at !== null; at = at.before) out.push(at.transition);
  return out.reverse();
}
