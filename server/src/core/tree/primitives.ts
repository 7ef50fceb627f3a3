// What the rules take the kernel's C primitives for: one row a family. Knows names and roles, no code.

/** Helpers that establish the state of an entry, with what they say of the interrupted context. */
export interface StateHelper {
  readonly role: 'enter' | 'exit';
  readonly state: 'nmi' | 'irq' | 'user' | 'syscall';
}

/** SEM ENT-01, ENT-02: `kernel/entry/common.c`, `include/linux/hardirq.h`; from 7.x on `include/linux/irq-entry-common.h` and `entry-common.h`. */
export const stateHelpers: ReadonlyMap<string, StateHelper> = new Map<string, StateHelper>([
  ['irqentry_nmi_enter', { role: 'enter', state: 'nmi' }],
  ['irqentry_nmi_exit', { role: 'exit', state: 'nmi' }],
  ['nmi_enter', { role: 'enter', state: 'nmi' }],
  ['nmi_exit', { role: 'exit', state: 'nmi' }],
  ['irqentry_enter', { role: 'enter', state: 'irq' }],
  ['irqentry_exit', { role: 'exit', state: 'irq' }],
  // What is left of it for kernel code in which RCU watched (arch/x86/xen/enlighten_pv.c).
  ['irqentry_exit_cond_resched', { role: 'exit', state: 'irq' }],
  ['irqentry_enter_from_user_mode', { role: 'enter', state: 'user' }],
  ['irqentry_exit_to_user_mode', { role: 'exit', state: 'user' }],
  ['irqentry_enter_from_kernel_mode', { role: 'enter', state: 'irq' }],
  ['irqentry_exit_to_kernel_mode', { role: 'exit', state: 'irq' }],
  ['enter_from_user_mode', { role: 'enter', state: 'user' }],
  // Linux 7.x: the two halves below with the offset of the kernel stack between them; the first leaves interrupts off.
  ['enter_from_user_mode_randomize_stack', { role: 'enter', state: 'user' }],
  ['syscall_enter_from_user_mode_randomize_stack', { role: 'enter', state: 'syscall' }],
  ['syscall_enter_from_user_mode_prepare', { role: 'enter', state: 'user' }],
  ['syscall_enter_from_user_mode', { role: 'enter', state: 'syscall' }],
  ['syscall_enter_from_user_mode_work', { role: 'enter', state: 'syscall' }],
  ['syscall_exit_to_user_mode', { role: 'exit', state: 'syscall' }],
]);

/** Calls that are harmless in every context and that no rule follows: accessors, annotations, barriers. */
const harmless = /^(?:(?:raw_|__|arch_)*this_cpu_\w+|per_cpu(?:_ptr)?|raw_cpu_\w+|(?:READ|WRITE)_ONCE|barrier|cpu_relax|smp_\w+|rmb|wmb|mb|(?:arch_|raw_)?atomic(?:_long|64)?_\w+|(?:arch_)?(?:__)?(?:set|clear|test|change)_bit\w*|test_and_\w+|instrumentation_(?:begin|end)|kmsan_\w+|likely|unlikely|ARRAY_SIZE|min|max|min_t|max_t|clamp|container_of|list_\w+|hlist_\w+|BIT|BIT_ULL|GENMASK\w*|FIELD_\w+|current_thread_info|smp_processor_id|raw_smp_processor_id|num_\w+_cpus|cpu_online|cpumask_\w+|cpu_has|cpu_feature_enabled|boot_cpu_has|static_cpu_has|this_cpu_has|boot_cpu_\w+|user_mode|in_nmi|irqs_disabled|v8086_mode|user_64bit_mode|any_64bit_mode|memcpy|memset|memcmp|strlen|str\w+|snprintf|scnprintf|sprintf|pr_\w+|printk\w*|_printk|static_branch_\w+|jump_label_\w+|lockdep_\w+|rdtsc\w*|ktime_\w+|__builtin_\w+|cond_local_irq_\w+|local_irq_\w+|raw_local_\w+|lower_32_bits|upper_32_bits|offsetof|ALIGN\w*|PAGE_ALIGN|__pa\w*|__va|virt_to_\w+|page_to_\w+|pfn_to_\w+|prefetchw?|ERR_PTR|IS_ERR\w*|PTR_ERR|test_thread_flag|clear_thread_flag|set_thread_flag|test_tsk_thread_flag|barrier_nospec|array_index_nospec|add_random_kstack_offset\w*|get_debugreg|set_debugreg|read_cr[0234]|write_cr[234]|__read_cr[34]|rdmsr\w*|wrmsr\w*|__rdmsr|__wrmsr|native_\w+msr\w*|BUILD_BUG_ON\w*|pagefault_(?:enable|disable)|preempt_(?:enable|disable)\w*|trace_\w+|rcu_\w+|ct_\w+|ftrace_nmi_\w+|task_pt_regs|ip_within_syscall_gap|access_ok|__access_ok|nmi_uaccess_okay|task_stack_page|READ_ONCE_NOCHECK|is_idle_task|DEFINE_\w+|tail_call|__this_cpu_ist_\w+|hweight\w+|swap|round\w*|DIV_ROUND\w*|fallthrough|__same_type|typecheck)$/;

