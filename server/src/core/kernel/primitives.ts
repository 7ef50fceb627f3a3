// C functions and macros of the kernel that the simulator knows by name: one row each. A function that is in the
// workspace is run as written; these rows stand in where it is not.
import type { PrimitiveBehaviour } from '../machine/config.ts';

export interface PrimitiveRow extends PrimitiveBehaviour {
  readonly summary: string;
  /** Kernel file or documentation the row rests on. */
  readonly source: string;
}

type Effect = PrimitiveBehaviour['effect'];

function rows(effect: Effect, summary: string, source: string, names: readonly string[]): readonly PrimitiveRow[] {
  return names.map((name) => ({ name, effect, summary, source }));
}

export const PRIMITIVES: readonly PrimitiveRow[] = [
  ...rows('irq-enable', 'sets IF', 'include/linux/irqflags.h', ['local_irq_enable', 'raw_local_irq_enable', 'native_irq_enable', 'arch_local_irq_enable', 'asm:sti']),
  ...rows('irq-disable', 'clears IF', 'include/linux/irqflags.h', ['local_irq_disable', 'raw_local_irq_disable', 'native_irq_disable', 'arch_local_irq_disable', 'asm:cli']),
  ...rows('irq-save', 'reads the flags and clears IF', 'include/linux/irqflags.h', ['local_irq_save', 'raw_local_irq_save', 'arch_local_irq_save']),
  ...rows('irq-restore', 'sets IF where the saved flags had it', 'include/linux/irqflags.h', ['local_irq_restore', 'raw_local_irq_restore', 'arch_local_irq_restore']),
  ...rows('self-ipi', 'sets a vector in the IRR of this CPU (IF-01)', 'arch/x86/include/asm/apic.h', ['apic_self_ipi', 'apic_send_self_ipi', 'self_ipi', 'apic_send_IPI_self', '__apic_send_IPI_self', 'send_self_ipi']),
  ...rows('irq-work', 'queues work for the IRQ work vector, from any context', 'kernel/irq_work.c', ['irq_work_queue', 'arch_irq_work_raise']),
  ...rows('task-work', 'queues work for the return to user mode', 'kernel/task_work.c', ['task_work_add']),
  ...rows('no-return', 'does not return', 'kernel/panic.c', [
    'panic',
    'nmi_panic',
    'BUG',
    'die',
    'mce_panic',
    'kill_guest',
    'do_exit',
    'make_task_dead',
    'native_machine_emergency_restart',
    'emergency_restart',
    'hypercall_kill_guest',
    'unrecoverable',
    'asm:ud2',
    'asm:hlt',
  ]),
  ...rows('read-cr2', 'reads CR2', 'arch/x86/include/asm/special_insns.h', ['read_cr2', 'native_read_cr2']),
  ...rows('write-cr2', 'writes CR2', 'arch/x86/include/asm/special_insns.h', ['write_cr2', 'native_write_cr2']),
  ...rows('wrmsr', 'writes a model-specific register', 'arch/x86/include/asm/msr.h', ['wrmsrl', 'wrmsrq', 'native_wrmsrl', 'native_wrmsrq', 'mce_wrmsrl', 'mce_wrmsrq', '__wrmsr', '__wrmsrq']),
  ...rows('rdmsr', 'reads a model-specific register', 'arch/x86/include/asm/msr.h', ['rdmsrl', 'native_rdmsrl', 'mce_rdmsrl', '__rdmsr', 'rdmsrq', 'native_rdmsrq', 'mce_rdmsrq']),
  ...rows('user-access', 'accesses user memory; a fault continues by the exception table', 'arch/x86/include/asm/uaccess.h', [
    '__get_user',
    'get_user',
    '__put_user',
    'put_user',
    'unsafe_get_user',
    'unsafe_put_user',
    'copy_from_user',
    'copy_to_user',
    '__copy_from_user',
    '__copy_to_user',
    '__copy_from_user_inatomic',
    '__copy_to_user_inatomic',
    'copy_from_user_nmi',
    'copy_from_user_nofault',
    'copy_mc_to_kernel',
    'copy_mc_to_user',
    '__get_user_size',
    'copy_from_kernel_nofault',
    'strncpy_from_user',
    'clear_user',
    '__get_user_nocheck',
    '__get_kernel_nofault',
    '__put_kernel_nofault',
    'get_kernel_nofault',
    'raw_copy_from_user',
    'raw_copy_to_user',
    '__copy_from_user_inatomic_nocache',
    'copy_to_user_nofault',
    'copy_to_kernel_nofault',
    'strncpy_from_user_nofault',
    'strncpy_from_kernel_nofault',
    'copy_mc_fragile',
    'copy_mc_enhanced_fast_string',
    'load_unaligned_zeropad',
  ]),
  ...rows('search-extable', 'finds the exception-table entry of the interrupted instruction', 'arch/x86/mm/extable.c', ['__search_extable']),
  ...rows('continue-at-fixup', 'points the saved RIP at the landing pad of the exception-table entry', 'arch/x86/mm/extable.c', ['__continue_at_fixup']),
  ...rows('default-fixup', 'points the saved RIP at the landing pad', 'arch/x86/mm/extable.c', ['ex_handler_default', 'ex_handler_fault']),
  ...rows('fixup-address', 'the landing pad of an exception-table entry', 'arch/x86/mm/extable.c', ['ex_fixup_addr']),
  ...rows('smp-id', 'the number of this CPU', 'include/linux/smp.h', ['smp_processor_id', 'raw_smp_processor_id', '__smp_processor_id']),
  ...rows('user-mode', 'whether the event came from user mode, by the saved CS', 'arch/x86/include/asm/ptrace.h', ['user_mode']),
  ...rows('nothing', 'has no effect on the state that is modelled', 'Documentation/core-api/entry.rst', [
    'nmi_enter',
    'nmi_exit',
    '__nmi_enter',
    '__nmi_exit',
    'irqentry_nmi_enter',
    'irqentry_nmi_exit',
    'irqentry_enter',
    'irqentry_exit',
    'irqentry_enter_from_user_mode',
    'irqentry_exit_to_user_mode',
    'instrumentation_begin',
    'instrumentation_end',
    'pagefault_disable',
    'pagefault_enable',
    'preempt_disable',
    'preempt_enable',
    'barrier',
    'smp_mb',
    'smp_wmb',
    'smp_rmb',
    'cpu_relax',
    'apic_eoi',
    'ack_APIC_irq',
    'lockdep_hardirqs_off',
    'lockdep_hardirqs_on',
    'irq_enter_rcu',
    'irq_exit_rcu',
    '__WARN',
    'asm:nop',
    'asm:lfence',
    'asm:mfence',
    'asm:pause',
    'asm:',
    'hypercall',
    'init_irq_work',
    'init_task_work',
  ]),
];

