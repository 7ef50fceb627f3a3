// Mutants of real files, for every rule that examines C entry code at least one: what is taken away or changed, by
// function and pattern. `drop` takes the match away, `swap` exchanges two, `by` replaces; the number says which definition
// of the function is meant, the last name where the finding shows if that is elsewhere. Where code has moved between
// releases its files are named, and the first that has the pattern counts. `since` and `until` are the releases that have
// such code; in those the pattern must be found.

const nmi = 'arch/x86/kernel/nmi.c';
const traps = 'arch/x86/kernel/traps.c';
const mce = 'arch/x86/kernel/cpu/mce/core.c';
const severity = 'arch/x86/kernel/cpu/mce/severity.c';
const sev = ['arch/x86/coco/sev/core.c', 'arch/x86/coco/sev/noinstr.c', 'arch/x86/coco/sev/vc-handle.c', 'arch/x86/kernel/sev.c'];
const sevShared = ['arch/x86/coco/sev/shared.c', 'arch/x86/coco/sev/vc-shared.c', 'arch/x86/kernel/sev-shared.c'];
const tdx = 'arch/x86/coco/tdx/tdx.c';
const kvm = 'arch/x86/kernel/kvm.c';
const entry = ['arch/x86/entry/common.c', 'arch/x86/entry/syscall_64.c', 'arch/x86/entry/syscall_32.c'];
const breakpoint = 'arch/x86/kernel/hw_breakpoint.c';
const common = 'arch/x86/kernel/cpu/common.c';
const generic = 'kernel/entry/common.c';
const idt = 'arch/x86/kernel/idt.c';
const entry32 = 'arch/x86/entry/entry_32.S';

/** An `if` on a condition with its one statement. */
const guard = (condition) => new RegExp(`^[ \\t]*if \\([^\\n]*${condition}[^\\n]*(?:\\n[^\\n]*)?\\)\\)*\\n?[ \\t]+(?:return|goto)[^;]*;\\n`, 'm');
const line = (pattern) => new RegExp(`^[^\\n]*${pattern}[^\\n]*\\n`, 'm');

