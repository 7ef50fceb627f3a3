// More sketches of a few lines: system calls and flags, machine checks and debug exceptions, C handlers, annotations.
import type { Files } from './examples.test-data.ts';

interface Sketch {
  readonly rule: string;
  readonly bad: Files;
  readonly good: Files;
}

const c = (rule: string, make: (bad: boolean) => string): Sketch => ({ rule, bad: { 'sketch.c': make(true) }, good: { 'sketch.c': make(false) } });
const S = (rule: string, make: (bad: boolean) => string): Sketch => ({ rule, bad: { 'sketch.S': make(true) }, good: { 'sketch.S': make(false) } });

/** A SYSCALL entry; `early` runs on the user's RSP, `late` on the kernel's, `leave` ends it. */
const syscallEntry = (early: string, late: string, leave: string): string => `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs
${early}	movq	%rsp, %gs:user_sp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
	.globl	entry_SYSCALL_64_safe_stack
entry_SYSCALL_64_safe_stack:
	pushq	$0x2b
	pushq	%gs:user_sp(%rip)
	pushq	%r11
	pushq	$0x33
	pushq	%rcx
	pushq	%rax
${late}	call	demo_syscall
${leave}`;
const back = `	addq	$8, %rsp
	popq	%rcx
	addq	$8, %rsp
	popq	%r11
	movq	(%rsp), %rsp
	swapgs
	sysretq
`;

const sysenter = (late: string): string => `	.globl	entry_SYSENTER_compat
entry_SYSENTER_compat:
	swapgs
	movq	%gs:top_of_stack(%rip), %rsp
	pushq	$0x2b
	pushq	$0
	pushfq
	pushq	$0x23
	pushq	$0
${late}	cld
	call	demo_sysenter
	hlt
`;

const stub = (annotation: string, body: string): string => `	.globl	demo_entry
/* xctx: handler ${annotation} */
demo_entry:
${body}`;
const swap = `	testb	$3, 16(%rsp)
	jz	1f
	swapgs
1:	lfence
`;
const unswap = `	testb	$3, 16(%rsp)
	jz	2f
	swapgs
2:
`;

const OTHER_STUB = `	.globl	other_entry
/* xctx: handler vector=NP */
other_entry:
	clac
	cld
	call	demo_np
	addq	$8, %rsp
	iretq
`;

