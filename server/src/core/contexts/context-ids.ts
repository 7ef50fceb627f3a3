// Numbers for the contexts that stubs can tell apart, so that a path asks for each of its states only by number; and which
// saved RIPs the stub of a vector can tell apart.
import { createInterner } from '../explore/interner.ts';
import type { NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { RSP } from '../machine/registers.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { contextKey, stackNameOf } from './entry-start.ts';
import type { PartedState, Parts } from './parts.ts';

/** The number of a state's context, by what it is made of: the CPU's state with the flags, and the stack. */
export function createContextIds(setup: MachineSetup, parts: Parts): (state: PartedState) => number {
  const ids = createInterner();
  const stacks = createInterner();
  /** Stacks by the words of RSP, contexts by the CPU's state and the stack. */
  const stackOfWord: (number | undefined)[] = [];
  const ofControl: (number[] | undefined)[] = [];
  const names: string[] = [];

  function stackOf(rsp: Word | undefined): number {
    const known = stackOfWord[rsp?.id ?? 0];
    if (known !== undefined) return known;
    const name = stackNameOf(setup, rsp);
    const stack = stacks.idOf(name);
    names[stack] = name;
    return (stackOfWord[rsp?.id ?? 0] = stack);
  }

  return (state) => {
    const stack = stackOf(parts.registersOf(state.registersId)[RSP]);
    const byStack = (ofControl[state.controlId] ??= []);
    return (byStack[stack] ??= ids.idOf(contextKey(state, names[stack] ?? '')));
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
