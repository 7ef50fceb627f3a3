// Who waits for the code at each step of a replay: calls that have not returned, and what live events interrupted. Live
// frames are the machine's own; calls are told from returns by where they go.
import type { MachineTransition } from '../contexts/model.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';

/** The innermost that waits, and the others behind it; shared by all steps at which they wait. */
export type Waiting = null | {
  readonly kind: 'call' | 'event';
  /** The call, or the code that was interrupted. */
  readonly node: NodeId;
  /** Where a call returns to; null for an event. */
  readonly next: NodeId | null;
  /** RSP of the code that waits. */
  readonly rsp: Word | undefined;
  /** Index of an event's frame among the live ones, -1 for a call. */
  readonly frame: number;
  readonly depth: number;
  readonly outer: Waiting;
};

export function depthOf(waiting: Waiting): number {
  return waiting === null ? 0 : waiting.depth;
}

/** One more than there are transitions. */
export function waitingAt(program: Program, states: readonly State[], transitions: readonly MachineTransition[]): readonly Waiting[] {
  const first = states[0];
  let waiting: Waiting = null;
  if (first !== undefined) waiting = withEvents(null, first, first.frames.length);
  const all: Waiting[] = [waiting];
  transitions.forEach((transition, index) => {
    const before = states[index];
    const after = states[index + 1];
    if (before === undefined || after === undefined) return;
    const delivered = Math.min(after.frames.length, transition.effects.filter(({ kind }) => kind === 'deliver').length);
    waiting = downTo(waiting, after.frames.length - delivered);
    if (transition.event === null && delivered === 0) waiting = afterStep(waiting, program.code.nodes[before.node], before, after);
    waiting = withEvents(waiting, after, after.frames.length);
    all.push(waiting);
  });
  return all;
}

function eventsIn(waiting: Waiting): number {
  for (let at = waiting; at !== null; at = at.outer) if (at.kind === 'event') return at.frame + 1;
  return 0;
}

/** Without the events whose frames are gone, and the calls that were made above them. */
function downTo(waiting: Waiting, frames: number): Waiting {
  let at = waiting;
  while (at !== null && eventsIn(at) > frames) at = at.outer;
  return at;
}

function withEvents(waiting: Waiting, state: State, frames: number): Waiting {
  let at = waiting;
  for (let index = eventsIn(at); index < frames; index += 1) {
    const frame = state.frames[index];
    if (frame !== undefined) at = { kind: 'event', node: frame.interrupted, next: null, rsp: frame.rsp, frame: index, depth: depthOf(at) + 1, outer: at };
  }
  return at;
}

function afterStep(waiting: Waiting, node: CodeNode | undefined, before: State, after: State): Waiting {
  const behind = returnPointOf(node);
  if (node !== undefined && behind !== null) {
    if (after.node === behind || after.ended !== null) return waiting;
    return { kind: 'call', node: node.id, next: behind, rsp: before.registers[RSP], frame: -1, depth: depthOf(waiting) + 1, outer: waiting };
  }
  if (!returns(node)) return waiting;
  for (let at = waiting; at !== null && at.kind === 'call'; at = at.outer) if (at.next === after.node) return at.outer;
  return waiting;
}

/** Where the routine that a node calls returns to; null where it calls none. */
function returnPointOf(node: CodeNode | undefined): NodeId | null {
  if (node?.kind === 'instruction') return node.mnemonic.startsWith('call') ? node.next : null;
  return node?.kind === 'operation' && node.operation.kind === 'call' ? node.operation.next : null;
}

function returns(node: CodeNode | undefined): boolean {
  if (node?.kind === 'instruction') return /^ret[qlw]?$/.test(node.mnemonic);
  return node?.kind === 'operation' && node.operation.kind === 'return';
}
