// Our own mutants of entry code: each takes away, moves or changes one line of a guard, and names the rules that may
// say so. Lines are found by mnemonics, macro names and symbols, in whatever release. `in` is the symbol or macro that
// the edit lies in, `from` a line of it to begin at; `guest` marks code that only confidential guests have.
const entry = 'arch/x86/entry/entry_64.S';
const compat = 'arch/x86/entry/entry_64_compat.S';
const fred = 'arch/x86/entry/entry_64_fred.S';
const calling = 'arch/x86/entry/calling.h';
const declarations = 'arch/x86/include/asm/idtentry.h';
const kvm = 'arch/x86/kvm/vmx/vmenter.S';
const routines = 'arch/x86/entry/entry.S';

const drop = (line) => ({ kind: 'drop', line });
const replace = (line, text) => ({ kind: 'replace', line, text });
const before = (line, text) => ({ kind: 'before', line, text });
const after = (line, text) => ({ kind: 'after', line, text });
const swap = (line, other) => ({ kind: 'swap', line, other });

/** A macro of that name up to Linux 5.12. */
const SWAPGS = /^\s*swapgs\b/i;
const KERNEL_CR3 = /^\s*SWITCH_TO_KERNEL_CR3\b/;
const USER_CR3 = /^\s*SWITCH_TO_USER_CR3\w*\s/;
const FENCE = /^\s*FENCE_SWAPGS_/;
const UNTRAIN = /^\s*UNTRAIN_RET/;
const IBRS = /^\s*IBRS_ENTER\b/;
const UNIBRS = /^\s*IBRS_EXIT\b/;
const VERW = /^\s*CLEAR_CPU_BUFFERS\b/;
const RESTORE_CR3 = /^\s*(?:PARANOID_)?RESTORE_CR3\s/;
const STACK_TOP = /^\s*movq\s+PER_CPU_VAR\(.*top_of_stack\), %rsp/;

const gs = ['percpu-before-gs', 'swapgs-imbalance', 'cr3-gs-order', 'iret-fault-unhandled'];
const cr3 = ['access-on-user-cr3', 'iret-fault-unhandled'];
const back = ['paranoid-cr3-not-verbatim'];
const nested = ['nested-nmi-breaks-frame'];
const forged = ['nested-test-trusts-rsp'];
const prologue = ['fault-in-nmi-prologue'];
const moved = ['copy-then-switch-atomicity'];
const fences = ['swapgs-without-fence'];
const buffers = ['exit-without-buffer-clear'];
const untrain = ['return-before-untrain'];
const speculationControl = ['registers-not-restored'];
const frames = ['frame-unbalanced-at-return', 'error-code-frame-mismatch', 'swapgs-imbalance'];
const registers = ['registers-not-restored'];
const saved = ['saved-word-wrong'];
const flush = ['pending-flush-skipped'];
const pcid = ['pcid-of-other-half'];
const unfit = ['entry-point-unfit'];
const gap = ['stack-use-in-syscall-gap'];
const origin = ['user-origin-stays-on-ist', 'c-on-reusable-ist'];

