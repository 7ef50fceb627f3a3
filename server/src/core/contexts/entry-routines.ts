// What the assembler routines do that Linux's stubs begin with, for stubs whose routines are not in view.
import { ENTRY_ROUTINES } from '../kernel/entry-calls.ts';
import type { Code, CodeNode, InstructionNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { carriedRegister, pushCarried } from '../machine/carry.ts';
import { changeCpu, load, setRegister, stackPointer } from '../machine/draft.ts';
import type { Draft } from '../machine/draft.ts';
import { PERCPU_REGION, regionBase } from '../machine/layout.ts';
import { RAX, REGISTER_NAMES, RSP } from '../machine/registers.ts';
import { DF } from '../machine/state.ts';
import { and, constant, isConstant, ONE, UNKNOWN, ZERO } from '../machine/word.ts';
import { PUSHED } from '../program/synthesize.ts';
import { FRAME_OFFSET, syncRegs } from './pt-regs.ts';

/** Bytes from the frame down to where the general registers of pt_regs begin. */
const ABOVE_REGISTERS = 8n;
const USER_BITS = 0x1800n;
const RBX = REGISTER_NAMES.indexOf('rbx');
const R14 = REGISTER_NAMES.indexOf('r14');

/** What a call of each does, its return address aside. */
export const ROUTINES: ReadonlyMap<string, (draft: Draft, setup: MachineSetup, node: InstructionNode) => void> = new Map(
  [...ENTRY_ROUTINES].map(([name, kind]) => [name, (draft, setup, node) => throughRoutine(draft, setup, node, kind)]),
);

/**
 * Where neither all registers are saved nor none, the routine is another one than Linux's, and the path ends.
 */
function throughRoutine(draft: Draft, setup: MachineSetup, node: InstructionNode, kind: 'paranoid' | 'error'): void {
  const frame = draft.frames.at(-1);
  const rsp = stackPointer(draft);
  const above = frame === undefined || rsp === null ? null : frame.base - rsp;
  if (frame === undefined || node.next === null || (above !== ABOVE_REGISTERS && above !== FRAME_OFFSET)) {
    draft.ended = 'left-code';
    draft.effects.push({ kind: 'unknown', what: `${node.targetName ?? ''} is not in view` });
    return;
  }
  if (above === ABOVE_REGISTERS) for (const index of PUSHED) pushCarried(draft, setup, carriedRegister(draft, index));
  const selector = load(draft, setup, frame.base + 8n, 8);
  const user = isConstant(selector) && (selector.value & 3n) === 3n;
  REGISTER_NAMES.forEach((_, index) => {
    if (index !== RSP) setRegister(draft, index, UNKNOWN);
  });
  const kernelGs = constant(regionBase(PERCPU_REGION));
  const { gsBase, kernelGsBase, cr3 } = draft.cpu;
  const swaps = gsBase !== kernelGs && (kind === 'paranoid' || user);
  changeCpu(draft, { gsBase: swaps ? kernelGs : gsBase, kernelGsBase: swaps ? gsBase : kernelGsBase, cr3: kind === 'paranoid' || user ? and(cr3, constant(~USER_BITS)) : cr3 });
  if (kind === 'paranoid') {
    // The base itself for a stub that writes it back, else whether there is nothing to swap back.
    setRegister(draft, RBX, writesBase(setup) ? gsBase : swaps ? ZERO : ONE);
    setRegister(draft, R14, cr3);
  }
  draft.flags = and(draft.flags, constant(~DF));
  const regs = stackPointer(draft) ?? 0n;
  if (kind === 'error') {
    const moved = user ? syncRegs(draft, setup, regs) : regs;
    setRegister(draft, RAX, constant(moved));
    // Up to Linux 5.18 the routine itself changes stacks.
    if (!loadsStack(setup, node.next)) setRegister(draft, RSP, constant(moved));
  }
  draft.node = node.next;
}

const writers = new WeakMap<Code, boolean>();

function writesBase({ code }: MachineSetup): boolean {
  const known = writers.get(code) ?? code.nodes.some((node) => node.kind === 'instruction' && node.mnemonic.startsWith('wrgsbase'));
  writers.set(code, known);
  return known;
}

/** Whether RSP is loaded from RAX right behind the call. */
function loadsStack(setup: MachineSetup, first: number): boolean {
  let at: number | null = first;
  for (let count = 0; count < 4 && at !== null; count += 1) {
    const node: CodeNode | undefined = setup.code.nodes[at];
    if (node?.kind !== 'instruction') return false;
    const [from, to] = node.operands;
    if (node.mnemonic.startsWith('mov') && from?.kind === 'register' && from.register === RAX && to?.kind === 'register' && to.register === RSP) return true;
    if (/^(?:call|jmp|ret)/.test(node.mnemonic)) return false;
    at = node.next;
  }
  return false;
}