const system: readonly Sketch[] = [
  S('stack-use-in-syscall-gap', (bad) => syscallEntry(bad ? '\tpushq\t%rax\n\tpopq\t%rax\n' : '', '', '\thlt\n')),
  S('sysret-unchecked', (bad) => syscallEntry('', '', `${bad ? '' : '\ttestb\t%al, %al\n\tjz\t.Lslow\n'}${back}${bad ? '' : '.Lslow:\n\thlt\n'}`)),
  c('sysret-unchecked', (bad) => `bool do_syscall_64(struct pt_regs *regs, int nr)
{
	nr = syscall_enter_from_user_mode(regs, nr);
	run_call(regs, nr);
	syscall_exit_to_user_mode(regs);
	if (regs->cx != regs->ip || regs->r11 != regs->flags)
		return false;
	if (regs->cs != __USER_CS || regs->ss != __USER_DS)
		return false;
${bad ? '' : '\tif (regs->ip >= TASK_SIZE_MAX)\n\t\treturn false;\n'}	if (regs->flags & (X86_EFLAGS_RF | X86_EFLAGS_TF))
		return false;
	return true;
}
`),
  S('iret-fault-unhandled', (bad) => `${stub('vector=GP', `	pushq	%rax
	pushq	%rcx
	leaq	demo_iret(%rip), %rcx
	cmpq	%rcx, 24(%rsp)
	je	5f
	testb	$3, 32(%rsp)
	jz	1f
	swapgs
1:	lfence
	call	demo_gp
	testb	$3, 32(%rsp)
	jz	2f
	swapgs
2:	popq	%rcx
	popq	%rax
	addq	$8, %rsp
	jmp	${bad ? 'other_iret' : 'demo_iret'}
5:	swapgs
	lfence
	call	demo_die
	hlt
`)}	.globl	demo_iret
demo_iret:
	iretq
${bad ? '	.globl	other_iret\nother_iret:\n	iretq\n' : ''}`),
  c('fmask-missing-bits', (bad) => `void demo_syscall_init(void)\n{\n\twrmsrl(MSR_LSTAR, (unsigned long)entry_SYSCALL_64);\n\twrmsrl(MSR_SYSCALL_MASK, X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_NT${bad ? '' : ' | X86_EFLAGS_DF | X86_EFLAGS_AC | X86_EFLAGS_RF'});\n}\n`),
  S('missing-cld', (bad) => `${stub('vector=GP', `\tclac\n${bad ? '' : '\tcld\n'}\tcall\tdemo_gp\n\taddq\t$8, %rsp\n\tiretq\n`)}${OTHER_STUB}`),
  S('missing-clac', (bad) => `${stub('vector=GP', `${bad ? '' : '\tclac\n'}\tcld\n\tcall\tdemo_gp\n\taddq\t$8, %rsp\n\tiretq\n`)}${OTHER_STUB}`),
  S('sysenter-flags-not-sanitised', (bad) => sysenter(`${bad ? '' : '\tpushq\t$2\n\tpopfq\n'}\tsti\n`)),
  S('irqs-on-before-state', (bad) => syscallEntry(bad ? '\tsti\n' : '', bad ? '' : '\tsti\n', '\thlt\n')),
  S('swapgs-without-fence', (bad) => stub('vector=GP', `\ttestb\t$3, 16(%rsp)\n\tjz\t1f\n\tswapgs\n${bad ? '1:\n' : '\tlfence\n\tjmp\t3f\n1:\tlfence\n3:\n'}\tincq\t%gs:entries(%rip)\n\tcall\tdemo_gp\n${unswap}\taddq\t$8, %rsp\n\tiretq\n`) + '\t.globl\tdemo_fence\ndemo_fence:\n\tlfence\n\tret\n'),
  S('exit-without-buffer-clear', (bad) => stub('vector=GP', `${swap}\tcall\tdemo_gp\n${unswap}\taddq\t$8, %rsp\n${bad ? '' : '\tverw\tdemo_sel(%rip)\n'}\tiretq\n`) + '\t.globl\tdemo_idle\ndemo_idle:\n\tverw\tdemo_sel(%rip)\n\thlt\n'),
];

/** A handler of a machine check from kernel mode. */
const mc = (body: string, more = ''): string => `${more}DEFINE_IDTENTRY_MCE(exc_machine_check)
{
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

${body}	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}
`;