export const PRIMITIVE_BY_NAME: ReadonlyMap<string, PrimitiveRow> = new Map(PRIMITIVES.map((row) => [row.name, row]));

/** The row of a called name. Hypercalls pass registers to the host and touch no memory of the guest. */
export function primitiveNamed(name: string): PrimitiveRow | null {
  const row = PRIMITIVE_BY_NAME.get(name);
  if (row !== undefined) return row;
  // By the driver's table: `apic->send_IPI_self(vector)`.
  if (/^\*\w+->send_IPI_self$/.test(name)) return PRIMITIVE_BY_NAME.get('apic_self_ipi') ?? null;
  return /^(kvm_)?hypercall/.test(name) ? (PRIMITIVE_BY_NAME.get('hypercall') ?? null) : null;
}

/** Functions of the kernel that call an exception-table handler by the entry's type (arch/x86/mm/extable.c). */
export const EXTABLE_HANDLERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['EX_TYPE_DEFAULT', ['ex_handler_default']],
  ['EX_TYPE_FAULT', ['ex_handler_fault']],
  ['EX_TYPE_UACCESS', ['ex_handler_uaccess']],
  ['EX_TYPE_EFAULT_REG', ['ex_handler_imm_reg', 'ex_handler_uaccess']],
  ['EX_TYPE_IMM_REG', ['ex_handler_imm_reg', 'ex_handler_uaccess']],
  ['EX_TYPE_DEFAULT_MCE_SAFE', ['ex_handler_mcsafe', 'ex_handler_default']],
  ['EX_TYPE_FAULT_MCE_SAFE', ['ex_handler_mcsafe', 'ex_handler_fault']],
  ['EX_TYPE_UCOPY_LEN', ['ex_handler_ucopy_len']],
  ['EX_TYPE_ZEROPAD', ['ex_handler_zeropad']],
]);

/** Numbers of the types (arch/x86/include/asm/extable_fixup_types.h). */
export const EXTABLE_TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'EX_TYPE_DEFAULT'],
  [2, 'EX_TYPE_FAULT'],
  [3, 'EX_TYPE_UACCESS'],
  [14, 'EX_TYPE_DEFAULT_MCE_SAFE'],
  [15, 'EX_TYPE_FAULT_MCE_SAFE'],
  [17, 'EX_TYPE_EFAULT_REG'],
  [19, 'EX_TYPE_UCOPY_LEN'],
  [20, 'EX_TYPE_ZEROPAD'],
  [21, 'EX_TYPE_ERETU'],
]);

/** Vector of `irq_work` (arch/x86/include/asm/irq_vectors.h). */
export const IRQ_WORK_VECTOR = 0xf6;

/** Per-CPU variables that hold the top of the task stack, whatever the tree calls them. */
export const TOP_OF_STACK_NAMES: readonly string[] = ['top_of_stack', 'cpu_current_top_of_stack', 'kernel_stack'];

/** Per-CPU variables that hold the top of another stack, with the names of the stacks that they may mean. */
export const STACK_TOP_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['nmi_stack_top', ['NMI', 'FRED level 2']],
  ['ve_stack_top', ['VE', 'FRED level 1']],
  ['fallback_stack_top', ['fallback']],
  ['ve_fallback_stack_top', ['fallback']],
]);
