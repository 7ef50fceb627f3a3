// Numbers for the contexts that stubs can tell apart, so that a path asks for each of its states only by number; and which
// saved RIPs the stub of a vector can tell apart.
import type { NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { RSP } from '../machine/registers.ts';
import type { Cpu, State } from '../machine/state.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { contextKey, stackNameOf } from './entry-start.ts';

/** The number of a state's context. Most steps change neither the CPU's state nor the stack: those cost two comparisons. */
export function createContextIds(setup: MachineSetup): (state: State) => number {
  const ids = new Map<string, number>();
  const stacks = new Map<Word | undefined, string>();
  let cpu: Cpu | null = null;
  let flags: Word | null = null;
  let stack = '';
  let last = 0;
  return (state) => {
    const rsp = state.registers[RSP];
    let name = stacks.get(rsp);
    if (name === undefined) stacks.set(rsp, (name = stackNameOf(setup, rsp)));
    if (state.cpu === cpu && state.flags === flags && name === stack) return last;
    const key = contextKey(state, name);
    let id = ids.get(key);
    if (id === undefined) ids.set(key, (id = ids.size));
    cpu = state.cpu;
    flags = state.flags;
    stack = name;
    last = id;
    return id;
  };
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
  return (node) => {
    let below = 0;
    while (below < own.length && (own[below] ?? 0) < node) below += 1;
    return below * 2 + (own[below] === node ? 1 : 0);
  };
}
