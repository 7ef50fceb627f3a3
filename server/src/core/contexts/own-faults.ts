// Faults that an instruction raises itself and that its code expects: those of IRET to user mode, and of loads of segment
// registers.
import type { InstructionNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, load } from '../machine/draft.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { isConstant } from '../machine/word.ts';

/** What IRET to user mode may raise before it commits (IRET-05). */
const IRET_FAULTS: readonly number[] = [13, 11, 12];
/** What loading a segment register may raise (SDM vol. 2, "MOV - Move"). */
const SEGMENT_FAULTS: readonly number[] = [13, 11];

/** IRET, and loads of segment registers: what may fault in code that expects it. */
export function mayFault(node: InstructionNode): boolean {
  const target = node.operands.at(-1);
  return node.mnemonic === 'iretq' || (/^mov[lwq]?$/.test(node.mnemonic) && target?.kind === 'system-register' && /^[defg]s$/.test(target.name));
}

/** Faults of the instruction itself that its code expects: IRET to user mode, and loads of segment registers. */
export function faultsOf(node: InstructionNode, state: State, setup: MachineSetup, tellsIretFaults: boolean): readonly number[] {
  if (node.mnemonic === 'iretq') {
    if (!tellsIretFaults) return [];
    const rsp = state.registers[RSP];
    if (rsp === undefined || !isConstant(rsp)) return [];
    const cs = load(draftOf(state), setup, rsp.value + 8n, 8);
    return (cs.known & 3n) === 3n && (cs.value & 3n) === 3n ? IRET_FAULTS : [];
  }
  const target = node.operands.at(-1);
  if (target?.kind === 'system-register' && mayFault(node)) {
    const source = node.operands[0];
    const value = source?.kind === 'register' ? state.registers[source.register] : undefined;
    // The kernel's own selectors and null are always good.
    return value === undefined || !isConstant(value) ? SEGMENT_FAULTS : [];
  }
  return [];
}
