// Breakpoints of the debug registers and single step (semantics.md §5; SDM vol. 3B, "Debug Exceptions"). Code
// breakpoints fault before the instruction, data breakpoints and single step trap behind it.
import type { Access } from './draft.ts';
import type { Cpu } from './state.ts';
import { INITIAL_CPU } from './state.ts';
import { isConstant } from './word.ts';

/** DR6 bits. */
export const GENERAL_DETECT_CAUSE = 1 << 13;
export const SINGLE_STEP = 1 << 14;

/** DR7 with no breakpoint enabled. */
export const NO_BREAKPOINTS = INITIAL_CPU.dr7;

interface Breakpoint {
  readonly index: number;
  readonly address: bigint;
  /** 0: execution, 1: writes, 3: reads and writes. */
  readonly condition: number;
  readonly length: number;
}

const LENGTHS = [1, 2, 8, 4] as const;

/** Enabled breakpoints whose address is known. */
function breakpointsOf(cpu: Cpu): readonly Breakpoint[] {
  if (!isConstant(cpu.dr7)) return [];
  const control = cpu.dr7.value;
  return cpu.breakpoints.flatMap((word, index) => {
    if (((control >> BigInt(index * 2)) & 3n) === 0n || !isConstant(word)) return [];
    const condition = Number((control >> BigInt(16 + index * 4)) & 3n);
    const length = LENGTHS[Number((control >> BigInt(18 + index * 4)) & 3n)] ?? 1;
    return [{ index, address: word.value & ~BigInt(length - 1), condition, length }];
  });
}

/** DB-01: code breakpoints on the instruction at an address, as DR6 bits. */
export function codeBreakpoints(cpu: Cpu, address: bigint): number {
  let bits = 0;
  for (const one of breakpointsOf(cpu)) if (one.condition === 0 && one.address === address) bits |= 1 << one.index;
  return bits;
}

export function hasDataBreakpoints(cpu: Cpu): boolean {
  return breakpointsOf(cpu).some((one) => one.condition !== 0);
}

/** DB-01: data breakpoints that accesses hit, as DR6 bits. */
export function dataBreakpoints(cpu: Cpu, accesses: readonly Access[]): number {
  let bits = 0;
  for (const one of breakpointsOf(cpu)) {
    if (one.condition === 0) continue;
    const hit = accesses.some((access) => (access.write || one.condition === 3) && access.address < one.address + BigInt(one.length) && one.address < access.address + BigInt(access.size));
    if (hit) bits |= 1 << one.index;
  }
  return bits;
}
