// Code that an NMI interrupts off the NMI's own stack: states that no stub could tell apart are of one kind, and an NMI in
// one of them stands for one in all. What they go on with behind it is explored without the NMI.
import type { MachineSetup } from '../machine/config.ts';
import type { NodeId } from '../machine/code.ts';
import { RSP } from '../machine/registers.ts';
import type { Program } from '../program/program.ts';
import { contextKey, stackNameOf } from './entry-start.ts';
import { copiesOf } from './nesting-faults.ts';
import type { Nest } from './nesting.ts';

/** `stub`: the stub of the NMI, which compares the interrupted RIP with its own addresses; `region`: the stack that it nests on. */
export function kindsOfInterrupted(program: Program, setup: MachineSetup, stub: NodeId, region: number): (nest: Nest) => boolean {
  /** The state of each kind that was met first. */
  const first = new Map<string, string>();
  const own = program.code.nodes[stub]?.symbol;

  function kindOf({ state, spare, owed }: Nest, stack: string): string {
    const { cpu } = state;
    const copies = copiesOf(setup, state);
    const overrun = copies.filter((_, at) => state.frames[at]?.region === region);
    const place = program.code.nodes[state.node]?.symbol === own ? state.node : '';
    return `${contextKey(state, stack)} ${cpu.cr3.id} ${cpu.gsBase.id} ${cpu.kernelGsBase.id} ${cpu.specCtrl.id} ${spare} ${owed} ${overrun.join()} ${place}`;
  }

  return (nest) => {
    const { state } = nest;
    const stack = stackNameOf(setup, state.registers[RSP]);
    if (state.frames.length === 0 || stack === setup.layout.regions[region]?.name) return true;
    const kind = kindOf(nest, stack);
    const id = `${state.node} ${state.registersId} ${state.controlId} ${state.memoryId} ${state.framesId}`;
    const known = first.get(kind) ?? id;
    first.set(kind, known);
    return known === id;
  };
}
