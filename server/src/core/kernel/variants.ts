// CPUs that an entry path is run on: which of the features that ALTERNATIVE selects on are there. Features that change
// what state a path is in are fixed for a run; all others are taken both ways.

export interface CpuVariant {
  readonly name: string;
  /** Features present; those of FIXED_FEATURES that are not named here are absent. */
  readonly present: readonly string[];
}

/** Features whose arms belong together along a path. */
export const FIXED_FEATURES: readonly string[] = [
  'X86_FEATURE_PTI',
  'X86_FEATURE_PCID',
  'X86_FEATURE_FSGSBASE',
  'X86_FEATURE_KERNEL_IBRS',
  'X86_FEATURE_SMAP',
  'X86_FEATURE_FENCE_SWAPGS_USER',
  'X86_FEATURE_FENCE_SWAPGS_KERNEL',
  'X86_FEATURE_UNRET',
  'X86_FEATURE_ENTRY_IBPB',
  'X86_FEATURE_SRSO',
  'X86_FEATURE_SRSO_ALIAS',
  'X86_FEATURE_CALL_DEPTH',
  'X86_FEATURE_CLEAR_BHB_LOOP',
  'X86_FEATURE_CLEAR_CPU_BUF',
  'X86_FEATURE_XENPV',
  'X86_FEATURE_FRED',
  'X86_FEATURE_LA57',
  'X86_FEATURE_RDPID',
  'X86_FEATURE_ALWAYS',
];

const always = ['X86_FEATURE_ALWAYS', 'X86_FEATURE_SMAP'];

/**
 * Xen PV is left out: its paths break the native contract by design. FENCE_SWAPGS_USER is patched in where page-table
 * isolation does not write CR3 there anyway, FENCE_SWAPGS_KERNEL on every CPU with the bug
 * (arch/x86/kernel/cpu/bugs.c, SWAPGS mitigations).
 */
export const IDT_VARIANTS: readonly CpuVariant[] = [
  { name: 'PTI, PCID', present: [...always, 'X86_FEATURE_PTI', 'X86_FEATURE_PCID', 'X86_FEATURE_FENCE_SWAPGS_KERNEL', 'X86_FEATURE_CLEAR_CPU_BUF', 'X86_FEATURE_KERNEL_IBRS'] },
  { name: 'FSGSBASE, no PTI', present: [...always, 'X86_FEATURE_FSGSBASE', 'X86_FEATURE_RDPID', 'X86_FEATURE_FENCE_SWAPGS_USER', 'X86_FEATURE_FENCE_SWAPGS_KERNEL', 'X86_FEATURE_CLEAR_CPU_BUF', 'X86_FEATURE_CLEAR_BHB_LOOP', 'X86_FEATURE_CALL_DEPTH', 'X86_FEATURE_LA57'] },
  { name: 'PTI, FSGSBASE', present: [...always, 'X86_FEATURE_PTI', 'X86_FEATURE_FSGSBASE', 'X86_FEATURE_FENCE_SWAPGS_KERNEL', 'X86_FEATURE_KERNEL_IBRS', 'X86_FEATURE_CLEAR_CPU_BUF'] },
  { name: 'no PTI, SRSO, UNRET', present: [...always, 'X86_FEATURE_UNRET', 'X86_FEATURE_SRSO', 'X86_FEATURE_FENCE_SWAPGS_USER', 'X86_FEATURE_FENCE_SWAPGS_KERNEL'] },
  { name: 'FSGSBASE, SRSO, UNRET', present: [...always, 'X86_FEATURE_FSGSBASE', 'X86_FEATURE_UNRET', 'X86_FEATURE_SRSO', 'X86_FEATURE_SRSO_ALIAS', 'X86_FEATURE_ENTRY_IBPB', 'X86_FEATURE_CLEAR_BHB_LOOP'] },
];

/** CPUs with FRED have none of the bugs that VERW mends. */
export const FRED_VARIANTS: readonly CpuVariant[] = [{ name: 'FRED', present: [...always, 'X86_FEATURE_FRED', 'X86_FEATURE_FSGSBASE'] }];

/** The feature that an assumption `!X86_FEATURE_...` says no CPU has; null for assumptions about something else. */
export function absentFeature(subject: string): string | null {
  return /^!(X86_FEATURE_\w+)$/.exec(subject)?.[1] ?? null;
}
