// Events tried from one context of entry code: whether they arrive there, and what comes of them. Each program keeps what
// follows events in it.
import type { Reached } from '../contexts/entry-analysis.ts';
import { RSP } from '../machine/registers.ts';
import { isConstant } from '../machine/word.ts';
import type { Rule } from '../rules/rule.ts';
import { arrivalOf } from './arrivals.ts';
import { createFollower } from './event-follow.ts';
import type { Followed, Follower } from './event-follow.ts';
import { judgesOf } from './kernel-run.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';

/** One program with what follows events in it. */
export interface Bench {
  readonly kernel: KernelProgram;
  readonly run: KernelRun;
  readonly follower: Follower;
}

export interface Tried {
  readonly reached: Reached;
  readonly followed: Followed | null;
  /** Why the first event cannot arrive. */
  readonly cannot: string | null;
}

const VC = 29;

const benches = new WeakMap<KernelRun, Bench>();

export function benchOf(kernel: KernelProgram, run: KernelRun, rules: readonly Rule[]): Bench {
  const known = benches.get(run);
  if (known !== undefined) return known;
  const made = { kernel, run, follower: createFollower(kernel.program, run.analysis.setup, judgesOf(kernel.program, rules)) };
  benches.set(run, made);
  return made;
}

export function tryOne({ kernel, run, follower }: Bench, reached: Reached, vectors: readonly number[]): Tried {
  const arrival = arrivalOf(kernel.program, run.analysis.setup, reached.state, vectors[0] ?? 0);
  if (arrival.can === 'no') return { reached, followed: null, cannot: arrival.reason };
  const rsp = reached.state.registers[RSP];
  if (reached.state.cpu.cpl === 0 && rsp !== undefined && !isConstant(rsp) && rsp.name === '') return { reached, followed: null, cannot: 'not run: RSP is that of a task that is not in view' };
  if (interruptedByNeedlessExit(kernel, reached)) return { reached, followed: null, cannot: 'not run: a #VC came where no instruction exits' };
  return { reached, followed: follower.follow(reached, vectors), cannot: null };
}

/** Instructions that a hypervisor intercepts (AMD APM vol. 2, "SEV-ES", "#VC Exception"). */
const EXITING = /^(cpuid|rdmsr|wrmsr|rdtscp?|rdpmc|in[bwl]|out[bwl]|hlt|wbinvd|invd|monitor|mwait|vmmcall|mov)/;

/** Linux sees to it that its entry code makes no exits: memory is validated beforehand, and it has no such instruction. */
function interruptedByNeedlessExit({ program }: KernelProgram, { state }: Reached): boolean {
  return state.frames.some((frame) => {
    const node = program.code.nodes[frame.interrupted];
    return frame.vector === VC && node?.kind === 'instruction' && !(EXITING.test(node.mnemonic) && (!node.mnemonic.startsWith('mov') || node.operands.some((operand) => operand.kind === 'system-register' && operand.name.startsWith('dr'))));
  });
}

/** Of ways to one place, the first to each instruction on each CPU. */
export function firstOfEach(members: readonly Reached[]): readonly Reached[] {
  const seen = new Set<string>();
  return members.filter((one) => {
    const key = `${one.state.node} ${one.start.variant.name}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
