// C functions that entry stubs call, where their effect on the state that stubs rely on is more than returning: one row
// each. A function without a row returns with the callee-saved registers, the flags that C code keeps, and IF clear.
import type { REGISTER_NAMES } from '../machine/registers.ts';

export type EntryCallEffect =
  /** Moves pt_regs to the top of the task stack and returns its address there. */
  | 'sync-regs'
  /** Builds on the entry stack the pt_regs that a fault right behind the IRET would have had. */
  | 'fixup-bad-iret'
  /** Moves pt_regs off the #VC stack: to the interrupted stack where it is trusted, else to the fall-back stack. */
  | 'vc-switch-off-ist'
  /** Returns true or false in AL. */
  | 'bool'
  /** Returns RFLAGS in RAX. */
  | 'flags'
  | 'no-return';

export interface EntryCallRow {
  readonly name: string;
  readonly effect: EntryCallEffect | 'returns';
  /** Runs on whatever stack the stub is on: it is what moves frames between stacks. */
  readonly anyStack: boolean;
  /** Runs before registers are cleared or is given them on purpose. */
  readonly takesRegisters: boolean;
  /** Fills in the RIP and RSP that user mode goes on with. */
  readonly setsUserReturn: boolean;
  /** A type that has words before its pt_regs, where the function takes and gives one of those: the type's name and the bytes. */
  readonly regsBehind: { readonly type: string; readonly bytes: bigint } | null;
  readonly source: string;
}

function row(name: string, effect: EntryCallRow['effect'], source: string, more: Partial<EntryCallRow> = {}): EntryCallRow {
  return { name, effect, anyStack: false, takesRegisters: false, setsUserReturn: false, regsBehind: null, source, ...more };
}

export const ENTRY_CALLS: readonly EntryCallRow[] = [
  row('sync_regs', 'sync-regs', 'arch/x86/kernel/traps.c', { anyStack: true }),
  // The return address of error_entry(), then pt_regs: what it took before it was given pt_regs alone.
  row('fixup_bad_iret', 'fixup-bad-iret', 'arch/x86/kernel/traps.c', { anyStack: true, regsBehind: { type: 'bad_iret_stack', bytes: 8n } }),
  row('vc_switch_off_ist', 'vc-switch-off-ist', 'arch/x86/kernel/traps.c', { anyStack: true }),
  row('do_syscall_64', 'bool', 'arch/x86/entry/common.c'),
  row('do_fast_syscall_32', 'bool', 'arch/x86/entry/common.c'),
  row('do_SYSENTER_32', 'bool', 'arch/x86/entry/common.c', { setsUserReturn: true }),
  row('handle_interrupted_saferet', 'returns', 'arch/x86/kernel/cpu/bugs.c', { anyStack: true }),
  row('native_save_fl', 'flags', 'arch/x86/kernel/irqflags.S', { anyStack: true, takesRegisters: true }),
  row('make_task_dead', 'no-return', 'kernel/exit.c', { takesRegisters: true }),
  row('BUG_func', 'no-return', 'arch/x86/kernel/alternative.c', { takesRegisters: true }),
  ...['stackleak_erase', 'stackleak_erase_on_task_stack', 'stackleak_erase_off_task_stack'].map((name) => row(name, 'returns', 'kernel/stackleak.c', { anyStack: true, takesRegisters: true })),
];

/**
 * Assembler routines without an effect on the state that stubs rely on but for the registers that each leaves with another
 * value: predictor and buffer maintenance (arch/x86/lib/retpoline.S, arch/x86/entry/entry.S), what boot puts in the place
 * of calls through the table of paravirt operations.
 */
export const QUIET_ROUTINES: ReadonlyMap<string, readonly (typeof REGISTER_NAMES)[number][]> = new Map([
  // A MOVABS to RAX, of the CPUs that need it (SRSO).
  ['entry_untrain_ret', ['rax']],
  ['srso_untrain_ret', ['rax']],
  ['retbleed_untrain_ret', []],
  ['srso_alias_untrain_ret', []],
  ['zen_untrain_ret', []],
  ['entry_ibpb', ['rax', 'rcx', 'rdx']],
  ['write_ibpb', ['rax', 'rcx', 'rdx']],
  ['clear_bhb_loop', ['rax', 'rcx']],
  ['__handle_intr_saferet', ['rax']],
  ['__handle_intr_saferet_alias', ['rax']],
  ['native_save_fl', ['rax']],
]);

/** Of those, the ones after which a RET is safe from a predictor that user space trained (arch/x86/lib/retpoline.S). */
export const UNTRAINING: ReadonlySet<string> = new Set(['entry_untrain_ret', 'retbleed_untrain_ret', 'srso_untrain_ret', 'srso_alias_untrain_ret', 'zen_untrain_ret', 'entry_ibpb', 'write_ibpb']);

/**
 * Assembler routines that stubs call at their beginning, for sketches that have them somewhere else: they save the general
 * registers where the stub has not, and load the kernel's CR3 and GS base, one whatever was interrupted, the other for user
 * mode alone, with pt_regs moved to the task stack (arch/x86/entry/entry_64.S).
 */
export const ENTRY_ROUTINES: ReadonlyMap<string, 'paranoid' | 'error'> = new Map([['paranoid_entry', 'paranoid'], ['error_entry', 'error']]);

/** Whether a name is that of assembler code, which needs nothing of what C code is entered with. */
export function isRoutine(name: string): boolean {
  return QUIET_ROUTINES.has(name) || ENTRY_ROUTINES.has(name);
}

const byName = new Map(ENTRY_CALLS.map((one) => [one.name, one]));

export function entryCall(name: string): EntryCallRow {
  return byName.get(name) ?? row(name, 'returns', '');
}