export const mutants = [
  { name: 'no swapgs on the user path', file: entry, in: 'error_entry', edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs for a faulting IRET', file: entry, in: 'error_entry', from: /^\.Lerror_bad_iret/, edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs for a faulting load of GS', file: entry, in: 'error_entry', from: /\.Lgs_change, RIP/, edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs in the paranoid entry', file: entry, in: 'paranoid_entry', edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs at SYSENTER', file: compat, in: 'entry_SYSENTER_compat', edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs at 32-bit SYSCALL', file: compat, in: 'entry_SYSCALL_compat', edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs for an NMI from user mode', file: entry, in: 'asm_exc_nmi', edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs before IRET to user mode', file: entry, in: 'common_interrupt_return', from: /swapgs_and_iret|swapgs_restore_regs/, edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs before SYSRETQ', file: entry, in: 'entry_SYSCALL_64', from: /unsafe_stack|^syscall_return_via_sysret/, edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs before SYSRETL', file: compat, in: 'entry_SYSCALL_compat', from: /^sysret32_from_system_call/, edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs in the paranoid exit', file: entry, in: 'paranoid_exit', edit: drop(SWAPGS), expect: gs },
  { name: 'no write of the GS base in the paranoid exit', file: entry, in: 'paranoid_exit', edit: drop(/^\s*wrgsbase/), expect: gs },
  { name: 'no swapgs in the NMI exit', file: entry, in: 'asm_exc_nmi', from: /^nmi_swapgs/, edit: drop(SWAPGS), expect: gs },
  { name: 'no write of the GS base in the NMI exit', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*wrgsbase/), expect: gs },
  { name: 'GS base not loaded on CPUs with FSGSBASE', file: entry, in: 'paranoid_entry', edit: drop(/^\s*SAVE_AND_SET_GSBASE/), expect: gs },
  { name: 'EBX not set for a kernel GS base', file: entry, in: 'paranoid_entry', edit: drop(/^\s*movl\s+\$1, %ebx/), expect: gs },
  { name: 'EBX not cleared for a user GS base', file: entry, in: 'paranoid_entry', edit: drop(/^\s*xorl\s+%ebx, %ebx/), expect: gs },
  { name: 'sign of the GS base read inverted', file: entry, in: 'paranoid_entry', edit: replace(/^\s*js\s+\.Lparanoid/, (line) => line.replace('js', 'jns')), expect: gs },
  { name: 'the sign of the GS base decides on every CPU', file: entry, in: 'paranoid_entry', edit: replace(/^\s*ALTERNATIVE.*checkgs/, '\tjmp .Lparanoid_entry_checkgs'), expect: ['gs-sign-test-with-fsgsbase'] },
  { name: 'the saved CS decides in the paranoid entry', file: entry, in: 'paranoid_entry', edit: replace(/^\s*testl\s+%edx, %edx/, '\ttestb\t$3, CS+8(%rsp)\n\tjz\t.Lparanoid_kernel_gsbase'), expect: ['cs-test-in-super-atomic', 'percpu-before-gs'] },
  { name: 'EBX ignored in the paranoid exit', file: entry, in: 'paranoid_exit', edit: drop(/^\s*jnz\s+restore_regs/), expect: gs },
  { name: 'no swapgs into the espfix code', file: entry, in: 'common_interrupt_return', from: /^native_irq_return_ldt/, edit: drop(SWAPGS), expect: gs },
  { name: 'no swapgs out of the espfix code', file: entry, in: 'common_interrupt_return', from: /espfix_stack\)/, edit: drop(SWAPGS), expect: gs },
  { name: 'the load of GS keeps the user GS base', file: entry, in: 'asm_load_gs_index', from: /mfence/, edit: drop(SWAPGS), expect: gs },
  { name: 'a per-CPU load before the test of CS', file: entry, in: 'error_entry', edit: before(/^\s*testb\s+\$3, CS\+8/, '\tmovq\tPER_CPU_VAR(cpu_tss_rw + TSS_sp2), %rax'), expect: gs },
  { name: 'a per-CPU store behind the last swapgs', file: entry, in: 'entry_SYSCALL_64', from: /unsafe_stack/, edit: after(SWAPGS, '\tmovq\t%rax, PER_CPU_VAR(cpu_tss_rw + TSS_sp2)'), expect: [...gs, 'access-on-user-cr3'] },

  { name: 'kernel CR3 not loaded on the user path', file: entry, in: 'error_entry', edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'kernel CR3 not loaded for a faulting IRET', file: entry, in: 'error_entry', from: /^\.Lerror_bad_iret/, edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'kernel CR3 not loaded at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'kernel CR3 not loaded at SYSENTER', file: compat, in: 'entry_SYSENTER_compat', edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'kernel CR3 not loaded at 32-bit SYSCALL', file: compat, in: 'entry_SYSCALL_compat', edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'kernel CR3 not loaded for an NMI from user mode', file: entry, in: 'asm_exc_nmi', edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'kernel CR3 not loaded in the paranoid entry', file: entry, in: 'paranoid_entry', edit: drop(/^\s*SAVE_AND_SWITCH_TO_KERNEL_CR3/), expect: [...cr3, ...back] },
  { name: 'kernel CR3 not loaded in the espfix code', file: entry, in: 'common_interrupt_return', from: /^native_irq_return_ldt/, edit: drop(KERNEL_CR3), expect: cr3 },
  { name: 'CR3 not restored in the paranoid exit', file: entry, in: 'paranoid_exit', edit: drop(RESTORE_CR3), expect: back },
  { name: 'CR3 not restored in the NMI exit', file: entry, in: 'asm_exc_nmi', edit: drop(RESTORE_CR3), expect: back },
  { name: 'CR3 restored from another register', file: entry, in: 'paranoid_exit', edit: replace(RESTORE_CR3, (line) => line.replace('%r14', '%r13')), expect: [...back, 'access-on-user-cr3'] },
  { name: 'user CR3 not loaded before IRET', file: entry, in: 'common_interrupt_return', edit: drop(USER_CR3), expect: back },
  { name: 'user CR3 not loaded before SYSRETQ', file: entry, in: 'entry_SYSCALL_64', edit: drop(USER_CR3), expect: back },
  { name: 'user CR3 not loaded before SYSRETL', file: compat, in: 'entry_SYSCALL_compat', edit: drop(USER_CR3), expect: back },
  { name: 'user CR3 not loaded in the espfix code', file: entry, in: 'common_interrupt_return', from: /espfix_stack\)/, edit: drop(USER_CR3), expect: back },
  { name: 'user CR3 loaded on the task stack', file: entry, in: 'entry_SYSCALL_64', edit: drop(/^\s*movq\s+PER_CPU_VAR\(.*TSS_sp0\), %rsp/), expect: ['access-on-user-cr3'] },

  { name: 'error code not skipped on the way to the kernel', file: entry, in: 'common_interrupt_return', from: /restore_regs_and_return_to_kernel,/, edit: drop(/^\s*addq\s+\$8, %rsp/), expect: frames },
  { name: 'error code not skipped on the way to user mode', file: entry, in: 'common_interrupt_return', edit: drop(/^\s*addq?\s+\$8, %rsp/), expect: frames },
  { name: 'no placeholder for the error code', file: entry, in: 'idtentry', edit: drop(/^\s*pushq\s+\$-1/), expect: frames },
  { name: 'no placeholder for the error code of #DB', file: entry, in: 'idtentry_mce_db', edit: drop(/^\s*pushq\s+\$-1/), expect: frames },
  { name: '#GP declared without its error code', file: declarations, edit: replace(/^DECLARE_IDTENTRY_ERRORCODE\(X86_TRAP_GP/, (line) => line.replace('_ERRORCODE', '')), expect: frames },
  { name: '#DE declared with an error code', file: declarations, edit: replace(/^DECLARE_IDTENTRY\(X86_TRAP_DE/, (line) => line.replace('IDTENTRY', 'IDTENTRY_ERRORCODE')), expect: frames },
  { name: 'the #VC stub stays on its stack', file: entry, in: 'idtentry_vc', edit: drop(/^\s*movq\s+%rax, %rsp/), expect: ['c-on-reusable-ist'], guest: true },
  { name: 'the error code of #VC is read from the stack that was left', file: entry, in: 'idtentry_vc', edit: before(/^\s*movq\s+%rax, %rsp/, '\tmovq\t%rsp, %r12'), also: replace(/^\s*movq\s+ORIG_RAX\(%rsp\), %rsi/, '\tmovq\tORIG_RAX(%r12), %rsi'), expect: moved, guest: true },
  { name: 'the #VC handler gets the frame that was left', file: entry, in: 'idtentry_vc', edit: before(/^\s*movq\s+%rax, %rsp/, '\tmovq\t%rsp, %r12'), also: before(/^\s*call\s+(?:kernel_)?\\cfunc/, '\tmovq\t%r12, %rdi'), expect: moved, guest: true },
  { name: 'the handler from user mode gets the frame on the #DB stack', file: entry, in: 'idtentry_body', edit: replace(/^\s*ALTERNATIVE "call error_entry; movq/, (line) => line.replace('movq %rax', 'movq %rsp, %r12; movq %rax')), also: replace(/^\s*movq\s+%rsp, %rdi/, '\tmovq\t%r12, %rdi'), expect: moved },
  { name: '#DB from user mode takes the paranoid path', file: entry, in: 'idtentry_mce_db', edit: drop(/^\s*jnz\s+\.Lfrom_usermode/), expect: origin },
  { name: '#VC from user mode takes the paranoid path', file: entry, in: 'idtentry_vc', edit: drop(/^\s*jnz\s+\.Lfrom_usermode/), expect: origin, guest: true },
  { name: 'test of CS inverted in the #DB stub', file: entry, in: 'idtentry_mce_db', edit: replace(/^\s*jnz\s+\.Lfrom_usermode/, (line) => line.replace('jnz', 'jz')), expect: [...origin, ...gs, ...cr3] },
  { name: 'kernel stack not loaded at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(STACK_TOP), expect: gap },
  { name: 'a push before the kernel stack is loaded', file: entry, in: 'entry_SYSCALL_64', edit: before(STACK_TOP, '\tpushq\t%rax'), expect: [...gap, 'access-on-user-cr3'] },
  { name: 'kernel stack not loaded at 32-bit SYSCALL', file: compat, in: 'entry_SYSCALL_compat', edit: drop(STACK_TOP), expect: gap },
  { name: 'kernel stack not loaded at SYSENTER', file: compat, in: 'entry_SYSENTER_compat', edit: drop(STACK_TOP), expect: ['c-on-entry-stack'] },
  { name: 'the stack used behind the load of the user RSP', file: entry, in: 'entry_SYSCALL_64', edit: after(/^\s*popq\s+%rsp/, '\tpushq\t%rax\n\tpopq\t%rax'), expect: gap },
  { name: 'a register parked below RSP', file: entry, in: 'error_entry', edit: before(/^\s*testb\s+\$3, CS\+8/, '\tmovq\t%rax, -16(%rsp)'), expect: ['frame-below-rsp'] },
  { name: 'the user path returns on the entry stack', file: entry, in: 'error_entry', edit: replace(/^\s*jmp\s+sync_regs/, '\tmovq\t%rdi, %rax\n\tRET'), expect: ['c-on-entry-stack'], releases: ['6.12', '7.3'] },
  { name: 'the frame of a faulting IRET is not rebuilt', file: entry, in: 'error_entry', edit: replace(/^\s*call\s+fixup_bad_iret/, '\tmovq\t%rdi, %rax'), expect: ['iret-fault-unhandled', 'swapgs-imbalance', 'frame-unbalanced-at-return'] },
  { name: 'IRET to user mode at a label nobody knows', file: entry, in: 'error_entry', edit: replace(/^\s*leaq\s+native_irq_return_iret/, (line) => line.replace('native_irq_return_iret', 'restore_regs_and_return_to_kernel')), expect: ['iret-fault-unhandled'] },

  { name: 'SYSRETQ whatever C code says', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*ALTERNATIVE "testb|^\s*testb?l?\s+%[ea][al]x?, %[ea]/, '\tnop'), also: drop(/^\s*"jmp swapgs_restore_regs/), expect: ['sysret-unchecked'], releases: ['6.12', '7.3'] },
  { name: 'SYSRETL whatever C code says', file: compat, in: 'entry_SYSCALL_compat', edit: replace(/^\s*ALTERNATIVE "testb/, '\tnop'), also: drop(/^\s*"jmp swapgs_restore_regs/), expect: ['sysret-unchecked'], releases: ['6.12', '7.3'] },

  ...['idtentry', 'idtentry_mce_db', 'idtentry_df'].flatMap((macro) => [
    { name: `no CLD in ${macro}`, file: entry, in: macro, edit: drop(/^\s*cld\b/), expect: ['missing-cld'] },
    { name: `no CLAC in ${macro}`, file: entry, in: macro, edit: drop(/^\s*ASM_CLAC/), expect: ['missing-clac'] },
  ]),
  { name: 'no CLD in idtentry_vc', file: entry, in: 'idtentry_vc', edit: drop(/^\s*cld\b/), expect: ['missing-cld'], guest: true },
  { name: 'no CLAC in idtentry_vc', file: entry, in: 'idtentry_vc', edit: drop(/^\s*ASM_CLAC/), expect: ['missing-clac'], guest: true },
  { name: 'SYSENTER keeps AC', file: compat, in: 'entry_SYSENTER_compat', edit: replace(/^\s*testl\s+\$X86_EFLAGS_NT/, (line) => line.replace('|X86_EFLAGS_AC', '')), expect: ['sysenter-flags-not-sanitised', 'missing-clac'] },
  { name: 'SYSENTER looks at no flag', file: compat, in: 'entry_SYSENTER_compat', edit: drop(/^\s*jnz\s+\.Lsysenter_fix/), expect: ['sysenter-flags-not-sanitised', 'missing-clac'] },
  { name: 'SYSENTER does not load the clean flags', file: compat, in: 'entry_SYSENTER_compat', edit: replace(/^\s*popfq/, '\taddq\t$8, %rsp'), expect: ['sysenter-flags-not-sanitised', 'missing-clac'] },
  { name: 'interrupts enabled before the kernel stack', file: entry, in: 'entry_SYSCALL_64', edit: after(SWAPGS, '\tsti'), expect: ['irqs-on-before-state'] },
  { name: 'interrupts enabled before swapgs', file: entry, in: 'error_entry', edit: before(SWAPGS, '\tsti'), expect: ['irqs-on-before-state'] },
  { name: 'interrupts enabled in the NMI exit', file: entry, in: 'asm_exc_nmi', from: /^nmi_restore/, edit: after(/^nmi_restore/, '\tsti'), expect: ['irqs-enabled-while-nmi-blocked'] },

  { name: 'DF not looked at', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*jz\s+first_nmi/), expect: forged },
  { name: 'DF looked at and not asked', file: entry, in: 'asm_exc_nmi', edit: replace(/^\s*testb\s+\$\(X86_EFLAGS_DF/, '\tcmpq\t%rsp, %rsp'), also: replace(/^\s*jz\s+first_nmi/, '\tjne\tfirst_nmi'), expect: forged },
  { name: 'DF asked the wrong way round', file: entry, in: 'asm_exc_nmi', edit: replace(/^\s*jz\s+first_nmi/, (line) => line.replace('jz', 'jnz')), expect: [...forged, ...nested] },
  { name: 'a per-CPU counter first in the NMI stub', file: entry, in: 'asm_exc_nmi', edit: after(/^\s*pushq\s+%rdx\b/, '\tincl\tPER_CPU_VAR(cpu_tss_rw + TSS_sp2)'), expect: prologue },
  { name: 'a global counter before the marker is set', file: entry, in: 'asm_exc_nmi', from: /^first_nmi/, edit: after(/^\s*movq\s+\(%rsp\), %rdx/, '\tincl\tnmi_count(%rip)'), expect: prologue },
  { name: 'a C function before the marker is set', file: entry, in: 'asm_exc_nmi', edit: before(/^\s*movq\s+\$1, 10\*8/, '\tcall\tnmi_started'), expect: prologue },
  { name: 'the interrupted stack is read before the marker is set', file: entry, in: 'asm_exc_nmi', from: /^first_nmi/, edit: after(/^\s*movq\s+\(%rsp\), %rdx/, '\tmovq\t4*8(%rsp), %rdx\n\tmovq\t(%rdx), %rdx\n\tmovq\t(%rsp), %rdx'), expect: prologue },
  { name: 'RSP above the NMI stack not looked at', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*ja\s+first_nmi/), expect: nested },
  { name: 'RSP below the NMI stack not looked at', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*jb\s+first_nmi/), expect: nested },
  { name: 'the repeated part is not recognised', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*ja\s+nested_nmi_out/), expect: nested },
  { name: 'the marker is not looked at', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*je\s+nested_nmi\b/), expect: nested },
  { name: 'the marker is not set', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*movq\s+\$1, 10\*8/), expect: nested },
  { name: 'the marker is not cleared', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*movq\s+\$0, 5\*8/), expect: nested },
  { name: 'the marker is cleared before DF is set', file: entry, in: 'asm_exc_nmi', edit: swap(/^\s*std\b/, /^\s*movq\s+\$0, 5\*8/), expect: nested },
  { name: 'a push runs over the marker', file: entry, in: 'asm_exc_nmi', edit: after(/^\s*pushq\s+%rdx\b/, '\tpushq\t%rcx\n\tpopq\t%rcx'), expect: nested },
  { name: 'the nested NMI does not have the first repeat', file: entry, in: 'asm_exc_nmi', edit: replace(/^\s*pushq\s+\$repeat_nmi/, (line) => line.replace('repeat_nmi', 'end_repeat_nmi')), expect: nested },
  { name: 'the nested NMI leaves another RSP to repeat with', file: entry, in: 'asm_exc_nmi', edit: replace(/^\s*leaq\s+-10\*8/, (line) => line.replace('-10', '-9')), expect: nested },
  { name: 'no room for the frame that a nested NMI changes', file: entry, in: 'asm_exc_nmi', from: /^first_nmi/, edit: drop(/^\s*subq\s+\$\(5\*8\)/), expect: [...nested, ...frames] },
  { name: 'the first copy of the frame is skipped', file: entry, in: 'asm_exc_nmi', from: /^nmi_restore/, edit: replace(/^\s*addq\s+\$6\*8/, '\taddq\t$1*8, %rsp'), expect: [...nested, ...frames] },
  { name: 'KVM calls the stub for the IST stack', file: kvm, edit: replace(/asm_exc_nmi_(?:kvm_vmx|noist)/, (line) => line.replace(/asm_exc_nmi_(?:kvm_vmx|noist)/, 'asm_exc_nmi')), expect: ['ist-stub-called'], releases: ['6.12'] },
  { name: 'KVM calls the stub for the IST stack', file: routines, edit: replace(/asm_exc_nmi_kvm_vmx/, (line) => line.replace(/asm_exc_nmi_kvm_vmx/, 'asm_exc_nmi')), expect: ['ist-stub-called'], releases: ['7.3'] },

  { name: 'no fence for a faulting IRET', file: entry, in: 'error_entry', from: /^\.Lerror_bad_iret/, edit: drop(FENCE), expect: fences },
  { name: 'no fence for an NMI from user mode', file: entry, in: 'asm_exc_nmi', edit: drop(FENCE), expect: fences },
  { name: 'no fence in the paranoid entry', file: entry, in: 'paranoid_entry', edit: drop(FENCE), expect: fences },
  { name: 'no fence for entries from the kernel', file: entry, in: 'error_entry', from: /lfence:/, edit: drop(FENCE), expect: fences },
  { name: 'no VERW before IRET', file: entry, in: 'common_interrupt_return', edit: drop(VERW), expect: buffers },
  { name: 'no VERW before SYSRETQ', file: entry, in: 'entry_SYSCALL_64', edit: drop(VERW), expect: buffers },
  { name: 'no VERW before SYSRETL', file: compat, in: 'entry_SYSCALL_compat', edit: drop(VERW), expect: buffers },
  { name: 'no VERW in the espfix code', file: entry, in: 'common_interrupt_return', from: /espfix_stack\)/, edit: drop(VERW), expect: buffers },
  { name: 'VERW before the user RSP is loaded', file: entry, in: 'entry_SYSCALL_64', edit: drop(VERW), also: before(/^\s*popq\s+%rsp/, '\tCLEAR_CPU_BUFFERS'), expect: buffers },
  // 6.1 enters its counterpart in kernels without 32-bit programs only, which are not among the programs that are run.
  { name: 'no VERW in the stub of an ignored SYSCALL', file: entry, in: 'entry_SYSCALL32_ignore', edit: drop(VERW), expect: buffers, releases: ['6.12', '7.3'] },
  { name: 'no untraining at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(UNTRAIN), expect: untrain },
  { name: 'no untraining at SYSENTER', file: compat, in: 'entry_SYSENTER_compat', edit: drop(UNTRAIN), expect: untrain },
  { name: 'no untraining at 32-bit SYSCALL', file: compat, in: 'entry_SYSCALL_compat', edit: drop(UNTRAIN), expect: untrain },
  { name: 'no untraining on the user path', file: entry, in: 'error_entry', edit: drop(UNTRAIN), expect: untrain },
  { name: 'no untraining for a faulting IRET', file: entry, in: 'error_entry', from: /^\.Lerror_bad_iret/, edit: drop(UNTRAIN), expect: untrain },
  { name: 'no untraining for an NMI from user mode', file: entry, in: 'asm_exc_nmi', edit: drop(UNTRAIN), expect: untrain },
  { name: 'no untraining in the paranoid entry', file: entry, in: 'paranoid_entry', edit: drop(UNTRAIN), expect: untrain },
  { name: 'IBRS not set at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(IBRS), expect: ['return-before-untrain'] },
  { name: 'IBRS not set on the user path', file: entry, in: 'error_entry', edit: drop(IBRS), expect: ['return-before-untrain'] },
  { name: 'IBRS not set in the paranoid entry', file: entry, in: 'paranoid_entry', edit: drop(IBRS), expect: ['return-before-untrain', ...registers] },
  { name: 'IBRS kept at SYSRETQ', file: entry, in: 'entry_SYSCALL_64', edit: drop(UNIBRS), expect: speculationControl },
  { name: 'IBRS kept at IRET', file: entry, in: 'common_interrupt_return', edit: drop(UNIBRS), expect: speculationControl },
  { name: 'SPEC_CTRL not restored in the paranoid exit', file: entry, in: 'paranoid_exit', edit: drop(UNIBRS), expect: speculationControl },
  { name: 'SPEC_CTRL not restored in the NMI exit', file: entry, in: 'asm_exc_nmi', edit: drop(UNIBRS), expect: speculationControl },

  { name: 'a register is not popped', file: calling, in: 'POP_REGS', edit: drop(/^\s*popq %r12/), expect: [...frames, ...registers] },
  { name: 'two registers are popped in the wrong order', file: calling, in: 'POP_REGS', edit: swap(/^\s*popq %rbp/, /^\s*popq %rbx/), expect: registers },
  { name: 'two registers are pushed in the wrong order', file: calling, in: 'PUSH_REGS', edit: swap(/^\s*pushq\s+%r8/, /^\s*pushq\s+%r9/), expect: registers, releases: ['6.12', '7.3'] },
  { name: 'R8 is not cleared', file: calling, in: /CLEAR_REGS$/, edit: drop(/^\s*xorl\s+%r8d/), expect: ['user-register-live-in-c'] },
  { name: 'RBP is not cleared', file: calling, in: /CLEAR_REGS$/, edit: drop(/^\s*xorl\s+%ebp/), expect: ['user-register-live-in-c'] },
  { name: 'R15 is not cleared', file: calling, in: /CLEAR_REGS$/, edit: drop(/^\s*xorl\s+%r15d/), expect: ['user-register-live-in-c'] },
  { name: 'RBX comes from the wrong word at SYSRETL', file: compat, in: 'entry_SYSCALL_compat', edit: replace(/^\s*movq\s+RBX\(%rsp\), %rbx/, '\tmovq\tRBP(%rsp), %rbx'), expect: registers },
  { name: 'R8 holds a kernel value at SYSRETL', file: compat, in: 'entry_SYSCALL_compat', from: /^sysret32_from/, edit: drop(/^\s*xorl?\s+%r8d/), expect: registers },
  { name: 'the user RIP is not saved at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*pushq\s+%rcx/, '\tpushq\t%rdx'), expect: ['saved-word-wrong'] },
  { name: 'ax of a system call is its number', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*PUSH_AND_CLEAR_REGS/, '\tPUSH_AND_CLEAR_REGS'), expect: ['saved-word-wrong'] },
  { name: 'ax of a system call by SYSENTER is its number', file: compat, in: 'entry_SYSENTER_compat', edit: replace(/^\s*(?:PUSH_AND_CLEAR_REGS rax|pushq\s+\$-ENOSYS)/, (line) => line.replace('rax=$-ENOSYS', '').replace('$-ENOSYS', '%rax')), expect: ['saved-word-wrong'] },
  { name: 'the user flags are not saved at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*pushq\s+%r11/, '\tpushq\t%r10'), expect: ['saved-word-wrong'] },
  { name: 'the temporary of the NMI stub is not restored', file: entry, in: 'asm_exc_nmi', from: /^first_nmi/, edit: drop(/^\s*movq\s+\(%rsp\), %rdx/), expect: registers },
  { name: 'the temporary of the user page table is not restored', file: entry, in: 'common_interrupt_return', from: /Lpti_restore|pti_restore/, edit: drop(/^\s*popq\s+%rdi/), expect: [...registers, ...frames], releases: ['6.12', '7.3'] },
  { name: 'the number of a SYSENTER call is not extended', file: compat, in: 'entry_SYSENTER_compat', edit: drop(/^\s*movl\s+%eax, %eax/), expect: ['syscall-number-not-extended'] },
  { name: 'the number of a 32-bit SYSCALL is not extended', file: compat, in: 'entry_SYSCALL_compat', edit: drop(/^\s*movl\s+%eax, %eax/), expect: ['syscall-number-not-extended'] },
  { name: 'RDPID names the CPU in the paranoid entry', file: calling, in: 'GET_PERCPU_BASE', edit: replace(/^\s*LOAD_CPU_AND_NODE_SEG_LIMIT/, '\trdpid\t\\reg'), expect: ['cpu-number-from-rdpid'] },
  { name: 'no fence before the repair of a safe return', file: 'arch/x86/include/asm/nospec-branch.h', from: /^#define __HANDLE_INTR_SAFERET/, edit: drop(/^\s*lfence;\s*\\$/), expect: ['saferet-fixup-without-fence'], releases: ['6.12', '7.3'] },
  { name: 'a safe return is not repaired in the paranoid entry', file: entry, in: 'paranoid_entry', edit: drop(/^\s*HANDLE_INTR_SAFERET\b/), expect: ['interrupted-saferet-not-repaired'], releases: ['6.1', '6.12', '7.3'] },
  { name: 'a safe return is not repaired in the error entry', file: entry, in: 'error_entry', edit: drop(/^\s*HANDLE_INTR_SAFERET\b/), expect: ['interrupted-saferet-not-repaired'], releases: ['6.1', '6.12', '7.3'] },
  { name: 'the branch history is kept at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(/^\s*CLEAR_BRANCH_HISTORY\b/), expect: ['branch-history-not-cleared'], releases: ['6.1', '6.12', '7.3'] },
  { name: 'the branch history is kept at SYSENTER', file: compat, in: 'entry_SYSENTER_compat', edit: drop(/^\s*CLEAR_BRANCH_HISTORY\b/), expect: ['branch-history-not-cleared'], releases: ['6.1', '6.12', '7.3'] },
  { name: 'the branch history is kept at INT 0x80', file: compat, in: 'int80_emulation', edit: drop(/^\s*CLEAR_BRANCH_HISTORY\b/), expect: ['branch-history-not-cleared'], releases: ['6.12', '7.3'] },
  { name: 'VERW with a register before IRET', file: 'arch/x86/include/asm/nospec-branch.h', from: /^\.macro __CLEAR_CPU_BUFFERS|^#define VERW/, edit: replace(/verw\s+(?:x86_verw_sel|mds_verw_sel)\(%rip\)/, (line) => line.replace(/verw(\s+)\w+\(%rip\)/, 'verw$1%ax')), expect: ['exit-without-buffer-clear'], releases: ['6.12'] },
  { name: 'the single-step range of SYSENTER ends too early', file: compat, in: 'entry_SYSENTER_compat', edit: drop(/^SYM_INNER_LABEL\(__end_entry_SYSENTER_compat/), also: before(/^\.Lsysenter_fix_flags:/, 'SYM_INNER_LABEL(__end_entry_SYSENTER_compat, SYM_L_GLOBAL)'), expect: ['sysenter-step-not-recognised'], releases: ['6.12', '7.3'] },
  { name: 'interrupts enabled while C code is told of an NMI', file: entry, in: 'asm_exc_nmi', edit: before(/^\s*call\s+exc_nmi/, '\tsti'), expect: ['irqs-enabled-while-nmi-blocked'] },

  { name: 'registers not restored under FRED', file: fred, in: 'FRED_EXIT', edit: drop(/^\s*POP_REGS/), expect: [...frames, ...registers], releases: ['6.12', '7.3'] },
  { name: 'ERETS to user mode', file: fred, in: 'asm_fred_entrypoint_user', edit: replace(/ERETU/, (line) => line.replace('ERETU', 'ERETS')), expect: [...frames, ...registers], releases: ['6.12', '7.3'] },
  { name: 'ERETU to the kernel', file: fred, in: 'asm_fred_entrypoint_kernel', edit: replace(/ERETS/, (line) => line.replace('ERETS', 'ERETU')), expect: [...frames, ...registers], releases: ['6.12', '7.3'] },
  { name: 'the load of GS returns with a word too many', file: entry, in: 'asm_load_gs_index', edit: before(/^\s*FRAME_END/, '\tpushq\t%rax'), expect: ['frame-unbalanced-at-return'] },
  { name: 'the load of GS changes RBX', file: entry, in: 'asm_load_gs_index', edit: before(/^\s*FRAME_END/, '\txorl\t%ebx, %ebx'), expect: ['frame-unbalanced-at-return'] },
  { name: 'KVM is given back another RBX', file: fred, in: 'asm_fred_entry_from_kvm', edit: replace(/clear_callee=0/, (line) => line.replace('clear_callee=0 ', '')), expect: [...frames, ...registers], releases: ['7.3'] },
  { name: 'the frame of an interrupt from KVM stays on the stack without FRED', file: fred, in: 'asm_fred_entry_from_kvm', edit: replace(/mov %rbp, %rsp"/, (line) => line.replace('mov %rbp, %rsp"', 'nop"')), expect: frames, releases: ['7.3'] },
  { name: 'registers of KVM are not given back under FRED', file: fred, in: 'asm_fred_entry_from_kvm', edit: replace(/add \$C_PTREGS_SIZE, %rsp; ERETS/, (line) => line.replace('add $C_PTREGS_SIZE, %rsp; ', '')), expect: [...frames, ...registers], releases: ['7.3'] },
  { name: 'a FRED stub leaves registers of user space', file: fred, in: 'FRED_ENTER', edit: replace(/^\s*PUSH_AND_CLEAR_REGS/, '\tPUSH_REGS'), expect: ['user-register-live-in-c'], releases: ['6.12', '7.3'] },
  { name: 'the GS base comes before the kernel CR3', file: entry, in: 'paranoid_entry', edit: drop(/^\s*SAVE_AND_SWITCH_TO_KERNEL_CR3/), also: after(/^\.Lparanoid_gsbase_done:/, '\tSAVE_AND_SWITCH_TO_KERNEL_CR3 scratch_reg=%rax save_reg=%r14'), expect: ['access-on-user-cr3'] },
  { name: '#DF decides by the saved CS', file: entry, in: 'idtentry_df', edit: replace(/^\s*call\s+paranoid_entry/, '\tcall\terror_entry'), expect: ['cs-test-in-super-atomic'] },
  { name: 'SYSENTER keeps TF', file: compat, in: 'entry_SYSENTER_compat', edit: replace(/^\s*testl\s+\$X86_EFLAGS_NT/, (line) => line.replace('|X86_EFLAGS_TF', '')), expect: ['sysenter-flags-not-sanitised'] },
  { name: 'routines of mitigations are called with TF', file: compat, in: 'entry_SYSENTER_compat', edit: after(/^\s*cld\b/, '\tUNTRAIN_RET'), expect: ['sysenter-flags-not-sanitised'] },
  { name: 'SYSENTER loads flags with IF', file: compat, in: 'entry_SYSENTER_compat', edit: replace(/^\s*pushq\s+\$X86_EFLAGS_FIXED/, '\tpushq\t$(X86_EFLAGS_FIXED|X86_EFLAGS_IF)'), expect: ['irqs-on-before-state'] },
  { name: 'an IRET of its own behind the espfix code', file: entry, in: 'common_interrupt_return', from: /espfix_stack\)/, edit: replace(/^\s*jmp\s+native_irq_return_iret/, '\tiretq'), expect: ['iret-fault-unhandled'] },
  { name: 'ERETU has no fixup', file: fred, in: 'asm_fred_entrypoint_user', edit: drop(/^\s*_ASM_EXTABLE_TYPE/), expect: ['fred-return-state-lost'], releases: ['6.12', '7.3'] },
  { name: 'SWAPGS under FRED', file: fred, in: 'asm_fred_entrypoint_user', edit: before(/^\s*FRED_ENTER/, '\tswapgs'), expect: ['fred-return-state-lost'], releases: ['6.12', '7.3'] },
  { name: 'the pointer of a rebuilt frame is not handed on', file: entry, in: 'error_entry', from: /fixup_bad_iret/, edit: drop(/^\s*movq?\s+%rax, %rdi/), expect: ['error-code-frame-mismatch'], releases: ['6.12', '7.3'] },
  { name: 'a landing pad goes back to C code on the user GS base', file: entry, in: 'asm_load_gs_index', from: /Lbad_gs:/, edit: drop(SWAPGS), expect: ['swapgs-imbalance'] },
  { name: 'the return to the kernel is not told from that to user mode', file: entry, in: 'error_return', edit: drop(/^\s*jz\s+restore_regs/), expect: ['swapgs-imbalance'] },
  { name: 'RSP is saved behind its use as a temporary', file: entry, in: 'entry_SYSCALL_64', edit: swap(/^\s*movq\s+%rsp, PER_CPU_VAR/, KERNEL_CR3), expect: saved },
  { name: 'the temporary of CR3 is the system call number', file: entry, in: 'entry_SYSCALL_64', edit: replace(KERNEL_CR3, (line) => line.replace('%rsp', '%rax')), expect: saved },
  { name: 'the frame of SYSCALL has the selector of 32-bit programs', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*pushq\s+\$__USER_CS/, (line) => line.replace('__USER_CS', '__USER32_CS')), expect: saved },
  { name: 'the number is taken behind IBRS', file: entry, in: 'entry_SYSCALL_64', edit: swap(/^\s*movslq\s+%eax, %rsi/, IBRS), expect: saved, releases: ['6.1', '6.12', '7.3'] },
  { name: 'the second argument of a 32-bit SYSCALL is not the one in EBP', file: compat, in: 'entry_SYSCALL_compat', edit: replace(/^\s*PUSH_AND_CLEAR_REGS/, (line) => line.replace('rcx=%rbp ', '')), expect: saved, releases: ['6.12', '7.3'] },
  { name: 'an exception may be started again as a system call', file: entry, in: 'idtentry_body', edit: drop(/^\s*movq\s+\$-1, ORIG_RAX/), expect: saved },
  { name: 'an NMI may be started again as a system call', file: entry, in: 'asm_exc_nmi', edit: replace(/^\s*pushq\s+\$-1\b/, (line) => line.replace('-1', '2')), expect: saved },
  { name: 'the error code is overwritten before it is read', file: entry, in: 'idtentry_body', edit: swap(/^\s*movq\s+ORIG_RAX\(%rsp\), %rsi/, /^\s*movq\s+\$-1, ORIG_RAX/), expect: saved },
  { name: 'a 64-bit SYSCALL goes back to 32-bit mode', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*sysretq/, '\tsysretl'), expect: ['sysret-unchecked'], releases: ['6.1', '6.12', '7.3'] },
  { name: 'a 32-bit SYSCALL goes back to 64-bit mode', file: compat, in: 'entry_SYSCALL_compat', edit: replace(/^\s*sysretl/, '\tsysretq'), expect: ['sysret-unchecked'], releases: ['6.1', '6.12', '7.3'] },
  { name: 'the user RSP comes from a wrong word at SYSRETQ', file: entry, in: 'entry_SYSCALL_64', edit: replace(/^\s*pushq\s+RSP-RDI\(%rdi\)/, '\tpushq\tEFLAGS-RDI(%rdi)'), expect: registers },
  { name: 'the user RSP comes from a wrong word at SYSRETL', file: compat, in: 'entry_SYSCALL_compat', edit: replace(/^\s*movq\s+RSP-ORIG_RAX\(%rsp\), %rsp/, '\tmovq\tEFLAGS-ORIG_RAX(%rsp), %rsp'), expect: registers },
  { name: '#DF leaves by the return of other exceptions', file: entry, in: 'idtentry_df', edit: replace(/^\s*jmp\s+paranoid_exit/, '\tjmp\terror_return'), expect: [...gs, ...back] },
  { name: 'R8 is cleared before it is the temporary of CR3 at SYSRETL', file: compat, in: 'entry_SYSCALL_compat', from: /^sysret32_from/, edit: drop(/^\s*xorl?\s+%r8d/), also: before(USER_CR3, '\txorl\t%r8d, %r8d'), expect: registers },
  { name: 'CS decides about the espfix stack', file: entry, in: 'common_interrupt_return', edit: replace(/^\s*testb\s+\$4, \(SS-RIP\)/, (line) => line.replace('SS-RIP', 'CS-RIP')), expect: registers },
  { name: 'no flush where one is pending, on the way to user mode', file: calling, in: 'SWITCH_TO_USER_CR3', edit: replace(/^\s*jnc\s+\.Lnoflush/, (line) => line.replace('jnc', 'jc')), expect: flush, releases: ['6.12', '7.3'] },
  { name: 'nothing asks for a flush, on the way to user mode', file: calling, in: /^SWITCH_TO_USER_CR3(?:_NOSTACK)?$/, edit: replace(/^\s*jnc\s+\.Lnoflush/, (line) => line.replace('jnc', 'jmp')), expect: flush },
  { name: 'the PCID stays the kernel\'s on the way to user mode', file: calling, in: /^SWITCH_TO_USER_CR3(?:_NOSTACK)?$/, edit: drop(/^\s*orq\s+\$\(PTI_USER_PCID_MASK\)/), expect: pcid },
  { name: 'the PCID stays the user\'s on the way into the kernel', file: calling, in: 'ADJUST_KERNEL_CR3', edit: replace(/PTI_USER_PGTABLE_AND_PCID_MASK/, (line) => line.replace('PTI_USER_PGTABLE_AND_PCID_MASK', 'PTI_USER_PGTABLE_MASK')), expect: pcid },
  { name: 'no flush where one is pending, on the way back to a paranoid entry', file: calling, in: /^(?:PARANOID_)?RESTORE_CR3$/, edit: replace(/^\s*jn?c\s+\.L(?:wrcr3|noflush)/, (line) => line.replace(/jn?c/, (branch) => (branch === 'jc' ? 'jnc' : 'jc'))), expect: flush },
  { name: 'no ENDBR at SYSCALL', file: entry, in: 'entry_SYSCALL_64', edit: drop(/^\s*ENDBR\b/), expect: unfit, releases: ['6.12', '7.3'] },
  { name: 'no ENDBR in the NMI stub', file: entry, in: 'asm_exc_nmi', edit: drop(/^\s*ENDBR\b/), expect: unfit, releases: ['6.12', '7.3'] },
  { name: 'the FRED entry for kernel mode lies elsewhere', file: fred, edit: replace(/^\s*\.org\s/, (line) => line.replace('256', '512')), expect: unfit, releases: ['6.12', '7.3'] },
  { name: 'the FRED entry for user mode begins no page', file: fred, edit: replace(/^\s*\.align\s+4096/, '\t.align 64'), expect: unfit, releases: ['6.12', '7.3'] },
  { name: '#DB from user mode is handled as one of kernel mode', file: entry, in: 'idtentry_mce_db', edit: replace(/idtentry_body\s+noist_/, (line) => line.replace('noist_', '')), expect: ['handler-of-other-origin'] },
  { name: 'FRED hands events of kernel mode to the handler for user mode', file: fred, in: 'asm_fred_entrypoint_kernel', edit: replace(/fred_entry_from_kernel/, (line) => line.replace('from_kernel', 'from_user')), expect: ['handler-of-other-origin'], releases: ['6.12', '7.3'] },
  { name: 'the label of the way out stands behind SWAPGS', file: entry, in: 'entry_SYSCALL_64', edit: drop(/^SYM_INNER_LABEL\(entry_SYSRETQ_unsafe_stack/), also: before(/^\s*sysretq/, 'SYM_INNER_LABEL(entry_SYSRETQ_unsafe_stack, SYM_L_GLOBAL)'), expect: ['syscall-gap-incomplete'] },
];

/** Edits that change nothing that matters. `everywhere` replaces in the whole file. */
export const harmless = [
  { name: 'a nop in every stub', file: entry, edit: { kind: 'everywhere', pattern: /^(\s*)(swapgs|cld|ASM_CLAC|POP_REGS|popq\s+%rsp)\b/gm, text: '$1nop\n$1$2' } },
  { name: 'labels have other names', file: entry, edit: { kind: 'everywhere', pattern: /\b(Lerror_bad_iret|Lnmi_from_kernel|first_nmi|nested_nmi_out|repeat_nmi|end_repeat_nmi|nmi_restore|Lparanoid_gsbase_done)\b/g, text: '$1_renamed' } },
  { name: 'another register holds the label of IRET', file: entry, in: 'error_entry', from: /^\.Lerror_kernelspace/, edit: { kind: 'everywhere', pattern: /%([re])cx\b/g, text: '%$1dx' } },
  { name: 'another register is the temporary of CR3', file: entry, in: 'paranoid_entry', edit: replace(/^\s*SAVE_AND_SWITCH/, (line) => line.replace('%rax', '%rcx')) },
  { name: 'another register is the temporary of the user path', file: entry, in: 'error_entry', edit: replace(KERNEL_CR3, (line) => line.replace('%rax', '%rdx')) },
  { name: 'registers are cleared in another order', file: calling, in: /CLEAR_REGS$/, edit: swap(/^\s*xorl\s+%r8d/, /^\s*xorl\s+%ebx/) },
  { name: 'LEA skips the error code', file: entry, in: 'common_interrupt_return', from: /restore_regs_and_return_to_kernel,/, edit: replace(/^\s*addq\s+\$8, %rsp/, '\tleaq\t8(%rsp), %rsp') },
  { name: 'CS is tested as a word of four bytes', file: entry, in: 'error_entry', edit: replace(/^\s*testb\s+\$3, CS\+8/, (line) => line.replace('testb', 'testl')) },
  { name: 'flags are cleaned twice', file: entry, in: 'idtentry_mce_db', edit: after(/^\s*cld\b/, '\tcld\n\tASM_CLAC') },
  { name: 'the fence of an arm stands before its swap', file: entry, in: 'error_entry', edit: swap(SWAPGS, FENCE) },
  { name: 'a second fence', file: entry, in: 'error_entry', edit: after(FENCE, '\tlfence') },
  { name: 'the arguments of a system call are loaded in the other order', file: entry, in: 'entry_SYSCALL_64', edit: swap(/^\s*movq\s+%rsp, %rdi/, /^\s*movslq\s+%eax, %rsi/), releases: ['6.1', '6.12', '7.3'] },
  { name: 'another register keeps the user ESP', file: compat, in: 'entry_SYSCALL_compat', edit: replace(/^\s*movl\s+%esp, %r8d/, '\tmovl\t%esp, %r9d'), also: replace(/^\s*pushq\s+%r8\b/, '\tpushq\t%r9'), releases: ['6.1', '6.12', '7.3'] },
  { name: 'a gate for an exception that the machine has no row for', file: 'arch/x86/kernel/idt.c', edit: after(/^\s*INTG\(X86_TRAP_AC/, '\tINTG(30,\t\t\t\tasm_exc_alignment_check),') },
  { name: 'XCHG takes the error code', file: entry, in: 'idtentry_body', edit: replace(/^\s*movq\s+ORIG_RAX\(%rsp\), %rsi/, '\tmovq\t$-1, %rsi'), also: replace(/^\s*movq\s+\$-1, ORIG_RAX/, '\txchgq\t%rsi, ORIG_RAX(%rsp)') },
  { name: 'the argument is loaded first', file: entry, in: 'idtentry_df', edit: swap(/^\s*movq\s+%rsp, %rdi/, /^\s*movq\s+ORIG_RAX\(%rsp\), %rsi/) },
  { name: 'a push and a pop on the task stack', file: entry, in: 'entry_SYSCALL_64', edit: before(/^\s*movq\s+%rsp, %rdi/, '\tpushq\t%rbx\n\tpopq\t%rbx') },
];
