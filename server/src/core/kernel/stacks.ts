// Linux's stacks on x86-64 and the words that hold their tops (semantics.md §18; arch/x86/include/asm/page_64_types.h,
// arch/x86/include/asm/cpu_entry_area.h). One row a stack.

export interface StackRow {
  readonly name: string;
  readonly bytes: number;
  /** Starts over at its top at each delivery: IST stacks and the entry trampoline of TSS.sp0 (IDT-04, IDT-07). */
  readonly rewinding: boolean;
  /** Mapped while the user CR3 is loaded (CR3-02; Documentation/arch/x86/pti.rst). */
  readonly inUserCr3: boolean;
}

const KIB = 1024;

/** The task stack is 16 KiB, the entry trampoline a page, exception stacks are 8 KiB each. */
export const KERNEL_STACKS: readonly StackRow[] = [
  { name: 'task', bytes: 16 * KIB, rewinding: false, inUserCr3: false },
  { name: 'entry', bytes: 4 * KIB, rewinding: true, inUserCr3: true },
  { name: 'IRQ', bytes: 16 * KIB, rewinding: false, inUserCr3: false },
  { name: 'VC2', bytes: 8 * KIB, rewinding: false, inUserCr3: true },
  { name: 'espfix', bytes: 4 * KIB, rewinding: false, inUserCr3: true },
];

export function istStack(name: string): StackRow {
  return { name, bytes: 8 * KIB, rewinding: true, inUserCr3: true };
}

/** Per-CPU words that are mapped while the user CR3 is loaded (arch/x86/mm/pti.c clones the TSS for the SYSCALL entry). */
export const PER_CPU_IN_USER_CR3: ReadonlySet<string> = new Set(['cpu_tss_rw']);

/** Initial values of per-CPU words: name and offset, and the stack whose top they hold. */
export const PER_CPU_STACK_TOPS: readonly { readonly variable: string; readonly offset: string | null; readonly stack: string }[] = [
  { variable: 'cpu_tss_rw', offset: 'TSS_sp0', stack: 'entry' },
  { variable: 'cpu_tss_rw', offset: 'TSS_sp1', stack: 'task' },
  { variable: 'pcpu_hot', offset: 'X86_top_of_stack', stack: 'task' },
  { variable: 'cpu_current_top_of_stack', offset: null, stack: 'task' },
];