const machine: readonly Sketch[] = [
  c('work-after-mcip-clear', (bad) => `noinstr void do_machine_check(struct pt_regs *regs)\n{\n\tu64 status = mce_rdmsrl(MSR_IA32_MC0_STATUS);\n\n${bad ? '\tmce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n\tlog_bank(status);\n' : '\tlog_bank(status);\n\tmce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n'}}\n\n${mc('\tdo_machine_check(regs);\n')}`),
  c('recovery-without-ripv-eipv', (bad) => `static void try_recovery(struct mce *m, struct pt_regs *regs)\n{\n\tif (${bad ? '' : 'mc_recoverable(m->mcgstatus) && '}fixup_exception(regs, X86_TRAP_MC, 0, 0))\n\t\treturn;\n\tpanic("machine check");\n}\n`),
  c('unbounded-mc-retry', (bad) => `static void later(struct mce *m)\n{\n\tint count = ++current->mce_count;\n\n\tif (count == 1)\n\t\tcurrent->mce_addr = m->addr;\n${bad ? '' : '\tif (count > 10)\n\t\tmce_panic("too many", m, NULL);\n\tif (count > 1 && (current->mce_addr >> PAGE_SHIFT) != (m->addr >> PAGE_SHIFT))\n\t\tmce_panic("another page", m, NULL);\n'}\tif (count > 1)\n\t\treturn;\n\ttask_work_add(current, &current->mce_kill_me, TWA_RESUME);\n}\n`),
  c('assumes-broadcast', (bad) => mc(`${bad ? '' : '\tif (!(mce_rdmsrl(MSR_IA32_MCG_STATUS) & MCG_STATUS_LMCES))\n\t'}\tgather();\n\tif (!(mce_rdmsrl(MSR_IA32_MCG_STATUS) & MCG_STATUS_RIPV))\n\t\tpanic("machine check");\n\tmce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n`, 'static atomic_t inside;\n\nstatic void gather(void)\n{\n\tatomic_inc(&inside);\n\twhile (atomic_read(&inside) < num_online_cpus())\n\t\tcpu_relax();\n}\n\n')),
  c('dr7-live-in-nmi-like', (bad) => `DEFINE_IDTENTRY_DEBUG(exc_debug)\n{\n\tunsigned long dr6 = debug_read_reset_dr6();\n\tirqentry_state_t state;\n\tunsigned long dr7;\n\n${bad ? '\tstate = irqentry_nmi_enter(regs);\n\tdr7 = local_db_save();\n' : '\tdr7 = local_db_save();\n\tstate = irqentry_nmi_enter(regs);\n'}\thandle_debug(regs, dr6);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n}\n`),
  c('ist-on-user-reachable-trap', (bad) => `static const struct idt_data demo_idts[] = {\n\tISTG(X86_TRAP_DB, asm_exc_debug, IST_INDEX_DB),\n\t${bad ? 'ISTG(X86_TRAP_BP, asm_exc_int3, IST_INDEX_DB)' : 'SYSG(X86_TRAP_BP, asm_exc_int3)'},\n};\n`),
  c('dr6-read-late', (bad) => `DEFINE_IDTENTRY_DEBUG_USER(exc_debug)\n{\n\tunsigned long dr6${bad ? '' : ' = debug_read_reset_dr6()'};\n\n\tirqentry_enter_from_user_mode(regs);\n${bad ? '\tdr6 = debug_read_reset_dr6();\n' : ''}\thandle_debug(regs, dr6);\n\tirqentry_exit_to_user_mode(regs);\n}\n`),
];

const raw = (body: string): string => `DEFINE_IDTENTRY_RAW(exc_demo)
{
	irqentry_state_t state;

${body}}
`;

