// Where the exploration of a stub that is entered again while it runs begins, and on which CPUs.
import type { CpuVariant } from '../kernel/variants.ts';
import { stackNamed, top } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import { DF } from '../machine/state.ts';
import type { State } from '../machine/state.ts';
import { constant } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { MACHINE_CHECK, SYSENTER } from './nesting-steps.ts';

const FRAME_BYTES = 40n;
/** Bytes below the top of the NMI stack at which user space puts RSP. */
const FORGED_DEPTHS = [0x28n, 0x100n, 0x1000n];

export interface NestingStart {
  readonly title: string;
  readonly state: State;
  /** User space has chosen an RSP within the NMI stack. */
  readonly forged: boolean;
  /** Of each kind one: enough for a program beside one of the same stub that is run from all. */
  readonly chosen: boolean;
}

/**
 * User mode, kernel mode, the SYSCALL gap with the user's RSP, and with an RSP that points into the NMI stack; and with
 * the DF of user mode on other stacks: at SYSENTER, below the NMI stack, and at the #MC stub, above it.
 */
export function nestingStarts(program: Program, user: State, kernel: State): readonly NestingStart[] {
  // Which words are dead is learned soonest where there are the fewest states: user mode has most by far.
  const starts: NestingStart[] = [{ title: 'kernel mode', state: kernel, forged: false, chosen: true }];
  const fromUser: NestingStart = { title: 'user mode', state: user, forged: false, chosen: true };
  const stack = program.layout.regions.find((region) => region.name === 'NMI');
  if (program.gap === null) return [...starts, fromUser];
  const gap: State = { ...user, node: program.gap.first, flags: constant(2n), cpu: { ...kernel.cpu, gsBase: user.cpu.gsBase, kernelGsBase: user.cpu.kernelGsBase, cr3: user.cpu.cr3 } };
  starts.push({ title: 'the SYSCALL gap', state: gap, forged: false, chosen: false });
  const dirty = (title: string, node: number | undefined, stackName: string): void => {
    const region = stackNamed(program.layout, stackName);
    if (node === undefined || region === null) return;
    const registers = [...gap.registers];
    registers[RSP] = constant(top(region) - FRAME_BYTES);
    starts.push({ title, state: { ...gap, node, flags: constant(2n | DF), registers }, forged: false, chosen: false });
  };
  dirty('the first instruction of SYSENTER with DF set', program.code.symbols.get(SYSENTER), 'entry');
  dirty('the first instruction of the #MC stub with DF set', program.handlers.find((handler) => handler.vector === MACHINE_CHECK)?.stub, 'MCE');
  starts.push(fromUser);
  if (stack === undefined) return starts;
  for (const depth of FORGED_DEPTHS) {
    const registers = [...gap.registers];
    registers[RSP] = constant(top(stack) - depth);
    starts.push({ title: `the SYSCALL gap with a user RSP 0x${depth.toString(16)} below the top of the NMI stack`, state: { ...gap, registers }, forged: true, chosen: depth === FORGED_DEPTHS[0] });
  }
  return starts;
}

/** CPUs that the exploration runs on, each in one run. */
export function nestingVariants(all: readonly CpuVariant[]): readonly CpuVariant[] {
  return all.filter((variant) => ['PTI, PCID', 'FSGSBASE, no PTI'].includes(variant.name));
}
