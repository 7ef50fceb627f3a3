// Which events may arrive before an instruction in a state, and why the others cannot: by the gates, by what blocks and
// masks them, and by what the instruction itself may raise. Runs nothing.
import { isSystemCallGate } from '../contexts/entry-doors.ts';
import type { CodeNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { meaningOf } from '../machine/instructions/index.ts';
import { RSP } from '../machine/registers.ts';
import { IF } from '../machine/state.ts';
import type { State } from '../machine/state.ts';
import { VECTORS, vectorByName, vectorByNumber, vectorTitle } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import type { Interrupter } from '../context-types.ts';

const DB = 1;
const NMI = 2;
const DF = 8;
const AC = 17;
const MC = 18;
const VE = 20;
const HV = 28;
const VC = 29;
/** SDM vol. 3A, "External Interrupts": vectors of the first rows of the IDT are the CPU's own. */
const FIRST_EXTERNAL = 32;
const LAST_VECTOR = 255;

/** Events that no instruction causes, in the order in which a reader asks for them. */
const ANYWHERE: readonly number[] = [NMI, MC, DB, VE, VC, HV];

/** Names that `eventNamed` knows, for a misspelt one. */
export const EVENT_NAMES: readonly string[] = [...VECTORS.map((vector) => vector.name), 'IRQ'];

/** The vector of `NMI`, `#VE`, `mce`, `IRQ`, `IRQ 236` or `14`; null where there is no such event. */
export function eventNamed(name: string): number | null {
  const word = name.trim().toUpperCase();
  const vector = vectorByName(word);
  if (vector !== null) return vector.number;
  const external = /^(?:IRQ\s*)?(\d{1,3})$/.exec(word);
  if (word === 'IRQ') return FIRST_EXTERNAL;
  if (external === null) return null;
  const number = Number(external[1]);
  if (word.startsWith('IRQ')) return number >= FIRST_EXTERNAL && number <= LAST_VECTOR ? number : null;
  return vectorByNumber(number) !== null || (number >= FIRST_EXTERNAL && number <= LAST_VECTOR) ? number : null;
}

export function eventTitle(vector: number): string {
  return vector === FIRST_EXTERNAL ? 'IRQ' : vectorTitle(vector);
}

/** Whether the vector leads anywhere: FRED has no gates. */
export function hasEntry(setup: MachineSetup, vector: number): boolean {
  return setup.delivery === 'fred' || setup.gates.has(vector);
}

/** Whether an event may arrive before the instruction at which the state is, with the reason. */
export function arrivalOf(program: Program, setup: MachineSetup, state: State, vector: number): Interrupter {
  const event = eventTitle(vector);
  const answer = (can: Interrupter['can'], reason: string): Interrupter => ({ event, can, reason });
  if (!hasEntry(setup, vector)) return answer('no', `the IDT of this configuration has no gate for ${event}`);
  const guard = program.guards.find((one) => one.vector === vector && one.machineBit === null && one.setBy !== 'sw');
  if (guard !== undefined && state.frames.some((frame) => frame.vector === vector)) return answer('no', `${guard.name} is busy: ${guard.fallback}; scenarios tell what comes of clearing it`);
  const node = program.code.nodes[state.node];
  const { cpu } = state;
  if (program.handlers.some((handler) => handler.vector === vector && isSystemCallGate(program, handler))) return answer('no', 'a gate for INT in user mode: the kernel gives its vector to no device');
  if (vector >= FIRST_EXTERNAL) return interruptArrival(state, answer);
  switch (vector) {
    case NMI:
      if (cpu.nmiBlocked) return answer('no', 'blocked: an NMI was delivered and no IRET was executed since');
      if (cpu.shadow === 'movss') return answer('no', 'blocked for one instruction behind a load of SS');
      return answer('yes', state.frames.some((frame) => frame.vector === NMI) ? 'not blocked: an IRET inside the NMI handler ended the blocking' : 'not maskable');
    case MC:
      return cpu.mcip ? answer('no', 'MCIP is set: another one shuts the machine down') : answer('yes', 'not maskable');
    case DB:
      if (cpu.shadow === 'movss') return answer('no', 'held off for one instruction behind a load of SS');
      // within_cpu_entry(), arch/x86/kernel/hw_breakpoint.c; exc_debug() clears DR7 first.
      if (state.frames.some((frame) => frame.vector === DB)) return answer('no', 'no breakpoint can be set on the entry code and stacks that a #DB uses itself');
      return answer('yes', 'a breakpoint on an address that this instruction uses');
    case VE:
      return answer('yes', 'at an access, or the fetch, that the EPT does not allow');
    case VC:
      return answer('yes', 'where the hypervisor makes the instruction exit');
    case HV:
      return answer('yes', 'injected by the hypervisor');
    case DF:
      return answer('yes', 'where another fault cannot be delivered');
    default:
      return raises(node, vector) ? answer('yes', 'this instruction may raise it') : answer('no', `${textOf(node)} does not raise it`);
  }
}

function interruptArrival(state: State, answer: (can: Interrupter['can'], reason: string) => Interrupter): Interrupter {
  if ((state.flags.known & IF) === 0n) return answer('unknown', 'unknown: needs the value of IF');
  if ((state.flags.value & IF) === 0n) return answer('no', 'masked: IF=0');
  return state.cpu.shadow === 'none' ? answer('yes', 'IF=1') : answer('no', 'IF=1, but blocked for one instruction');
}

function textOf(node: CodeNode | undefined): string {
  return node === undefined ? 'this' : node.text;
}

/** Faults of the instruction itself and of its memory operands (rows of the machine; SDM vol. 2, "Protected Mode Exceptions"). */
function raises(node: CodeNode | undefined, vector: number): boolean {
  const name = vectorByNumber(vector)?.name ?? '';
  // C code may be made of any instructions, breakpoints included.
  if (node?.kind === 'interrupted' || node?.kind === 'operation') return true;
  if (node?.kind !== 'instruction') return false;
  const row = meaningOf(node.mnemonic, node.operands)?.row ?? null;
  if (row?.faults.includes(name) === true) return true;
  if (/^ud\d?/.test(node.mnemonic)) return name === 'UD';
  if (/^(lea|nop|prefetch)/.test(node.mnemonic)) return false;
  const target = node.operands.at(-1);
  if (target?.kind === 'system-register') return /^[cdefgs]s$/.test(target.name) ? ['GP', 'NP', 'SS'].includes(name) : name === 'GP';
  const memory = node.operands.filter((operand) => operand.kind === 'memory');
  if (/^(call|ret)/.test(node.mnemonic)) return name === 'PF' || name === 'SS';
  if (memory.length === 0) return false;
  return name === 'PF' || name === (memory.some((operand) => operand.base === RSP) ? 'SS' : 'GP');
}

/**
 * Memory of the kernel that entry code touches is mapped and does not fail: faults are told of where code expects them, at
 * an exception-table entry, an IRET or a load of a segment register, and where an instruction is there to raise one.
 */
function expectsFault(program: Program, node: CodeNode | undefined): boolean {
  if (node?.kind !== 'instruction') return false;
  if (/^(iret|erets|eretu|int|ud)/.test(node.mnemonic) || program.code.extable.some((entry) => entry.fault === node.id)) return true;
  const target = node.operands.at(-1);
  return target?.kind === 'system-register' && /^[defgs]s$/.test(target.name);
}

/** Everybody that a reader asks about: events of any instruction, interrupts, and the faults of this one. */
export function interruptersAt(program: Program, setup: MachineSetup, state: State): readonly Interrupter[] {
  const node = program.code.nodes[state.node];
  const asked = ANYWHERE.filter((vector) => vector === NMI || vector === MC || hasEntry(setup, vector));
  const own = !expectsFault(program, node) ? [] : VECTORS.map((vector) => vector.number).filter((vector) => !ANYWHERE.includes(vector) && vector !== DF && vector !== AC && hasEntry(setup, vector) && raises(node, vector));
  return [...asked, FIRST_EXTERNAL, ...own].map((vector) => arrivalOf(program, setup, state, vector));
}

/** Whether an event may come at any instruction, not only where one raises it. */
export function comesAnywhere(vector: number): boolean {
  return ANYWHERE.includes(vector) || vector >= FIRST_EXTERNAL;
}

/** Whether the instruction is there to raise the exception: its memory is not the kernel's own. */
export function isRaisedBy(program: Program, node: CodeNode, vector: number): boolean {
  return node.kind === 'instruction' && expectsFault(program, node) && raises(node, vector);
}

/** Events that are worth raising at a node whatever its contexts are: those of any instruction that have a gate. */
export function eventsAnywhere(setup: MachineSetup): readonly number[] {
  return ANYWHERE.filter((vector) => hasEntry(setup, vector));
}