export const mutants = [
  ['cr2-not-preserved', nmi, 'exc_nmi', { drop: line('this_cpu_write\\(nmi_cr2') }],
  ['cr2-not-preserved', nmi, 'exc_nmi', { drop: /^\tif \(unlikely\(this_cpu_read\(nmi_cr2\)[^;]*;\n/m }],
  ['nmi-user-access-not-nofault', 'arch/x86/lib/usercopy.c', 'copy_from_user_nmi', { drop: guard('nmi_uaccess_okay') }],
  ['nmi-user-access-not-nofault', 'arch/x86/lib/usercopy.c', 'copy_from_user_nmi', { drop: guard('access_ok') }],
  ['nmi-user-access-not-nofault', 'mm/maccess.c', 'copy_from_user_nofault', { drop: line('pagefault_disable') }],
  ['nmi-user-access-not-nofault', 'arch/x86/mm/fault.c', 'do_user_addr_fault', { drop: /faulthandler_disabled\(\) \|\| / }],
  ['nmi-complete-missing', nmi, 'exc_nmi', { from: line('sev_es_nmi_complete'), to: line('this_cpu_write\\(nmi_state, NMI_EXECUTING') }],
  ['nmi-complete-missing', sev, '__sev_es_nmi_complete', { drop: line('VMGEXIT\\(\\)') }],
  ['work-after-mcip-clear', mce, 'do_machine_check', { drop: line('mce_wrmsr[lq]\\(MSR_IA32_MCG_STATUS') }],
  ['work-after-mcip-clear', mce, 'do_machine_check', { drop: /if \(taint\)/, by: 'mce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n\tif (taint)' }],
  ['work-after-mcip-clear', mce, 'do_machine_check', { drop: /goto out;/, by: 'return;' }],
  ['work-after-mcip-clear', mce, 'mce_check_crashing_cpu', { drop: line('wrmsr[lq]?\\(MSR_IA32_MCG_STATUS') }],
  ['recovery-without-ripv-eipv', mce, 'do_machine_check', { drop: /m(?:\.|->)kflags & MCE_IN_KERNEL_RECOV/, by: '!no_way_out' }],
  ['recovery-without-ripv-eipv', severity, 'error_context', { drop: guard('mc_recoverable') }],
  ['recovery-without-ripv-eipv', severity, 'error_context', { drop: guard('cs & 3') }],
  ['recovery-without-ripv-eipv', mce, 'do_machine_check', { drop: /^\tif \(!\(m(?:\.|->)mcgstatus & MCG_STATUS_RIPV\)\)\n[^;]*;\n/m }],
  ['recovery-without-ripv-eipv', mce, 'kill_me_maybe', { drop: /^\tif \(!p->mce_ripv\)\n[^;]*;\n/m }],
  ['unbounded-mc-retry', mce, 'queue_task_work', { drop: /^\tif \(count > 10\)\n[^;]*;\n/m }],
  ['unbounded-mc-retry', mce, 'queue_task_work', { drop: /^\tif \(count > 1 &&[^;]*;\n/m }],
  ['assumes-broadcast', mce, 'do_machine_check', { drop: /if \(!lmce\)/, by: 'if (order)' }],
  ['task-work-queued-twice', mce, 'queue_task_work', { drop: /if \(count > 1\)/, by: 'if (count > 2)' }],
  ['task-work-queued-twice', mce, 'kill_me_now', { drop: line('mce_count = 0') }],
  ['task-work-queued-twice', mce, 'kill_me_never', { drop: line('mce_count = 0') }],
  ['msr-fault-in-machine-check', mce, 'mce_wrmsr[lq]', { drop: /EX_TYPE_WRMSR_IN_MCE/, by: 'EX_TYPE_WRMSR' }],
  ['dr7-live-in-nmi-like', traps, 'exc_debug_kernel', { swap: [line('dr7 = local_db_save'), line('irq_state = irqentry_nmi_enter')] }],
  ['dr7-live-in-nmi-like', nmi, 'exc_nmi', { swap: [line('irqentry_nmi_exit'), line('local_db_restore')] }],
  ['dr7-live-in-nmi-like', mce, 'exc_machine_check_kernel', { drop: line('local_db_restore'), since: '6.12' }],
  ['dr6-read-late', traps, 'exc_debug', { drop: /debug_read_reset_dr6\(\)/, by: '0', since: '6.12' }],
  ['dr6-read-late', traps, 'debug_read_reset_dr6', { drop: line('set_debugreg'), since: '6.12' }],
  ['dr6-read-late', traps, 'exc_debug', { drop: /fred_event_data\(regs\)/, by: 'debug_read_reset_dr6()', since: '6.12' }, 3],
  ['cpu-state-restored-after-migration', mce, 'exc_machine_check_user', { swap: [line('local_db_restore'), line('irqentry_exit_to_user_mode')], since: '6.12' }],
  ['watchable-entry-word', breakpoint, 'within_cpu_entry', { drop: guard('CPU_ENTRY_AREA_BASE') }],
  ['watchable-entry-word', breakpoint, 'within_cpu_entry', { drop: guard('get_cpu_gdt_rw') }],
  ['watchable-entry-word', breakpoint, 'within_cpu_entry', { drop: /\(unsigned long\)&per_cpu\(cpu_tss_rw, cpu\)/, by: '0UL' }],
  ['watchable-entry-word', breakpoint, 'within_cpu_entry', { drop: /&per_cpu\(cpu_dr7, cpu\)/, by: 'addr' }],
  ['watchable-entry-word', breakpoint, 'arch_build_bp_info', { drop: guard('within_cpu_entry') }],
  ['watchable-entry-word', breakpoint, 'arch_build_bp_info', { drop: guard('within_kprobe_blacklist') }],
  ['sysenter-step-not-recognised', traps, 'is_sysenter_singlestep', { drop: /\(unsigned long\)__end_entry_SYSENTER_compat -\s*\(unsigned long\)entry_SYSENTER_compat/, by: '16' }],
  ['dr7-access-reordered', 'arch/x86/include/asm/debugreg.h', 'native_get_debugreg', { drop: /asm volatile\(("mov %%db7, %0" : "=r" \(val\))(?: : __FORCE_ORDER)?\)/, by: 'asm($1)' }],
  ['cr4-bit-after-events', common, 'cpu_init_exception_handling', { drop: line('setup_ghcb') }],
  ['cr4-bit-after-events', common, 'cpu_init_exception_handling', { drop: line('load_TR_desc') }],
  ['cr4-bit-after-events', common, 'cpu_init_exception_handling', { drop: line('setup_getcpu') }],
  ['cr4-bit-after-events', common, 'cpu_init_exception_handling', { drop: line('tss_setup_ist') }],
  ['ist-shift-not-unwound', nmi, 'exc_nmi', { drop: line('sev_es_ist_exit') }],
  ['ist-shift-not-unwound', nmi, 'exc_nmi', { drop: line('sev_es_ist_enter') }],
  ['ist-shift-not-unwound', nmi, 'exc_nmi', { swap: [line('sev_es_ist_enter'), line('local_db_save')] }],
  ['ist-shift-not-unwound', sev, '__sev_es_ist_enter', { drop: line('\\*\\(unsigned long \\*\\)new_ist') }],
  ['user-rsp-trusted', sev, 'on_vc_stack', { drop: guard('user_mode') }],
  ['unsafe-switch-off-ist', traps, 'vc_switch_off_ist', { drop: /if \(ip_within_syscall_gap\(regs\)\)/, by: 'if (0)' }],
  ['unsafe-switch-off-ist', traps, 'vc_switch_off_ist', { drop: /\|\| info\.type == STACK_TYPE_ENTRY/ }],
  ['unsafe-switch-off-ist', traps, 'vc_switch_off_ist', { drop: /\|\|\s*info\.type > STACK_TYPE_EXCEPTION_LAST/ }],
  ['ist-stack-shared', idt, null, { drop: /ISTG\(X86_TRAP_VC,\s*asm_exc_vmm_communication, IST_INDEX_VC\)/, by: 'ISTG(X86_TRAP_VC, asm_exc_vmm_communication, IST_INDEX_DB)' }],
  ['ist-stack-shared', 'arch/x86/kernel/fred.c', 'cpu_init_fred_rsps', { drop: /__this_cpu_ist_top_va\(DF\)/, by: '__this_cpu_ist_top_va(NMI)', since: '6.12' }],
  ['gate-row-unfit', idt, null, { drop: /^\tISTG\(X86_TRAP_NMI,\s*asm_exc_nmi, IST_INDEX_NMI\),\n/m }],
  ['gate-row-unfit', idt, null, { drop: /asm_exc_segment_not_present/, by: 'asm_exc_stack_segment' }],
  ['gate-row-unfit', idt, null, { drop: /SYSG\(X86_TRAP_BP/, by: 'INTG(X86_TRAP_BP' }],
  ['gate-row-unfit', idt, null, { drop: /SYSG\(IA32_SYSCALL_VECTOR,(\s*)asm_/, by: 'INTG(IA32_SYSCALL_VECTOR,$1asm_' }],
  ['exit-work-left-out', 'arch/x86/include/asm/entry-common.h', null, { drop: /^\tif \(unlikely\(ti_work & _TIF_NEED_FPU_LOAD\)\)\n[^;]*;\n/m }],
  ['exit-work-left-out', 'arch/x86/include/asm/entry-common.h', 'arch_exit_to_user_mode_prepare', { drop: line('status &= ~\\(TS_COMPAT') }],
  ['exit-work-left-out', 'arch/x86/include/asm/entry-common.h', 'arch_exit_to_user_mode_prepare', { drop: line('indirect_branch_prediction_barrier'), since: '6.1' }],
  ['sysenter-flags-not-sanitised', entry, 'do_SYSENTER_32', { drop: line('regs->flags \\|= X86_EFLAGS_IF') }],
  ['syscall-number-not-extended', entry, 'do_int80_emulation', { drop: / & GENMASK\(31, 0\)/ }],
  ['schedule-on-rewinding-stack', kvm, '__kvm_handle_async_pf', { drop: /^\tif \(unlikely\(!\(regs->flags & X86_EFLAGS_IF\)\)\)\n[^;]*;\n/m }],
  ['gate-row-unfit', 'arch/x86/entry/entry_fred.c', '__fred_entry_from_kvm', { drop: /\tcase EVENT_TYPE_NMI:\n[^;]*;\n/, since: '6.12' }],
  ['gate-row-unfit', 'arch/x86/entry/entry_fred.c', 'fred_hwexc', { drop: line('case X86_TRAP_GP'), since: '6.12' }],
  ['watchable-entry-word', breakpoint, 'within_area', { drop: /end >= base/, by: 'addr >= base' }],
  ['gate-row-unfit', idt, null, { drop: /TSKG\(X86_TRAP_DF,\s*GDT_ENTRY_DOUBLEFAULT_TSS\)/, by: 'INTG(X86_TRAP_DF, asm_exc_double_fault)' }],
  ['entry-register-unfit', 'arch/x86/kernel/process_32.c', '__switch_to', { drop: line('refresh_sysenter_cs') }],
  ['entry-register-unfit', 'arch/x86/kernel/process_32.c', '__switch_to', { drop: line('update_task_stack') }],
  ['double-fault-task-unfit', 'arch/x86/kernel/doublefault_32.c', 'doublefault_shim', { drop: line('force_reload_TR') }],
  ['double-fault-task-unfit', 'arch/x86/kernel/doublefault_32.c', 'doublefault_shim', { from: line('cr2 = native_read_cr2'), to: line('regs\\.ss') }],
  ['double-fault-task-unfit', 'arch/x86/kernel/doublefault_32.c', null, { drop: /^\t\t\.fs\s[^\n]*\n/m }],
  ['sysenter-step-not-recognised', traps, 'is_sysenter_singlestep', { drop: /\(unsigned long\)__end_SYSENTER_singlestep_region -\s*\(unsigned long\)__begin_SYSENTER_singlestep_region/, by: '16' }],
  ['irqs-on-in-entry', traps, 'iret_error', { drop: line('local_irq_disable') }],
  ...[
    ['SWITCH_TO_KERNEL_STACK', line('SWITCH_TO_KERNEL_CR3 scratch_reg=%eax')],
    ['SAVE_ALL', line('movl\\t%edx, %es')],
    ['SAVE_ALL', line('movl\\t%eax, %fs')],
    ['SAVE_ALL', line('cld')],
    ['FIXUP_FRAME', line('andl\\t\\$0x0000ffff')],
    ['FIXUP_FRAME', /^\ttestl\t\$X86_EFLAGS_VM[^\n]*\n[^\n]*\n/m],
    ['IRET_FRAME', /%ss:-1/, '-1'],
    ['entry_SYSENTER_32', /X86_EFLAGS_NT\|/],
    ['asm_exc_double_fault', line('clts')],
    ['asm_exc_nmi', /^\tcmpl\t\$SIZEOF_entry_stack, %ecx\n[^\n]*\n/m],
    ['handle_exception', line('movl\\t\\$-1, PT_ORIG_EAX')],
  ].map(([name, drop, by]) => ['entry-state-on-32-bit', entry32, name, by === undefined ? { drop } : { drop, by }]),
  ...[
    ['PARANOID_EXIT_TO_KERNEL_MODE', line('SWITCH_TO_USER_CR3')],
    ['RESTORE_ALL_NMI', line('movl\\t.cr3_reg, %cr3')],
    ['entry_SYSENTER_32', line('btrl')],
    ['entry_INT80_32', line('_ASM_EXTABLE\\(.Lirq_return')],
    ['asm_exc_nmi', line('CHECK_AND_APPLY_ESPFIX')],
  ].map(([name, drop]) => ['return-state-on-32-bit', entry32, name, { drop }]),
  ['ist-gate-unfit', idt, null, { drop: /INTG\(X86_TRAP_GP,\s*asm_exc_general_protection\)/, by: 'ISTG(X86_TRAP_GP, asm_exc_general_protection, IST_INDEX_VC)' }],
  ['ist-required', idt, null, { drop: /ISTG\(X86_TRAP_NMI,\s*asm_exc_nmi, IST_INDEX_NMI\)/, by: 'INTG(X86_TRAP_NMI, asm_exc_nmi)' }],
  ['ist-gate-unfit', 'arch/x86/include/asm/idtentry.h', null, { drop: /DECLARE_IDTENTRY_ERRORCODE\(X86_TRAP_NP/, by: 'DECLARE_IDTENTRY_DF(X86_TRAP_NP' }],
  ['sysret-unchecked', entry, 'do_syscall_64', { drop: guard('regs->cs != __USER_CS'), since: '6.12' }],
  ['sysret-unchecked', entry, 'do_syscall_64', { drop: guard('X86_EFLAGS_RF'), since: '6.12' }],
  ['sysret-unchecked', entry, 'do_syscall_64', { drop: / \|\| regs->r11 != regs->flags/, since: '6.12' }],
  ['sysret-unchecked', entry, 'do_fast_syscall_32', { drop: guard('regs->ip != landing_pad'), since: '6.12' }],
  ['sysret-unchecked', entry, 'do_fast_syscall_32', { drop: /regs->ip == landing_pad &&\n\s*/, until: '6.1' }],
  ['sysret-unchecked', entry, 'do_fast_syscall_32', { drop: guard('X86_EFLAGS_RF'), since: '6.12' }],
  ['fmask-missing-bits', common, 'idt_syscall_init', { drop: /X86_EFLAGS_TF\|/, since: '6.12' }],
  ['fmask-missing-bits', common, 'idt_syscall_init', { drop: /X86_EFLAGS_IF\|/, since: '6.12' }],
  ['fmask-missing-bits', common, 'idt_syscall_init', { drop: /wrmsr[lq]\(MSR_SYSCALL_MASK,[^;]*;/, since: '6.12' }],
  ['syscall-gap-incomplete', 'arch/x86/include/asm/ptrace.h', 'ip_within_syscall_gap', { drop: /ret = ret \|\| \(regs->ip >= \(unsigned long\)entry_SYSRETQ_unsafe_stack[^;]*;/ }],
  ['syscall-gap-incomplete', 'arch/x86/include/asm/ptrace.h', 'ip_within_syscall_gap', { drop: /ret = ret \|\| \(regs->ip >= \(unsigned long\)entry_SYSRETL_compat_unsafe_stack[^;]*;/ }],
  ['syscall-gap-incomplete', 'arch/x86/include/asm/ptrace.h', 'ip_within_syscall_gap', { drop: /regs->ip <\s+\(unsigned long\)entry_SYSCALL_64_safe_stack/, by: 'regs->ip < (unsigned long)entry_SYSCALL_64' }],
  ['software-event-unverified', entry, 'do_int80_emulation', { drop: /^\tif \(unlikely\(int80_is_external\(\)\)\)\n[^;]*;\n/m }],
  ['software-event-unverified', sev, 'vc_handle_exitcode', { drop: /= vc_check_opcode_bytes\(ctxt, exit_code\)/, by: '= ES_OK', since: '6.12' }],
  ['irqs-on-in-entry', entry, '__do_fast_syscall_32', { drop: line('local_irq_disable') }],
  ['irqs-on-in-entry', traps, 'exc_virtualization_exception', { drop: line('cond_local_irq_disable') }],
  ['irqs-on-in-entry', traps, 'exc_alignment_check', { drop: line('local_irq_disable') }],
  ['irqs-on-in-entry', traps, 'exc_debug_user', { drop: line('local_irq_disable') }],
  ['irqs-on-in-entry', 'arch/x86/mm/fault.c', 'handle_page_fault', { drop: line('local_irq_disable') }, 1, 'do_user_addr_fault'],
  ['irqs-on-in-entry', traps, 'math_error', { drop: /cond_local_irq_enable\(regs\)/, by: 'local_irq_enable()' }],
  ['irqs-on-in-entry', traps, 'exc_virtualization_exception', { drop: /cond_local_irq_enable\(regs\)/, by: 'local_irq_enable()' }],
  ['irqs-on-in-entry', entry, 'do_int80_emulation', { drop: line('local_irq_enable'), since: '6.12' }],
  ['irqs-on-in-entry', [generic, 'include/linux/entry-common.h'], '(?:__syscall_exit_to_user_mode_work|syscall_exit_to_user_mode)', { drop: line('local_irq_disable'), since: '6.12', until: '6.12' }],
  ['irqs-on-in-entry', generic, '(?:__)?exit_to_user_mode_loop', { drop: line('ti_work = read_thread_flags') }],
  ['wrong-state-helper', traps, 'exc_int3', { drop: /^\tif \((?:smp_text_)?poke_int3_handler\(regs\)\)\n\t\treturn;\n/m }],
  ['frame-outside-stack', traps, 'sync_regs', { drop: /return regs;/, by: 'return eregs;' }],
  ['watchable-entry-word', breakpoint, 'arch_build_bp_info', { drop: /within_cpu_entry\(attr->bp_addr, bp_end\)/, by: 'within_cpu_entry(attr->bp_addr, attr->bp_addr)' }],
  ['wrong-state-helper', traps, 'exc_debug_kernel', { drop: /irqentry_nmi_enter/, by: 'irqentry_enter' }],
  ['wrong-state-helper', traps, 'exc_debug_user', { drop: line('irqentry_enter_from_user_mode') }],
  ['wrong-state-helper', nmi, 'exc_nmi', { swap: [line('irq_state = irqentry_nmi_enter'), /^\t\tdefault_do_nmi\(regs\);\n/m] }],
  ['enter-exit-mismatch', mce, 'exc_machine_check_user', { drop: line('irqentry_exit_to_user_mode') }],
  ['enter-exit-mismatch', 'arch/x86/mm/fault.c', 'exc_page_fault', { drop: line('irqentry_exit') }],
  ['enter-exit-mismatch', kvm, '__kvm_handle_async_pf', { drop: line('irqentry_exit') }],
  ['enter-exit-mismatch', entry, 'do_int80_emulation', { drop: /syscall_exit_to_user_mode\(regs\)/, by: 'irqentry_exit_to_user_mode(regs)' }],
  ['enter-exit-mismatch', generic, 'irqentry_exit_to_user_mode', { drop: line('\\texit_to_user_mode\\(\\)'), since: '6.12', until: '6.12' }],
  ['cr2-read-late', traps, 'exc_double_fault', { from: line('address = read_cr2'), to: line('instrumentation_begin\\(\\)') }],
  ['interrupted-state-sampled-late', generic, 'irqentry_nmi_enter', { swap: [line('lockdep_hardirqs_off'), line('ct_nmi_enter')] }],
  ['interrupted-state-sampled-late', [generic, 'include/linux/irq-entry-common.h'], '(?:irqentry_enter|irqentry_enter_from_kernel_mode)', { drop: /is_idle_task\(current\)/, by: '!rcu_is_watching()', since: '6.12', until: '6.12' }],
  ['interrupted-state-sampled-late', [generic, 'include/linux/irq-entry-common.h'], 'irqentry_nmi_exit', { drop: /irq_state\.lockdep/, by: 'lockdep_hardirqs_enabled()', since: '6.12', until: '6.12' }],
  ['interrupted-state-sampled-late', generic, 'irqentry_exit', { drop: /!regs_irqs_disabled\(regs\)/, by: 'true', since: '6.12', until: '6.12' }],
  ['interrupted-state-sampled-late', generic, 'irqentry_nmi_exit', { swap: [line('ct_nmi_exit'), line('__nmi_exit')] }],
  ['sleeping-in-atomic-exception', mce, 'do_machine_check', { drop: /SetPageHWPoison\(p\)/, by: 'memory_failure(pfn, 0)', since: '6.12' }],
  ['lock-in-nmi-like', nmi, 'default_do_nmi', { drop: /while \(!raw_spin_trylock\(&nmi_reason_lock\)\) \{[^}]*\}/, by: 'raw_spin_lock(&nmi_desc[0].lock);' }],
  ['schedule-on-rewinding-stack', mce, 'exc_machine_check_kernel', { drop: /^out:\n/m, by: 'out:\n\tpreempt_schedule_irq();\n', since: '6.12' }],
  ['wrong-deferral-mode', mce, 'do_machine_check', { drop: /SetPageHWPoison\(p\)/, by: 'force_sig(SIGBUS)', since: '6.12' }],
  ['raisable-access-inside-window', traps, 'exc_virtualization_exception', { drop: /^(\ttdx_get_ve_info)/m, by: '\tpr_debug("event\\n");\n$1' }],
  ['raisable-access-inside-window', tdx, 'tdx_get_ve_info', { drop: /^(\ttdcall)/m, by: '\tpr_debug("event\\n");\n$1', since: '6.12' }],
  ['one-slot-word-consumed-by-nested', kvm, '__kvm_handle_async_pf', { drop: guard('in_nmi'), since: '6.12' }],
  ['hand-over-word-not-cleared', kvm, 'sysvec_kvm_asyncpf_interrupt', { swap: [line('apf_reason.token, 0'), line('MSR_KVM_ASYNC_PF_ACK')] }],
  ['mmio-emulation-unchecked', tdx, 'handle_mmio', { drop: guard('user_mode') }],
  ['mmio-emulation-unchecked', tdx, 'handle_mmio', { drop: guard('vaddr / PAGE_SIZE') }],
  ['mmio-emulation-unchecked', sevShared, 'vc_ioio_exitinfo', { drop: /vc_ioio_check\(ctxt, \(u16\)port, size\)/, by: 'ES_OK' }],
  ['mmio-emulation-unchecked', sevShared, 'vc_insn_string_check', { drop: /user_mode\(ctxt->regs\) && fault_in_kernel_space\(address\)/, by: 'write' }],
  ['mmio-emulation-unchecked', sevShared, 'vc_insn_string_write', { drop: /ret = vc_insn_string_check\(ctxt, address, true\)/, by: 'ret = ES_OK' }],
  ['shared-page-not-guarded', sev, '__sev_get_ghcb', { drop: line('data->backup_ghcb_active = true') }],
  ['shared-page-not-guarded', sev, '__sev_get_ghcb', { drop: line('data->ghcb_active = true') }],
  ['shared-page-not-guarded', sev, '__sev_get_ghcb', { drop: line('\\*state->ghcb = \\*ghcb') }],
  ['shared-page-not-guarded', sev, '__sev_get_ghcb', { drop: /if \(unlikely\(data->backup_ghcb_active\)\)/, by: 'if (0)' }],
  ['enter-exit-mismatch', sev, '__sev_es_nmi_complete', { drop: line('__sev_put_ghcb') }],
  ['shared-page-not-guarded', sev, '__sev_put_ghcb', { drop: line('data->ghcb_active = false') }],
  ['shared-page-not-guarded', sev, '__sev_put_ghcb', { drop: line('\\*ghcb = \\*state->ghcb') }],
  ['fred-return-state-lost', 'arch/x86/mm/extable.c', 'ex_handler_eretu', { drop: line('uregs->fred_ss.nmi = 0'), since: '6.12' }],
  ['fred-return-state-lost', 'arch/x86/mm/extable.c', 'ex_handler_eretu', { drop: line('uregs->fred_cs.sl = 0'), since: '6.12' }],
  ['ist-assumption-under-fred', 'arch/x86/entry/entry_fred.c', 'fred_entry_from_kernel', { drop: /fred_exc_nmi/, by: 'exc_nmi', since: '6.12' }],
  ['ist-assumption-under-fred', 'arch/x86/kernel/fred.c', 'cpu_init_fred_rsps', { drop: /FRED_STKLVL\(X86_TRAP_NMI, FRED_NMI_STACK_LEVEL\) \|/, since: '6.12' }],
  ['buffer-clear-spoilt-on-32-bit', entry32, null, { drop: /^\tCLEAR_CPU_BUFFERS\n(?=\.Lirq_return)/m }],
  ['buffer-clear-spoilt-on-32-bit', entry32, null, { drop: /^(\tlss\s[^\n]*back to espfix[^\n]*\n)\tCLEAR_CPU_BUFFERS\n/m, by: '$1' }],
  ['buffer-clear-spoilt-on-32-bit', entry32, null, { drop: /^(\tRESTORE_REGS pop=4[^\n]*\n)(\tCLEAR_CPU_BUFFERS\n)/m, by: '$2$1' }],
  ['enter-exit-mismatch', entry, 'do_syscall_64', { drop: line('syscall_exit_to_user_mode'), since: '7.0' }],
  ['enter-exit-mismatch', entry, 'do_syscall_64', { drop: /syscall_enter_from_user_mode_randomize_stack\(regs, &nr\)/, by: 'nr', since: '7.0' }],
  ['irqs-on-in-entry', entry, '__do_fast_syscall_32', { swap: [line('enter_from_user_mode_randomize_stack'), line('local_irq_enable')], since: '7.0' }],
  ['enter-exit-mismatch', entry, '__do_fast_syscall_32', { drop: /^(\t\t)irqentry_exit_to_user_mode\(regs\)/m, by: '$1syscall_exit_to_user_mode(regs)', since: '7.0' }],
  // Entry code that may not be traced.
  ['instrumentable-call', mce, 'unexpected_machine_check', { from: line('instrumentation_end'), to: line('instrumentation_begin') }],
  ['instrumentable-call', traps, 'exc_double_fault', { swap: [/^\tinstrumentation_begin\(\);\n(?=\tnotify_die)/m, line('notify_die')] }],
  ['instrumentable-call', nmi, 'default_do_nmi', { drop: /noinstr /, since: '6.1' }, 1, 'exc_nmi'],
  ['instrumentable-call', sev, '__sev_es_ist_enter', { drop: /^\{\n/m, by: '{\n\tpr_info("enter\\n");\n' }],
  ['enter-exit-mismatch', 'arch/x86/mm/fault.c', 'exc_page_fault', { drop: line('instrumentation_end') }],
  ['enter-exit-mismatch', traps, 'handle_bug', { drop: line('instrumentation_begin') }],
  ['wrong-state-helper', sev, '(?:kernel_)?exc_vmm_communication', { drop: /^\tif \(vc_is_db\(error_code\)\) \{[^}]*\}\n/m }, 1, 'exc_vmm_communication'],
  ['wrong-state-helper', sev, 'exc_vmm_communication', { drop: /vc_is_db\(error_code\)/, by: 'error_code == 0x400', until: '6.12' }, 2],
  // #VC and #VE.
  ['shared-page-not-guarded', sev, '__sev_get_ghcb', { swap: [line('data->backup_ghcb_active = true'), line('\\*state->ghcb = \\*ghcb')] }],
  ['shared-page-not-guarded', sev, '__sev_put_ghcb', { drop: line('vc_ghcb_invalidate') }],
  ['shared-page-not-guarded', sev, '__sev_put_ghcb', { swap: [line('vc_ghcb_invalidate'), line('data->ghcb_active = false')] }],
  ['shared-page-not-guarded', sev, '__sev_es_nmi_complete', { drop: line('vc_ghcb_invalidate') }],
  ['shared-page-not-guarded', sev, '__sev_es_nmi_complete', { drop: line('sev_es_wr_ghcb_msr') }],
  ['shared-page-not-guarded', sevShared, 'sev_es_ghcb_hv_call', { drop: line('sev_es_wr_ghcb_msr'), since: '6.12' }],
  ['event-emulation-unfit', tdx, 'handle_cpuid', { drop: /if \((__tdx_hypercall\([^;]*?\))\)\n\t\treturn -EIO;/, by: '$1;' }],
  ['event-emulation-unfit', tdx, 'write_msr', { drop: /if \((__tdx_hypercall\([^;]*?\))\)\n\t\treturn -EIO;/, by: '$1;' }],
  ['event-emulation-unfit', tdx, 'handle_in', { drop: /success = !(__tdx_hypercall)/, by: 'success = true;\n\t$1' }],
  ['event-emulation-unfit', tdx, 'handle_mmio', { drop: /return insn\.length;(?![^]*return insn\.length;)/, by: 'return ve->instr_len;' }],
  ['event-emulation-unfit', tdx, 've_instr_len', { drop: /^\t\tWARN_ONCE\(1, "ve->instr_len[^;]*;\n\t\treturn 0;\n/m }],
  ['event-emulation-unfit', traps, 'exc_virtualization_exception', { drop: /if \(!(tdx_handle_virt_exception\([^)]*\))\)\n[^;]*;/, by: 'if (!$1)\n\t\tve.gla = 0;' }],
  ['event-emulation-unfit', sev, '(?:kernel_)?exc_vmm_communication', { drop: /sev_es_terminate\([^;]*;[^}]*panic\([^;]*;\n/ }, 1, 'exc_vmm_communication'],
  ['event-emulation-unfit', sev, 'vc_handle_rdpmc', { drop: /^\tif \(ret != ES_OK\)\n[^;]*;\n/m }],
  ['event-emulation-unfit', sevShared, 'vc_handle_cpuid', { drop: /^\tif \(ret != ES_OK\)\n[^;]*;\n/m }],
  ['handler-of-other-origin', tdx, 'tdx_handle_virt_exception', { drop: /user_mode\(regs\)/, by: 've->exit_reason' }],
  ['handler-of-other-origin', tdx, 'tdx_handle_virt_exception', { drop: /user_mode\(regs\)/, by: '!user_mode(regs)' }],
  // FRED, #MC, #DB and system calls.
  ['fred-return-state-lost', 'arch/x86/kernel/process_64.c', 'start_thread_common', { drop: line('fred_ss\\.nmi'), since: '6.12' }],
  ['fred-return-state-lost', 'arch/x86/kernel/process_64.c', 'start_thread_common', { drop: line('fred_ss\\.swevent'), since: '6.12' }],
  ['fred-return-state-lost', 'arch/x86/mm/extable.c', 'ex_handler_eretu', { drop: line('fred_info\\(uregs\\)->edata'), since: '6.12' }],
  ['software-event-unverified', 'arch/x86/entry/entry_fred.c', 'fred_other', { drop: / && regs->fred_ss\.lm?\)/, by: ')', since: '6.12' }],
  ['software-event-unverified', 'arch/x86/entry/entry_fred.c', 'fred_other', { drop: / && !regs->fred_ss\.lm?\)/, by: ')', since: '6.12' }],
  ['wrong-deferral-mode', mce, 'do_machine_check', { drop: /queue_task_work\(&?\w+, msg, kill_me_maybe\)/, by: 'kill_me_maybe(&current->mce_kill_me)' }],
  ['task-work-queued-twice', mce, 'queue_task_work', { drop: /if \(count == 1\)/, by: 'if (count)' }],
  ['block-step-lost', traps, 'exc_debug_kernel', { drop: line('debugctl \\|= DEBUGCTLMSR_BTF') }],
  ['block-step-lost', traps, 'exc_debug_kernel', { drop: /test_thread_flag\(TIF_BLOCKSTEP\)/, by: 'regs->flags' }],
  ['block-step-lost', traps, 'exc_debug_user', { drop: line('clear_thread_flag\\(TIF_BLOCKSTEP') }],
  // Other functions, other places and other ways to write it.
  ['iret-in-nmi-needs-nesting', nmi, 'exc_nmi', { drop: line('this_cpu_write\\(nmi_state, NMI_LATCHED') }],
  ['iret-in-nmi-needs-nesting', nmi, 'exc_nmi', { drop: line('this_cpu_write\\(nmi_state, NMI_EXECUTING') }],
  ['iret-in-nmi-needs-nesting', nmi, 'exc_nmi', { drop: /if \(this_cpu_dec_return\(nmi_state\)\)\n\t\tgoto nmi_restart;/, by: 'this_cpu_write(nmi_state, NMI_NOT_RUNNING);' }],
  ['ist-required', idt, null, { drop: /ISTG\(X86_TRAP_VC,\s*asm_exc_vmm_communication, IST_INDEX_VC\)/, by: 'INTG(X86_TRAP_VC, asm_exc_vmm_communication)' }],
  ['task-work-queued-twice', mce, 'queue_task_work', { drop: /if \(count > 1\)\n\t\treturn;\n/, by: '' }],
  ['unbounded-mc-retry', mce, 'queue_task_work', { drop: /count > 10/, by: 'count < 0' }],
  ['recovery-without-ripv-eipv', mce, 'do_machine_check', { drop: /if \((m\.|m->)kflags & MCE_IN_KERNEL_RECOV\) \{/, by: 'if ($1kflags) {' }],
  ['work-after-mcip-clear', mce, 'do_machine_check', { drop: /^(\tif \(taint\))/m, by: '\tif (no_way_out)\n\t\treturn;\n$1' }],
  ['dr6-read-late', traps, 'exc_debug', { drop: /exc_debug_kernel\(regs, debug_read_reset_dr6\(\)\)/, by: 'irqentry_state_t early = irqentry_nmi_enter(regs);\n\n\tirqentry_nmi_exit(regs, early);\n\texc_debug_kernel(regs, debug_read_reset_dr6())', since: '6.12' }],
  ['nmi-complete-missing', nmi, 'exc_nmi', { drop: line('sev_es_nmi_complete') }],
  ['hand-over-word-not-cleared', kvm, 'kvm_read_and_reset_apf_flags', { drop: line('apf_reason.flags, 0') }],
  ['mmio-emulation-unchecked', tdx, 'handle_mmio', { drop: /WARN_ON_ONCE\(user_mode\(regs\)\)/, by: 'regs->flags & X86_EFLAGS_VM' }],
  ['shared-page-not-guarded', sev, '__sev_get_ghcb', { drop: /if \(unlikely\(data->ghcb_active\)\)/, by: 'if (!data->ghcb_active)' }],
  ['sysret-unchecked', entry, 'do_syscall_64', { drop: /regs->ip >= TASK_SIZE_MAX/, by: 'regs->ip > ULONG_MAX', since: '6.12' }],
  ['software-event-unverified', entry, 'do_int80_emulation', { drop: /^(\tif \(unlikely\(int80_is_external)/m, by: '\traw_local_irq_enable();\n$1' }],
  ['syscall-gap-incomplete', 'arch/x86/include/asm/ptrace.h', 'ip_within_syscall_gap', { drop: /regs->ip >= \(unsigned long\)entry_SYSCALL_64 &&/, by: 'regs->ip > (unsigned long)entry_SYSCALL_64 &&' }],
  ['ist-shift-not-unwound', sev, '__sev_es_ist_exit', { drop: line('this_cpu_write') }],
  ['ist-shift-not-unwound', sev, '__sev_es_ist_enter', { drop: /new_ist = regs->sp;/, by: ';' }],
  ['wrong-state-helper', traps, 'exc_int3', { drop: /irqentry_nmi_(enter|exit)/g, by: 'irqentry_$1' }],
  ['wrong-state-helper', traps, 'exc_double_fault', { drop: /irqentry_nmi_enter/, by: 'irqentry_enter' }],
  ['wrong-state-helper', mce, 'exc_machine_check_kernel', { drop: line('irqentry_nmi_enter') }],
  ['wrong-state-helper', mce, 'exc_machine_check_user', { swap: [line('irqentry_enter_from_user_mode'), line('do_machine_check')] }],
  ['wrong-state-helper', sev, '(?:kernel_|user_)?exc_vmm_communication', { drop: /irqentry_nmi_(enter|exit)/g, by: 'irqentry_$1' }],
  ['wrong-state-helper', sev, '(?:kernel_|user_)?exc_vmm_communication', { drop: line('irqentry_enter_from_user_mode') }, 2],
  ['dr7-live-in-nmi-like', mce, 'exc_machine_check_kernel', { drop: /goto out;/, by: 'return;', since: '6.12' }],
  ['enter-exit-mismatch', traps, 'exc_int3', { drop: line('irqentry_exit_to_user_mode') }],
  ['enter-exit-mismatch', traps, 'exc_int3', { drop: /irqentry_nmi_exit/, by: 'irqentry_exit' }],
  ['dr7-live-in-nmi-like', nmi, 'exc_nmi', { drop: /^(\tlocal_db_restore)/m, by: '\tif (!ignore_nmis)\n\t$1' }],
  ['enter-exit-mismatch', sev, '(?:kernel_|user_)?exc_vmm_communication', { drop: line('irqentry_nmi_exit') }],
  ['dr7-live-in-nmi-like', mce, 'exc_machine_check_kernel', { swap: [line('dr7 = local_db_save'), line('irq_state = irqentry_nmi_enter')], since: '6.12' }],
  ['dr7-live-in-nmi-like', traps, 'exc_debug_kernel', { drop: /local_db_save\(\)/, by: '0' }],
  ['unsafe-switch-off-ist', traps, 'vc_switch_off_ist', { drop: /if \(ip_within_syscall_gap\(regs\)\)([\s\S]*?)\*regs_ret = \*regs;/, by: 'if (0)$1__memcpy(regs_ret, regs, sizeof(*regs));' }],
  ['ist-shift-not-unwound', nmi, 'exc_nmi', { swap: [line('local_db_restore'), line('sev_es_ist_exit')] }],
  ['cr2-not-preserved', nmi, 'exc_nmi', { from: line('this_cpu_write\\(nmi_cr2'), to: line('irqentry_nmi_exit') }],
  ['cr2-not-preserved', nmi, 'exc_nmi', { drop: line('this_cpu_write\\(nmi_cr2'), since: '6.12' }, 2],
  ['cr2-read-late', 'arch/x86/mm/fault.c', 'exc_page_fault', { from: line('address = '), to: line('state = irqentry_enter') }],
  ['cr2-read-late', 'arch/x86/mm/fault.c', 'exc_page_fault', { drop: /handle_page_fault\(regs, error_code, address\)/, by: 'handle_page_fault(regs, error_code, native_read_cr2())' }],
  ['wrong-deferral-mode', nmi, 'io_check_error', { drop: /udelay\(100\)/, by: 'send_sig(SIGBUS, current, 1)' }],
  ['wrong-deferral-mode', mce, 'queue_task_work', { drop: /TWA_RESUME/, by: 'TWA_SIGNAL' }],
  ['sleeping-in-atomic-exception', nmi, 'io_check_error', { drop: /udelay\(100\)/, by: 'msleep(100)' }],
  ['sleeping-in-atomic-exception', nmi, 'pci_serr_error', { drop: /^(\tpr_emerg)/m, by: '\tmutex_lock(&nmi_mutex);\n$1' }],
  ['sleeping-in-atomic-exception', traps, 'exc_debug_kernel', { drop: /^(\tif \(!dr6\))/m, by: '\tkzalloc(sizeof(*regs), GFP_KERNEL);\n$1' }],
  ['lock-in-nmi-like', nmi, 'nmi_handle', { drop: /^\trcu_read_lock\(\);/m, by: '\tspin_lock(&desc->lock);' }],
  ['lock-in-nmi-like', traps, 'exc_debug_kernel', { drop: /^(\tif \(!dr6\))/m, by: '\traw_spin_lock(&current->pi_lock);\n$1' }],
  ['nmi-user-access-not-nofault', nmi, 'default_do_nmi', { drop: /^(\tinstrumentation_begin\(\);\n)/m, by: '$1\tif (__copy_from_user_inatomic(&reason, (void __user *)regs->sp, 1))\n\t\tb2b = false;\n' }],
  ['schedule-on-rewinding-stack', traps, 'exc_debug_kernel', { drop: /^(\tlocal_db_restore)/m, by: '\tif (need_resched())\n\t\tschedule();\n$1' }],
  ['irqs-on-in-entry', traps, 'handle_bug', { drop: line('raw_local_irq_disable') }],
  ['irqs-on-in-entry', traps, 'exc_general_protection', { drop: line('cond_local_irq_disable') }],
  ['irqs-on-in-entry', traps, 'do_error_trap', { drop: line('cond_local_irq_disable') }],
  ['irqs-on-in-entry', traps, 'exc_debug_kernel', { drop: /^(\tif \(!dr6\))/m, by: '\tlocal_irq_enable();\n$1' }],
  ['hand-over-word-not-cleared', kvm, 'sysvec_kvm_asyncpf_interrupt', { drop: line('apf_reason.token, 0') }],
  ['one-slot-word-consumed-by-nested', kvm, '__kvm_handle_async_pf', { drop: /!kvm_apf_reason_pending\(\)/, by: '!kvm_read_and_reset_apf_flags()', since: '6.12' }, 1, 'kvm_read_and_reset_apf_flags'],
  ['raisable-access-inside-window', traps, 'exc_virtualization_exception', { drop: /^(\ttdx_get_ve_info)/m, by: '\tve.gla = cpuid_eax(1);\n$1' }],
  ['raisable-access-inside-window', traps, 'exc_virtualization_exception', { swap: [line('tdx_get_ve_info'), line('cond_local_irq_enable')] }],
  ['mmio-emulation-unchecked', tdx, 'handle_mmio', { drop: /if \(!fault_in_kernel_space\(ve->gla\)\)/, by: 'if (!ve->gla)' }],
  ['mmio-emulation-unchecked', tdx, 'virt_exception_kernel', { drop: /if \(is_private_gpa\(ve->gpa\)\)/, by: 'if (!ve->gpa)', since: '6.12' }],
  ['ist-on-user-reachable-trap', idt, null, { drop: /SYSG\(X86_TRAP_BP,\s*asm_exc_int3\),\n(?=#ifdef CONFIG_X86_32)|SYSG\(X86_TRAP_BP,\s*asm_exc_int3\),/, by: 'ISTG(X86_TRAP_BP, asm_exc_int3, IST_INDEX_DB),\n' }],
  ['ist-on-user-reachable-trap', idt, null, { drop: /SYSG\(X86_TRAP_OF,\s*asm_exc_overflow\)/, by: 'G(X86_TRAP_OF, asm_exc_overflow, IST_INDEX_NMI + 1, GATE_INTERRUPT, DPL3, __KERNEL_CS)' }],
  ['ist-stack-shared', idt, null, { drop: /(ISTG\(X86_TRAP_MC,\s*asm_exc_machine_check, )IST_INDEX_MCE/, by: '$1IST_INDEX_NMI' }],
  ['ist-required', idt, null, { drop: /ISTG\(X86_TRAP_DB,\s*asm_exc_debug, IST_INDEX_DB\)/, by: 'INTG(X86_TRAP_DB, asm_exc_debug)' }],
  ['ist-required', idt, null, { drop: /ISTG\(X86_TRAP_DF,\s*asm_exc_double_fault, IST_INDEX_DF\)/, by: 'INTG(X86_TRAP_DF, asm_exc_double_fault)' }],
  ['ist-gate-unfit', idt, null, { drop: /INTG\(X86_TRAP_SS,\s*asm_exc_stack_segment\)/, by: 'ISTG(X86_TRAP_SS, asm_exc_stack_segment, IST_INDEX_DF)' }],
  ['ist-gate-unfit', 'arch/x86/include/asm/idtentry.h', null, { drop: /DECLARE_IDTENTRY_MCE\(X86_TRAP_MC/, by: 'DECLARE_IDTENTRY_RAW(X86_TRAP_MC' }],
  ['instrumentable-before-state', nmi, 'exc_nmi', { drop: /^(\tirq_state = irqentry_nmi_enter)/m, by: '\ttrace_nmi_entered(regs);\n$1' }],
  ['instrumentable-before-state', traps, 'exc_int3', { drop: /^(\tif \(user_mode\(regs\)\) \{)/m, by: '\tpr_debug("event at %lx\\n", regs->ip);\n$1' }],
  ['edge-coalescing-ignored', nmi, 'default_do_nmi', { drop: /handled = nmi_handle\(NMI_LOCAL, regs\);/, by: 'if (perf_source(regs))\n\t\treturn;\n\tif (watchdog_source(regs))\n\t\treturn;\n\thandled = nmi_handle(NMI_LOCAL, regs);' }],
  ['fred-return-state-lost', 'arch/x86/entry/entry_fred.c', 'fred_intx', { drop: line('swevent = 0'), since: '6.12' }],
  ['iret-in-nmi-needs-nesting', nmi, 'exc_nmi', { drop: /^\tif \(this_cpu_read\(nmi_state\)[^}]*\}\n/m }],
  ['recovery-without-ripv-eipv', mce, 'mce_check_crashing_cpu', { drop: /if \(mcgstatus & MCG_STATUS_RIPV\) \{/, by: '{' }],
  ['hand-over-word-not-cleared', kvm, '__kvm_handle_async_pf', { from: line('= kvm_read_and_reset_apf_flags'), to: /^\tstate = irqentry_enter\(regs\);\n/m, since: '6.12' }],
  ['wrong-state-helper', sev, '(?:kernel_|user_)?exc_vmm_communication', { drop: /noist_exc_debug\(regs\)/, by: 'exc_debug(regs)' }, 2],
  ['software-event-unverified', entry, 'do_int80_emulation', { drop: /^\tif \(unlikely\(!user_mode\(regs\)\)\) \{[^}]*\}\n/m, since: '6.12' }],
  ['schedule-on-rewinding-stack', generic, 'raw_irqentry_exit_cond_resched', { drop: /if \(!preempt_count\(\)\)/, by: '' }],
  ['irqs-on-in-entry', generic, '_*exit_to_user_mode_loop', { drop: line('local_irq_disable\\w*\\(\\)') }],
  ['enter-exit-mismatch', generic, 'irqentry_nmi_exit', { drop: line('ct_nmi_exit') }],
  ['enter-exit-mismatch', generic, 'irqentry_nmi_enter', { drop: line('__nmi_enter') }],
  ['dr7-live-in-nmi-like', 'arch/x86/include/asm/debugreg.h', 'local_db_save', { drop: line('set_debugreg') }],
  ['software-event-unverified', idt, null, { drop: /INTG(\(X86_TRAP_GP,\s*asm_exc_general_protection\))/, by: 'SYSG$1' }],
  ['software-event-unverified', idt, null, { drop: /(G\(_vector, _addr, DEFAULT_STACK, GATE_INTERRUPT, )DPL0/, by: '$1DPL3' }],
  ['irqs-on-in-entry', idt, null, { drop: /(G\(_vector, _addr, DEFAULT_STACK, )GATE_INTERRUPT, DPL0/, by: '$1GATE_TRAP, DPL0' }],
  ['irqs-on-in-entry', idt, null, { drop: /INTG\(X86_TRAP_UD,\s*asm_exc_invalid_op\)/, by: 'G(X86_TRAP_UD, asm_exc_invalid_op, DEFAULT_STACK, GATE_TRAP, DPL0, __KERNEL_CS)' }],
  ['ist-required', idt, null, { drop: /_ist \+ 1, GATE_INTERRUPT/, by: '_ist, GATE_INTERRUPT' }],
  ['ist-required', common, 'tss_setup_ist', { drop: line('IST_INDEX_MCE') }],
  ['ist-stack-shared', common, 'tss_setup_ist', { drop: /ist_top_va\(NMI\)/, by: 'ist_top_va(DB)' }],
  ['enter-exit-mismatch', 'arch/x86/include/asm/idtentry.h', null, { drop: /^\tirqentry_exit\(regs, state\);[^\n]*\n/m }],
  ['wrong-state-helper', 'arch/x86/include/asm/idtentry.h', null, { drop: /(\tirqentry_state_t state) = irqentry_enter\(regs\);([^\n]*\n[^]*?)(\t__##func \(regs\);[^\n]*\n)/, by: '$1;$2$3\tstate = irqentry_enter(regs);\\\n' }],
  ['enter-exit-mismatch', entry, 'do_int80_emulation', { drop: /syscall_enter_from_user_mode_work/, by: 'syscall_enter_from_user_mode', since: '6.12' }],
  ['enter-exit-mismatch', nmi, 'default_do_nmi', { drop: /^(\t\t__this_cpu_add\(nmi_stats\.external, 1\);\n)\t\traw_spin_unlock\(&nmi_reason_lock\);\n/m, by: '$1' }],
  ['enter-exit-mismatch', kvm, 'sysvec_kvm_asyncpf_interrupt', { drop: line('set_irq_regs\\(old_regs\\)') }],
  ['wrong-state-helper', 'arch/x86/entry/entry_fred.c', 'fred_extint', { drop: /irqentry_enter\(regs\)/, by: '{}', since: '6.12' }],
  ['fred-return-state-lost', 'arch/x86/mm/extable.c', 'ex_handler_eretu', { drop: line('uregs->cs = cs'), since: '6.12' }],
  ['unbounded-mc-retry', mce, 'do_machine_check', { drop: /if \(!(fixup_exception\(regs, X86_TRAP_MC, 0, 0\))\)\n[^;]*;/, by: '$1;' }],
  ['unbounded-mc-retry', mce, 'mce_end', { drop: /if \(mce_timed_out\([^;]*;\n/ }],
  ['interrupted-state-sampled-late', [generic, 'include/linux/irq-entry-common.h'], '(?:irqentry_enter|irqentry_enter_from_kernel_mode)', { swap: [line('\\tct_irq_enter\\(\\);'), line('instrumentation_begin\\(\\)')] }],
  ['interrupted-state-sampled-late', generic, 'irqentry_exit', { drop: line('return;'), until: '6.12' }],
  ['interrupted-state-sampled-late', generic, 'syscall_exit_to_user_mode', { swap: [line('instrumentation_end\\(\\)'), line('\\texit_to_user_mode\\(\\)')], since: '6.12', until: '6.12' }],
  ['interrupted-state-sampled-late', generic, 'syscall_trace_enter', { drop: /(\tif \(work & \(SYSCALL_WORK_SYSCALL_TRACE[^}]*\}\n)([^}]*SYSCALL_WORK_SECCOMP[^}]*\}\n)/, by: '$2$1', until: '6.12' }],
  ['irqs-on-in-entry', generic, '_*exit_to_user_mode_loop', { drop: line('local_irq_enable\\w*\\(') }],
  ['irqs-on-in-entry', traps, 'exc_debug_user', { drop: /^\tif \(notify_debug\(regs, &dr6\)\)\n\t\tgoto out;\n/m, by: '\tlocal_irq_enable();\n\tif (notify_debug(regs, &dr6))\n\t\tgoto out_irq;\n' }],
  ['irqs-on-in-entry', sev, '(?:kernel_|user_)?exc_vmm_communication', { drop: /^(\tif \(!vc_raw_handle_exception)/m, by: '\tlocal_irq_enable();\n$1' }, 2],
  ['cpu-state-restored-after-migration', traps, 'handle_xfd_event', { from: line('wrmsr[lq]\\(MSR_IA32_XFD_ERR, 0\\)'), to: line('local_irq_enable') }],
  ['dr6-read-late', traps, 'debug_read_reset_dr6', { drop: /set_debugreg\(DR6_RESERVED, 6\)/, by: 'set_debugreg(0, 6)', since: '6.12' }],
  ['dr7-live-in-nmi-like', breakpoint, 'arch_install_hw_breakpoint', { from: line('\\*dr7 \\|= encode_dr7'), to: line('set_debugreg\\(\\*dr7, 7\\)') }],
  ['dr7-live-in-nmi-like', breakpoint, 'arch_uninstall_hw_breakpoint', { from: line('this_cpu_write\\(cpu_dr7'), to: line('set_debugreg\\(dr7, 7\\)'), before: true }],
  ['dr7-access-reordered', 'arch/x86/include/asm/debugreg.h', 'local_db_restore', { drop: line('barrier\\(\\)') }],
  ['dr7-access-reordered', 'arch/x86/include/asm/debugreg.h', 'local_db_save', { drop: line('barrier\\(\\)') }],
  ['nmi-user-access-not-nofault', 'arch/x86/mm/tlb.c', 'nmi_uaccess_okay', { drop: guard('loaded_mm != current_mm') }],
  ['nmi-user-access-not-nofault', 'arch/x86/mm/tlb.c', 'switch_mm_irqs_off', { drop: line('LOADED_MM_SWITCHING\\);') }],
  ['msr-fault-in-machine-check', mce, 'mce_check_crashing_cpu', { drop: /mcgstatus = \w+\(MSR_IA32_MCG_STATUS\)/, by: 'rdmsrl(MSR_IA32_MCG_STATUS, mcgstatus)', since: '6.12' }],
  ['msr-fault-in-machine-check', 'arch/x86/mm/extable.c', 'fixup_exception', { drop: /ex_handler_msr_mce\(regs, false\);\n\t\tbreak/, by: 'return ex_handler_msr(e, regs, false, false, reg)' }],
  ['shared-page-not-guarded', sev, '__sev_put_ghcb', { swap: [line('\\*ghcb = \\*state->ghcb'), line('backup_ghcb_active = false')] }],
  ['shared-page-not-guarded', sev, 'vc_raw_handle_exception', { from: line('__sev_put_ghcb'), to: line('vc_forward_exception') }],
  ['mmio-emulation-unchecked', tdx, 'handle_cpuid', { drop: /regs->ax < 0x40000000 \|\| /, by: '' }],
  ['mmio-emulation-unchecked', tdx, 'virt_exception_user', { drop: /^(\tdefault:)/m, by: '\tcase EXIT_REASON_MSR_READ:\n\t\treturn read_msr(regs, ve);\n$1' }],
  ['mmio-emulation-unchecked', tdx, 'tdx_handle_virt_exception', { drop: /^\tif \(insn_len < 0\)\n[^;]*;\n/m }],
  ['ist-shift-not-unwound', sev, '__sev_es_ist_enter', { drop: line('new_ist -= sizeof') }],
  ['unsafe-switch-off-ist', sev, '(?:kernel_|user_)?exc_vmm_communication', { drop: /^\tif \(unlikely\(vc_from_invalid_context[^}]*\}\n/m }],
  ['cr4-bit-after-events', common, 'cpu_init_exception_handling', { swap: [line('set_tss_desc'), line('load_TR_desc')] }],
  ['cr4-bit-after-events', traps, 'trap_init', { from: line('\\tcpu_init_exception_handling'), to: line('\\tidt_setup_traps') }],
  ['cr4-bit-after-events', traps, 'trap_init', { from: line('\\tsetup_cpu_entry_areas'), to: line('\\tcpu_init_exception_handling') }],
  ['cr2-not-preserved', nmi, null, { drop: /static DEFINE_PER_CPU\(unsigned long, nmi_dr7\);([^]*?)this_cpu_write\(nmi_dr7, local_db_save\(\)\)/, by: 'static unsigned long nmi_dr7;$1nmi_dr7 = local_db_save()' }, 1, 'exc_nmi'],
  ['entry-register-unfit', common, 'idt_syscall_init', { drop: /entry_SYSCALL_64\b/, by: 'entry_SYSCALL_compat', since: '6.12' }],
  ['entry-register-unfit', common, 'idt_syscall_init', { drop: /entry_SYSCALL_compat/, by: 'entry_SYSCALL_64', since: '6.12' }],
  ['entry-register-unfit', common, 'idt_syscall_init', { drop: /wrmsr[lq]_safe\(MSR_IA32_SYSENTER_ESP,\s*\(unsigned long\)[^;]*;/, by: ';', since: '6.12' }],
  ['entry-register-unfit', common, 'syscall_init', { drop: /__USER32_CS/, by: '__USER_CS' }],
  ['entry-register-unfit', common, 'cpu_init', { drop: /\(unsigned long\)\(cpu_entry_stack\(cpu\) \+ 1\)/, by: 'current_top_of_stack()' }],
  ['entry-register-unfit', 'arch/x86/kernel/fred.c', 'cpu_init_fred_exceptions', { drop: line('loadsegment\\(ss'), since: '6.12' }],
  ['entry-register-unfit', 'arch/x86/kernel/fred.c', 'cpu_init_fred_exceptions', { drop: line('MSR_IA32_FRED_RSP0'), since: '6.12' }],
  ['entry-register-unfit', 'arch/x86/kernel/process_64.c', '__switch_to', { drop: line('top_of_stack, task_top_of_stack') }],
  ['entry-register-unfit', 'arch/x86/include/asm/entry-common.h', 'arch_exit_to_user_mode_prepare', { drop: line('fred_update_rsp0'), since: '6.12' }],
  ['entry-memory-unmapped', 'arch/x86/mm/cpu_entry_area.c', 'percpu_setup_exception_stacks', { drop: line('cea_map_stack\\(MCE\\)') }],
  ['entry-memory-unmapped', 'arch/x86/mm/cpu_entry_area.c', 'setup_cpu_entry_area', { drop: /(entry_stack_storage, cpu\), 1,\s*PAGE_KERNEL)/, by: '$1_RO' }],
  ['entry-memory-unmapped', 'arch/x86/mm/pti.c', 'pti_init', { drop: line('\\tpti_clone_entry_text\\(') }],
  ['entry-memory-unmapped', 'arch/x86/mm/pti.c', 'pti_clone_user_shared', { drop: line('CPU_ENTRY_AREA_BASE') }],
  ['entry-memory-unmapped', 'arch/x86/mm/pti.c', 'pti_clone_user_shared', { drop: line('\\*target_pte = pfn_pte') }],
  ['entry-memory-unmapped', 'arch/x86/kernel/dumpstack_64.c', null, { drop: line('\\tEPAGERANGE\\(DB\\)') }],
  ['entry-memory-unmapped', 'arch/x86/include/asm/cpu_entry_area.h', null, { drop: line('DB_stack_guard\\[guardsize\\]') }],
  ['pushed-number-misread', 'arch/x86/entry/entry_fred.c', 'fred_entry_from_user', { drop: line('regs->orig_ax = -1'), since: '6.12' }],
  ['pushed-number-misread', 'arch/x86/entry/entry_fred.c', 'fred_other', { swap: [line('regs->orig_ax = regs->ax'), line('regs->ax = -ENOSYS')], since: '6.12' }],
  ['pushed-number-misread', entry, 'do_int80_emulation', { drop: line('regs->ax = -ENOSYS'), since: '6.12' }],
  ['pushed-number-misread', 'arch/x86/include/asm/idtentry.h', null, { drop: /\(u8\)error_code/, by: 'error_code' }],
  ['index-not-masked', entry, 'do_syscall_x64', { drop: line('array_index_nospec') }],
  ['index-not-masked', entry, 'do_syscall_32_irqs_on', { drop: line('array_index_nospec') }],
  ['index-not-masked', 'arch/x86/entry/entry_fred.c', 'fred_extint', { drop: /array_index_nospec\(vector - FIRST_SYSTEM_VECTOR,\s*NR_SYSTEM_VECTORS\)/, by: 'vector - FIRST_SYSTEM_VECTOR', since: '6.12' }],
  ['gs-swapped-in-c', 'arch/x86/kernel/process_64.c', '__rdgsbase_inactive', { drop: /(gsbase = rdgsbase\(\);\n)\t\tnative_swapgs\(\);\n/, by: '$1' }],
  ['gs-swapped-in-c', 'arch/x86/kernel/process_64.c', '__wrgsbase_inactive', { drop: /^(\t\twrgsbase)/m, by: '\t\tthis_cpu_inc(gs_writes);\n$1' }],
  ['gs-swapped-in-c', 'arch/x86/kernel/process_64.c', 'x86_gsbase_write_cpu_inactive', { drop: line('local_irq_save') }],
  ['interrupt-not-acknowledged', kvm, 'sysvec_kvm_asyncpf_interrupt', { drop: line('(?:apic_eoi|ack_APIC_irq)\\(\\)') }],
  ['interrupt-not-acknowledged', 'arch/x86/kernel/irq_work.c', 'sysvec_irq_work', { drop: line('(?:apic_eoi|ack_APIC_irq)\\(\\)') }],
  ['interrupt-not-acknowledged', 'arch/x86/kernel/apic/apic.c', 'sysvec_apic_timer_interrupt', { drop: line('(?:apic_eoi|ack_APIC_irq)\\(\\)') }],
  ['frame-outside-stack', traps, 'sync_regs', { drop: / - 1;/, by: ';' }],
  ['frame-outside-stack', traps, 'vc_switch_off_ist', { drop: / - sizeof\(\*regs_ret\)/, since: '6.1' }],
  ['frame-outside-stack', traps, 'fixup_bad_iret', { drop: /5\*8/, by: '4*8' }],
  ['frame-outside-stack', traps, 'exc_double_fault', { drop: /regs->cs == __KERNEL_CS &&/ }],
  ['irq-stack-reused', 'arch/x86/include/asm/irq_stack.h', null, { drop: / \|\| __this_cpu_read\((?:pcpu_hot\.)?hardirq_stack_inuse\)/ }],
  ['irq-stack-reused', 'arch/x86/include/asm/irq_stack.h', null, { drop: line('hardirq_stack_inuse, true') }],
  ['kernel-fault-unasked', 'arch/x86/mm/fault.c', 'do_user_addr_fault', { drop: /!\(error_code & X86_PF_USER\) &&\s*!\(regs->flags & X86_EFLAGS_AC\)/, by: '!error_code' }],
  ['kernel-fault-unasked', 'arch/x86/mm/fault.c', 'do_user_addr_fault', { drop: /(fault_signal_pending\(fault, regs\)\) \{[^}]*?)if \(!user_mode\(regs\)\)\s*kernelmode_fixup_or_oops\([^;]*;/, by: '$1' }],
  ['wakeup-lost-at-halt', 'arch/x86/include/asm/irqflags.h', 'native_safe_halt', { drop: /asm volatile\("sti; hlt"/, by: 'native_irq_enable();\n\tasm volatile("hlt"' }],
  ['wakeup-lost-at-halt', tdx, '(?:__cpuidle )?tdx_safe_halt', { drop: /^(\ttdx_halt\(\);)([^]*?)(\traw_local_irq_enable\(\);)/m, by: '$3$2$1', since: '6.12' }],
  ['user-rsp-trusted', sev, 'on_vc_stack', { drop: /\(sp >= __this_cpu_ist_bottom_va\(VC\)\) && /, by: '' }],
  ['irqs-on-in-entry', generic, '_*exit_to_user_mode_loop', { drop: /while \(ti_work & EXIT_TO_USER_MODE_WORK\)/, by: 'if (ti_work & EXIT_TO_USER_MODE_WORK)', until: '6.12' }],
  ['interrupted-state-sampled-late', generic, 'irqentry_enter', { drop: /(irqentry_enter_from_user_mode\(regs\);\n)\t\treturn ret;\n/, by: '$1', until: '6.12' }],
  ['irq-stack-reused', 'arch/x86/kernel/irq_64.c', 'map_irq_stack', { drop: / \+ IRQ_STACK_SIZE - 8/ }],
  ['entry-register-unfit', 'arch/x86/include/asm/fred.h', 'fred_update_rsp0', { drop: / \+ THREAD_SIZE/, since: '6.12' }],
  ['entry-register-unfit', 'arch/x86/include/asm/fred.h', 'fred_update_rsp0', { drop: line('__this_cpu_write\\(fred_rsp0'), since: '6.12' }],
  ['entry-memory-unmapped', 'arch/x86/kernel/dumpstack_64.c', 'in_exception_stack', { drop: /^\tif \(!ep->size\)\n[^;]*;\n/m }],
  ['entry-memory-unmapped', 'arch/x86/mm/cpu_entry_area.c', 'setup_cpu_entry_area', { drop: /gdt_prot = PAGE_KERNEL_RO/, by: 'gdt_prot = PAGE_KERNEL' }],
  ['kernel-fault-unasked', 'arch/x86/mm/fault.c', 'handle_page_fault', { drop: /fault_in_kernel_space\(address\)/, by: '!user_mode(regs)' }],
].map(([rule, files, name, change, nth = 1, shown = name]) => ({ rule, files: [files].flat(), name, change, nth, shown }));

/** The releases of the trees that have what a mutant changes. */
export const isOf = ({ change: { since = '0', until = '99' } }, release) => compare(since, release) <= 0 && compare(release, until) <= 0;

function compare(one, other) {
  const [a, b] = [one, other].map((text) => text.split('.').map(Number));
  return a[0] - b[0] || (a[1] ?? 0) - (b[1] ?? 0);
}

/** The mutant in the first of its files that has the pattern, or null. `read` gives a file's text or null. */
export function mutateTree(read, mutant) {
  for (const file of mutant.files) {
    const text = read(file);
    const made = text === null ? null : mutate(text, mutant);
    if (made !== null) return { ...made, file };
  }
  return null;
}

/** The text with the mutant in it, or null where the pattern is not there. `line` is that of the change. */
function mutate(text, { name, change, nth }) {
  const [start, end] = name === null ? [0, text.length] : (bodyOf(text, name, nth) ?? [0, 0]);
  const body = text.slice(start, end);
  const after = changed(body, change);
  return after === null || after.text === body ? null : { text: text.slice(0, start) + after.text + text.slice(end), line: text.slice(0, start + after.at).split('\n').length };
}

function changed(body, { drop, by = '', swap, from, to, before = false }) {
  if (drop !== undefined) {
    const match = drop.exec(body);
    return match === null ? null : { text: body.replace(drop, by), at: match.index };
  }
  const [first, second] = swap ?? [from, to];
  const one = first.exec(body);
  const other = second.exec(body);
  if (one === null || other === null) return null;
  if (swap !== undefined) {
    const [a, b] = one.index < other.index ? [one, other] : [other, one];
    return { text: body.slice(0, a.index) + b[0] + body.slice(a.index + a[0].length, b.index) + a[0] + body.slice(b.index + b[0].length), at: a.index };
  }
  const without = body.slice(0, one.index) + body.slice(one.index + one[0].length);
  const target = second.exec(without);
  const place = before ? target.index : target.index + target[0].length;
  return { text: without.slice(0, place) + one[0] + without.slice(place), at: Math.min(place, one.index) };
}

/** The nth definition of a function: from its head at the start of a line to the brace there. */
function bodyOf(text, name, nth) {
  const heads = [...text.matchAll(new RegExp(`^(?:[A-Za-z_][^\\n;{]*[ *\\n]${name}\\([^;{]*\\)|DEFINE_\\w+\\(${name}\\))\\n\\{`, 'gm'))];
  const head = heads[nth - 1];
  if (head === undefined) return stubOf(text, name);
  const end = text.indexOf('\n}', head.index);
  return [head.index, end === -1 ? text.length : end + 1];
}

/** The same of a symbol or macro of assembler. */
function stubOf(text, name) {
  const macro = new RegExp(`^\\.macro ${name}\\b[^]*?^\\.endm`, 'm').exec(text);
  const found = macro ?? new RegExp(`^SYM_(?:CODE|FUNC)_START\\w*\\(${name}\\)[^]*?^SYM_(?:CODE|FUNC)_END\\(`, 'm').exec(text);
  return found === null ? null : [found.index, found.index + found[0].length];
}