const handlers: readonly Sketch[] = [
  c('one-slot-word-consumed-by-nested', (bad) => `struct apf_words { u32 flags, token; };
static DEFINE_PER_CPU(struct apf_words, apf_reason);

void demo_enable(void)
{
	wrmsrl(MSR_KVM_ASYNC_PF_EN, slow_virt_to_phys(this_cpu_ptr(&apf_reason)) | 1);
}

DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)
{
	unsigned long address = read_cr2();
	irqentry_state_t state;
	u32 flags;

${bad ? '' : '\tif (!user_mode(regs) && in_nmi())\n\t\tgoto plain;\n'}	flags = __this_cpu_read(apf_reason.flags);
	__this_cpu_write(apf_reason.flags, 0);
	if (flags)
		address = 0;
${bad ? '' : 'plain:\n'}	state = irqentry_enter(regs);
	handle_fault(regs, error_code, address);
	irqentry_exit(regs, state);
}
`),
  c('instrumentable-before-state', (bad) => raw(`${bad ? '\tpr_info("event");\n' : ''}\tstate = irqentry_enter(regs);\n\tinstrumentation_begin();\n${bad ? '' : '\tpr_info("event");\n'}\tinstrumentation_end();\n\tirqentry_exit(regs, state);\n`)),
  c('wrong-state-helper', (bad) => `DEFINE_IDTENTRY_MCE(exc_machine_check)\n{\n\tunsigned long dr7 = local_db_save();\n\tirqentry_state_t state = irqentry_${bad ? '' : 'nmi_'}enter(regs);\n\n\tread_banks(regs);\n\tirqentry_${bad ? '' : 'nmi_'}exit(regs, state);\n\tlocal_db_restore(dr7);\n}\n`),
  c('enter-exit-mismatch', (bad) => raw(`\tstate = irqentry_nmi_enter(regs);\n\tif (is_quick(regs))\n\t\t${bad ? 'return' : 'goto out'};\n\tdo_work(regs);\n${bad ? '' : 'out:\n'}\tirqentry_nmi_exit(regs, state);\n`)),
  c('sleeping-in-atomic-exception', (bad) => mc(`\t${bad ? 'memory_failure(regs->ip >> PAGE_SHIFT, 0)' : 'irq_work_queue(this_cpu_ptr(&mce_work))'};\n`)),
  c('lock-in-nmi-like', (bad) => mc(bad ? '\traw_spin_lock(&bank_lock);\n\tread_banks(regs);\n\traw_spin_unlock(&bank_lock);\n' : '\tif (raw_spin_trylock(&bank_lock)) {\n\t\tread_banks(regs);\n\t\traw_spin_unlock(&bank_lock);\n\t}\n')),
  c('schedule-on-rewinding-stack', (bad) => mc(`\tread_banks(regs);\n${bad ? '\tpreempt_schedule();\n' : ''}`)),
  c('wrong-deferral-mode', (bad) => mc(`\t${bad ? 'force_sig(SIGBUS)' : 'irq_work_queue(this_cpu_ptr(&mce_work))'};\n`)),
  c('ist-assumption-under-fred', (bad) => `DEFINE_IDTENTRY_RAW(exc_nmi)
{
	unsigned long cr2 = read_cr2();
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
	if (read_cr2() != cr2)
		write_cr2(cr2);
}

DEFINE_FREDENTRY_NMI(exc_nmi)
{
	unsigned long cr2 = read_cr2();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	irqentry_nmi_exit(regs, state);
	if (read_cr2() != cr2)
		write_cr2(cr2);
}

__visible noinstr void fred_entry_from_kernel(struct pt_regs *regs)
{
	switch (regs->fred_ss.type) {
	case EVENT_TYPE_NMI:
		return ${bad ? 'exc_nmi' : 'fred_exc_nmi'}(regs);
	}
}
`),
  c('fred-return-state-lost', (bad) => `static bool repair(struct pt_regs *regs, struct pt_regs *uregs)\n{\n${bad ? '' : '\tregs->fred_ss.nmi = uregs->fred_ss.nmi;\n'}\turegs->ssx = regs->ssx;\n\turegs->fred_ss.nmi = 0;\n\turegs->csx = regs->csx;\n\turegs->fred_cs.sl = 0;\n\treturn true;\n}\n`),
];

const annotated = (lines: readonly string[]): string => `/*\n${lines.map((line) => ` * xctx: ${line}\n`).join('')} */\nvoid demo_de(struct pt_regs *regs)\n{\n}\n`;

const annotations: readonly Sketch[] = [
  S('undeclared-handler', (bad) => OTHER_STUB + (bad ? stub('vector=DE', '\tiretq\n').replace(/\/\*.*\n/, '') : stub('vector=DE', '\tclac\n\tcld\n\tiretq\n'))),
  c('contradictory-annotation', (bad) => `${annotated([`handler vector=DE ist=${bad ? 'DB' : 'none'}`])}\nstatic const struct idt_data demo_idts[] = {\n\tINTG(X86_TRAP_DE, asm_demo_de),\n};\n`),
  c('unused-suppression', (bad) => annotated(['handler vector=DE', ...(bad ? ['allow sleeping-in-atomic-exception -- not here'] : [])])),
  c('malformed-annotation', (bad) => annotated([bad ? 'handler vectro=DE' : 'handler vector=DE'])),
  c('stale-assumption', (bad) => annotated(['handler vector=DE', `assume ${bad ? 'demo_gone' : 'demo_de'} -- touches nothing`])),
];

export const CODE_SKETCHES: readonly Sketch[] = [...system, ...machine, ...handlers, ...annotations];