/** Has a row, so that a call of it is no gap in what is known. */
export function isKnown(name: string): boolean {
  return stateHelpers.has(name) || harmless.test(name) || /^(?:WARN|BUG|VM_)/.test(name) || rowed.test(name);
}

/** Families that rules judge by name. */
const rowed = /^(?:panic|die|oops_\w+|force_sig\w*|send_sig\w*|task_work_add|irq_work_\w+|(?:raw_)?spin_\w+|mutex_\w+|(?:down|up)_\w+|k[mz]?v?[mzc]?alloc\w*|kfree|vfree|schedule\w*|cond_resched\w*|might_sleep\w*|wait_\w+|wake_up\w*|msleep|udelay|mdelay|ndelay|(?:__|raw_|_)*(?:copy|get|put)_(?:from|to)?_?user\w*|copy_(?:from|to)_\w+|sev_es_\w+|local_db_\w+|notify_die|fixup_exception|memory_failure|tdcall|__tdx_hypercall|_tdx_hypercall|do_exit|make_task_dead)$/;

/** May put the task to sleep: it needs a context that may schedule (SEM 18). */
export const sleepers = /^(?:mutex_lock(?:_\w+)?|down(?:_read|_write|_interruptible|_killable)?|schedule(?:_timeout\w*)?|msleep(?:_interruptible)?|usleep_range|might_sleep|cond_resched|wait_for_completion\w*|wait_event\w*|synchronize_\w+|flush_work|memory_failure|vmalloc|kvmalloc|copy_from_user|copy_to_user|clear_user|get_user|put_user|mmap_read_lock|mmap_write_lock|cpus_read_lock|kthread_stop|fsleep|ssleep|soft_offline_page|kern_path|filp_open)$/;

/** Takes a lock and spins for it: `raw_spin_lock(&lock)`. The try forms do not match. */
export const spinningLocks = /^(?:raw_)?(?:spin_lock|read_lock|write_lock)(?:_irq|_irqsave|_bh)?$/;

/** May hand the CPU to another task, which may go on on another CPU. */
export const mayMigrate = /^(?:irqentry_exit_to_user_mode(?:_prepare)?|irqentry_exit_to_kernel_mode(?:_preempt)?|irqentry_exit|(?:syscall_)?exit_to_user_mode_prepare|exit_to_user_mode_loop|syscall_exit_to_user_mode(?:_work)?|schedule(?:_timeout\w*)?|cond_resched|preempt_schedule\w*|msleep|mutex_lock(?:_\w+)?|wait_for_completion\w*|wait_event\w*|irqentry_exit_cond_resched)$/;
