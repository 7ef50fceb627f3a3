// Numbers for the contexts that stubs can tell apart, so that a path asks for each of its states only by number; and which
// saved RIPs the stub of a vector can tell apart.
import { createInterner } from '../explore/interner.ts';
import type { NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { RSP } from '../machine/registers.ts';
import type { Cpu, State } from '../machine/state.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { CONTEXT_FLAGS, contextKey, stackNameOf } from './entry-start.ts';

/** The number of a state's context. Most steps change none of what it is made of: those cost a few comparisons. */
export function createContextIds(setup: MachineSetup): (state: State) => number {
  const ids = createInterner();
  const stacks = new Map<Word | undefined, string>();
  /** Flags by what a context shows of them. */
  const shown = new Map<Word, number>();
  let cpu: Cpu | null = null;
  let flags: Word | null = null;
  let bits = -1;
  let rsp: Word | undefined;
  let stack = '';
  let last = 0;
  return (state) => {
    const pointer = state.registers[RSP];
    let name = stack;
    if (pointer !== rsp || cpu === null) {
      name = stacks.get(pointer) ?? stackNameOf(setup, pointer);
      stacks.set(pointer, name);
      rsp = pointer;
    }
    let now = bits;
    if (state.flags !== flags) {
      now = shown.get(state.flags) ?? shownOf(state.flags);
      shown.set(state.flags, now);
      flags = state.flags;
    }
    if (state.cpu === cpu && now === bits && name === stack) return last;
    cpu = state.cpu;
    bits = now;
    stack = name;
    return (last = ids.idOf(contextKey(state, name)));
  };
}

/** What `contextKey` asks of the flags. */
function shownOf(flags: Word): number {
  return Number(((flags.known & CONTEXT_FLAGS) << 32n) | (flags.value & CONTEXT_FLAGS));
}

/** Nodes that code can reach from a stub by jumps, calls and the next instruction. */
function reachableFrom(program: Program, stub: NodeId): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const waiting = [stub];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const node = program.code.nodes[at];
    if (node?.kind === 'feature') waiting.push(node.present, node.absent);
    if (node?.kind === 'instruction') for (const next of [node.next, node.target]) if (next !== null) waiting.push(next);
  }
  return seen;
}

/**
 * Classes of interrupted nodes that the code behind a stub can tell apart by their address: `compared` are the nodes whose
 * addresses some instruction holds, by that instruction.
 */
export function ripClassesOf(program: Program, stub: NodeId, compared: ReadonlyMap<NodeId, readonly NodeId[]>): (node: NodeId) => number {
  const reachable = reachableFrom(program, stub);
  const own = [...new Set([...compared].filter(([at]) => reachable.has(at)).flatMap(([, nodes]) => nodes))].sort((a, b) => a - b);
  if (own.length === 0) return () => 0;
  const classes: (number | undefined)[] = [];
  return (node) => (classes[node] ??= classOf(node));

  function classOf(node: NodeId): number {
    let below = 0;
    while (below < own.length && (own[below] ?? 0) < node) below += 1;
    return below * 2 + (own[below] === node ? 1 : 0);
  }
}
