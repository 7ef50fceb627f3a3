// Sketches of a few lines, as a mail or a first draft has them: for every rule of the catalogue one that it must speak on
// and one that it must accept. They leave out what the examples of the rules' pages have: saved registers, other handlers.
import { guardedWord, nmiReadsUser, rearmInterrupt } from './example-text.ts';
import { CODE_SKETCHES } from './sketches-code.test-data.ts';
import type { Files } from './examples.test-data.ts';

export interface Sketch {
  readonly rule: string;
  readonly bad: Files;
  readonly good: Files;
}

/** A stub with the annotation that makes it a handler. */
const stub = (annotation: string, body: string): string => `	.globl	demo_entry
/* xctx: handler ${annotation} */
demo_entry:
${body}`;

const c = (rule: string, make: (bad: boolean) => string): Sketch => ({ rule, bad: { 'sketch.c': make(true) }, good: { 'sketch.c': make(false) } });
const S = (rule: string, make: (bad: boolean) => string): Sketch => ({ rule, bad: { 'sketch.S': make(true) }, good: { 'sketch.S': make(false) } });
const ops = (rule: string, make: (bad: boolean) => string): Sketch => ({ rule, bad: { 'sketch.xctx-scenario.yaml': make(true) }, good: { 'sketch.xctx-scenario.yaml': make(false) } });

const exit = '\taddq\t$8, %rsp\n\tiretq\n';
const swapFromUser = (offset: number): string => `	testb	$3, ${offset}(%rsp)
	jz	1f
	swapgs
1:	lfence
`;
const swapToUser = (offset: number): string => `	testb	$3, ${offset}(%rsp)
	jz	2f
	swapgs
2:
`;

/** A handler of #VE that defers, with `body` before. */
const ve = (annotation: string, body: string, more = ''): string => `${guardedWord('deferred')}${more}
/*
 * xctx: handler vector=VE ${annotation}
 * xctx: defers-to ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host keeps the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
${body}}
${rearmInterrupt}`;
const send = '\tapic_self_ipi(0xf3);\n';

const guarded: readonly Sketch[] = [
  c('guard-cleared-on-rewinding-stack', (bad) => ve('ist=VE', bad ? '\tthis_cpu_write(ve_page.busy, 0);\n' : send)),
  ops('guard-cleared-on-rewinding-stack', (bad) => `name: sketch\nhandlers:\n  ve:\n    ist: VE\n    ops: [read-info, fixup, ${bad ? '{clear: ve.busy}' : '{defer: self-ipi, clears: ve.busy}'}, iret]\n${nmiReadsUser}`),
  c('guard-cleared-in-handler', (bad) => ve('ist=none', bad ? '\tve_finish();\n' : send, '/* xctx: never-in gap vectors=VE -- the host promises it */\nstatic void ve_finish(void)\n{\n\tthis_cpu_write(ve_page.busy, 0);\n}\n').replace(/\/\* (xctx: never-in[^*]*) \*\/\n/, '').replace(' * xctx: fallback-ok', ' * xctx: never-in gap vectors=VE -- the host promises it\n * xctx: fallback-ok')),
  c('guard-never-rearmed', (bad) => ve('ist=VE', bad ? `\tif (fixup_exception(regs, 20, 0, 0))\n\t\treturn;\n${send}` : `${send}\tif (fixup_exception(regs, 20, 0, 0))\n\t\treturn;\n`)),
  ops('guard-never-rearmed', (bad) => `name: sketch\nguards:\n  ve.busy: {set: hw, fallback: vmexit}\nhandlers:\n  ve:\n    ist: VE\n    ops: [read-info, fixup, ${bad ? '' : '{defer: self-ipi, clears: ve.busy}, '}iret]\n${nmiReadsUser}`),
  c('rearm-lands-on-live-frame', (bad) => ve('ist=VE', bad ? `${send}\tlocal_irq_enable();\n\tcpu_relax();\n\tlocal_irq_disable();\n` : send)),
  ops('rearm-lands-on-live-frame', (bad) => `name: sketch\nhandlers:\n  ve:\n    ist: VE\n    ops: [read-info, fixup, {defer: self-ipi, clears: ve.busy}, ${bad ? 'enable-irqs, disable-irqs, ' : ''}iret]\n${nmiReadsUser}`),
  c('raisable-access-inside-window', (bad) => `DEFINE_IDTENTRY(exc_virtualization_exception)\n{\n\tstruct ve_info info;\n\n${bad ? '\tcount_event(cpuid_eax(1));\n' : ''}\ttdx_get_ve_info(&info);\n\thandle_event(regs, &info);\n}\n`),
  c('info-read-after-rearm', (bad) => `${guardedWord('immediate', 'info')}
/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- the host promises it
 * xctx: fallback-ok vmexit -- the host keeps the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);
	u64 gpa;

${bad ? '\tve->busy = 0;\n\tgpa = ve->gpa;\n' : '\tgpa = ve->gpa;\n\tve->busy = 0;\n'}	bring_back(gpa);
}
`),
  c('unsafe-switch-off-ist', (bad) => `struct pt_regs *demo_new_stack(struct pt_regs *regs)
{
	unsigned long to = regs->sp;
	struct stack_info info;
	struct pt_regs *moved;

	if (ip_within_syscall_gap(regs))
		to = demo_fallback_top();
	if (!get_stack_info_noinstr((void *)regs->sp, current, &info)${bad ? '' : ' || info.type == STACK_TYPE_ENTRY || info.type > STACK_TYPE_EXCEPTION_LAST'})
		to = demo_fallback_top();
	moved = (struct pt_regs *)to - 1;
	memcpy(moved, regs, sizeof(*regs));
	return moved;
}
`),
  S('ist-on-user-reachable-trap', (bad) => `${stub('vector=DB ist=DB', '\tcall\tdemo_db\n\tiretq\n')}${stub(`vector=BP dpl=3 ist=${bad ? 'DB' : 'none'}`, '\tcall\tdemo_bp\n\tiretq\n').replaceAll('demo_entry', 'demo_int3')}`),
  c('extable-recovery-without-rearm', (bad) => ve('ist=VE', `${send}\tfixup_exception(regs, 20, 0, 0);\n`).replace(bad ? ' * xctx: fallback-ok vmexit -- the host keeps the virtual CPU until the page is back\n' : '\0', '') + '\n/*\n * xctx: handler vector=NMI\n * xctx: never-in gap vectors=NMI,VE -- not what this is about\n */\nvoid demo_nmi(struct pt_regs *regs)\n{\n\tu64 value;\n\n\t__get_user(value, (u64 __user *)regs->bp);\n\t__get_user(value, (u64 __user *)regs->bp);\n}\n'),
  ops('extable-rearm-on-rewinding-stack', (bad) => `name: sketch\nhandlers:\n  ve:\n    ist: VE\n    ops: [read-info, ${bad ? '{clear: ve.busy, at: extable-handler}, fixup' : 'fixup, {defer: self-ipi, clears: ve.busy}'}, iret]\n  nmi:\n    ist: NMI\n    ops: [{access: user_frame}, {access: user_frame}, iret]\n`),
  c('ist-required', (bad) => `static const struct idt_data demo_idts[] = {\n\t${bad ? 'INTG(X86_TRAP_DF, asm_exc_double_fault)' : 'ISTG(X86_TRAP_DF, asm_exc_double_fault, IST_INDEX_DF)'},\n};\n`),
  c('ist-stack-shared', (bad) => `static const struct idt_data demo_idts[] = {\n\tISTG(X86_TRAP_MC, asm_exc_machine_check, IST_INDEX_MCE),\n\tISTG(X86_TRAP_VE, asm_exc_virtualization_exception, ${bad ? 'IST_INDEX_MCE' : 'IST_INDEX_VE'}),\n};\n`),
  c('extable-type-gap', (bad) => ve('ist=none', send).replace(' * xctx: fallback-ok', ' * xctx: never-in gap vectors=VE -- the host promises it\n * xctx: fallback-ok') + `
bool ex_handler_uaccess(const struct exception_table_entry *entry, struct pt_regs *regs, int trapnr, unsigned long address)
{
	this_cpu_write(ve_page.busy, 0);
	return ex_handler_default(entry, regs);
}

void demo_read(struct pt_regs *regs)
{
	u64 value;

	${bad ? '__get_user' : 'get_user'}(value, (u64 __user *)regs->bp);
}
`),
  c('deferral-cannot-run', (bad) => `${guardedWord('deferred')}
/* xctx: clears ve_page.busy */
static void ve_rearm_fn(void *work)
{
	this_cpu_write(ve_page.busy, 0);
}
static struct callback_head ve_rearm_task;
static DEFINE_PER_CPU(struct irq_work, ve_rearm_irq);

/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm_fn via=${bad ? 'task-work' : 'irq-work'}
 * xctx: fallback-ok vmexit -- the host keeps the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	${bad ? 'task_work_add(current, &ve_rearm_task, TWA_RESUME)' : 'irq_work_queue(this_cpu_ptr(&ve_rearm_irq))'};
}
`),
  c('missing-motivation', (bad) => (bad ? guardedWord('deferred').replace(/ \* xctx: why[^\n]*\n/, '') : guardedWord('deferred'))),
];

const nmis: readonly Sketch[] = [
  S('fault-in-nmi-prologue', (bad) => stub('vector=NMI ist=NMI', `\tpushq\t%rdx\n${bad ? '\tincl\t%gs:nmis(%rip)\n\tmovq\t$1, -32(%rsp)\n' : '\tmovq\t$1, -32(%rsp)\n\tincl\t%gs:nmis(%rip)\n'}\tmovq\t$0, -32(%rsp)\n\tpopq\t%rdx\n\tiretq\n`)),
  c('iret-in-nmi-needs-nesting', (bad) => ve('ist=VE', `${send}\tfixup_exception(regs, 20, 0, 0);\n`) + `\n/* xctx: handler vector=NMI ist=NMI */\nvoid demo_nmi(struct pt_regs *regs)\n{\n\tu64 value;\n\n\t${bad ? '__get_user(value, (u64 __user *)regs->bp)' : 'value = regs->bp'};\n}\n`),
  S('irqs-enabled-while-nmi-blocked', (bad) => stub('vector=NMI ist=NMI', `\tcall\tdemo_nmi\n${bad ? '\tsti\n\tcli\n' : ''}\tiretq\n`)),
  S('nested-test-trusts-rsp', (bad) => stub('vector=NMI ist=NMI', `\tcmpq\t$demo_stack_top, 3*8(%rsp)\n\tjb\t7f\n\tcall\tdemo_nmi\n7:${bad ? '' : '\ttestb\t$4, 2*8+1(%rsp)\n\tjz\t8f\n'}\tiretq\n${bad ? '' : '8:\tcall\tdemo_nmi\n\tiretq\n'}`)),
  c('cr2-not-preserved', (bad) => `DEFINE_IDTENTRY_RAW(exc_nmi)\n{\n\tunsigned long dr7 = local_db_save();\n${bad ? '' : '\tunsigned long cr2 = read_cr2();\n'}\tirqentry_state_t state = irqentry_nmi_enter(regs);\n\n\tcopy_from_user_nmi(stack_words, (void __user *)regs->sp, 64);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n${bad ? '' : '\tif (read_cr2() != cr2)\n\t\twrite_cr2(cr2);\n'}}\n`),
  c('nmi-user-access-not-nofault', (bad) => `DEFINE_IDTENTRY_RAW(exc_nmi)\n{\n\tunsigned long dr7 = local_db_save();\n\tunsigned long cr2 = read_cr2();\n\tirqentry_state_t state = irqentry_nmi_enter(regs);\n\n\t${bad ? 'copy_from_user' : 'copy_from_user_nmi'}(stack_words, (void __user *)regs->sp, 64);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n\tif (read_cr2() != cr2)\n\t\twrite_cr2(cr2);\n}\n`),
  c('edge-coalescing-ignored', (bad) => `static void ask_sources(struct pt_regs *regs)\n{\n${bad ? '\tif (source_a(regs))\n\t\treturn;\n\tif (source_b(regs))\n\t\tnote_b();\n' : '\tint found = source_a(regs);\n\n\tfound += source_b(regs);\n\tcount_found(found);\n'}}\n\nDEFINE_IDTENTRY_RAW(exc_nmi)\n{\n\tunsigned long dr7 = local_db_save();\n\tunsigned long cr2 = read_cr2();\n\tirqentry_state_t state = irqentry_nmi_enter(regs);\n\n\task_sources(regs);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n\tif (read_cr2() != cr2)\n\t\twrite_cr2(cr2);\n}\n`),
];

const stubs: readonly Sketch[] = [
  S('swapgs-imbalance', (bad) => stub('vector=GP', `${swapFromUser(16)}\tcall\tdemo_gp\n${bad ? '\tswapgs\n' : swapToUser(16)}${exit}`)),
  S('cs-test-in-super-atomic', (bad) => stub('vector=MC ist=MCE', bad ? `${swapFromUser(8)}\tcall\tdemo_mc\n${swapToUser(8)}\tiretq\n` : '\tpushq\t%rbx\n\tpushq\t%rax\n\trdgsbase\t%rbx\n\tmovq\t__per_cpu_offset(%rip), %rax\n\twrgsbase\t%rax\n\tcall\tdemo_mc\n\twrgsbase\t%rbx\n\tpopq\t%rax\n\tpopq\t%rbx\n\tiretq\n')),
  S('percpu-before-gs', (bad) => stub('vector=GP', `${bad ? '\tincq\t%gs:entries(%rip)\n' : ''}${swapFromUser(16)}${bad ? '' : '\tincq\t%gs:entries(%rip)\n'}\tcall\tdemo_gp\n${swapToUser(16)}${exit}`)),
  S('gs-sign-test-with-fsgsbase', (bad) => stub('vector=NMI ist=NMI', `\tpushq\t%rbx\n\tpushq\t%rax\n\tpushq\t%rcx\n\tpushq\t%rdx\n${bad ? '\tmovl\t$0xc0000101, %ecx\n\trdmsr\n\tmovl\t$1, %ebx\n\ttestl\t%edx, %edx\n\tjs\t1f\n\txorl\t%ebx, %ebx\n\tswapgs\n1:\tlfence\n' : '\trdgsbase\t%rbx\n\tmovq\t__per_cpu_offset(%rip), %rax\n\twrgsbase\t%rax\n'}\tcall\tdemo_nmi\n${bad ? '\ttestl\t%ebx, %ebx\n\tjnz\t2f\n\tswapgs\n2:' : '\twrgsbase\t%rbx\n'}\tpopq\t%rdx\n\tpopq\t%rcx\n\tpopq\t%rax\n\tpopq\t%rbx\n\tiretq\n`)),
  S('access-on-user-cr3', (bad) => stub('vector=GP', `\tpushq\t%rax\n\tmovq\t%cr3, %rax\n\tpushq\t%rax\n\tandq\t$~0x1800, %rax\n\tmovq\t%rax, %cr3\n${swapFromUser(32)}\tcall\tdemo_gp\n\tpopq\t%rax\n${bad ? '' : '\tincq\t%gs:exits(%rip)\n'}\tmovq\t%rax, %cr3\n${bad ? '\tincq\t%gs:exits(%rip)\n' : ''}${swapToUser(24)}\tpopq\t%rax\n${exit}`)),
  S('paranoid-cr3-not-verbatim', (bad) => stub('vector=MC ist=MCE', `\tpushq\t%rax\n\tpushq\t%rbx\n\tpushq\t%r14\n\tmovq\t%cr3, %r14\n\tmovq\t%r14, %rax\n\tandq\t$~0x1800, %rax\n\tmovq\t%rax, %cr3\n\trdgsbase\t%rbx\n\tmovq\t__per_cpu_offset(%rip), %rax\n\twrgsbase\t%rax\n\tcall\tdemo_mc\n\twrgsbase\t%rbx\n${bad ? '\ttestb\t$3, 32(%rsp)\n\tjz\t3f\n' : ''}\tmovq\t%r14, %cr3\n3:\tpopq\t%r14\n\tpopq\t%rbx\n\tpopq\t%rax\n\tiretq\n`)),
  S('cr3-gs-order', (bad) => stub('vector=GP', `${swapFromUser(16)}\tcall\tdemo_gp\n\ttestb\t$3, 16(%rsp)\n\tjz\t2f\n${bad ? '\tswapgs\n\tbtq\t$1, %gs:flush_mask(%rip)\n' : '\tbtq\t$1, %gs:flush_mask(%rip)\n\tswapgs\n'}2:\n${exit}`)),
  S('error-code-frame-mismatch', (bad) => stub('vector=GP', `${bad ? '\tpushq\t$-1\n' : ''}\tpushq\t%rdi\n\tmovq\t%rsp, %rdi\n\tcall\tdemo_gp\n\tpopq\t%rdi\n${bad ? '\taddq\t$16, %rsp\n\tiretq\n' : exit}`)),
  S('frame-unbalanced-at-return', (bad) => stub('vector=GP', `\tpushq\t%rax\n\tcall\tdemo_gp\n\tpopq\t%rax\n${bad ? '\tiretq\n' : exit}`)),
  S('frame-below-rsp', (bad) => stub('vector=GP', `${bad ? '\tmovq\t%rax, -16(%rsp)\n' : '\tpushq\t%rax\n\tpopq\t%rax\n'}\tcall\tdemo_gp\n${exit}`)),
  c('ist-shift-not-unwound', (bad) => `DEFINE_IDTENTRY_RAW(exc_nmi)\n{\n\tunsigned long cr2 = read_cr2();\n\tunsigned long dr7;\n\tirqentry_state_t state;\n\n\tsev_es_ist_enter(regs);\n\tdr7 = local_db_save();\n\tstate = irqentry_nmi_enter(regs);\n\tdo_events(regs);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n${bad ? '\tif (is_quick(regs))\n\t\treturn;\n' : ''}\tsev_es_ist_exit();\n\tif (read_cr2() != cr2)\n\t\twrite_cr2(cr2);\n}\n`),
  S('copy-then-switch-atomicity', (bad) => stub('vector=DB ist=DB', `\ttestb\t$3, 8(%rsp)\n\tjz\t1f\n\tswapgs\n\tpushq\t%rbx\n\tpushq\t%rax\n\tmovq\t%gs:top_of_stack(%rip), %rax\n\tmovq\t%rsp, %rbx\n${bad ? '\tmovq\t%rax, %rsp\n\tpushq\t6*8(%rbx)\n\tpushq\t5*8(%rbx)\n\tpushq\t4*8(%rbx)\n\tpushq\t3*8(%rbx)\n\tpushq\t2*8(%rbx)\n\tpushq\t1*8(%rbx)\n\tpushq\t(%rbx)\n' : '\tsubq\t$7*8, %rax\n\tpushq\t%rcx\n\tpushq\t%rsi\n\tpushq\t%rdi\n\tmovl\t$7, %ecx\n\tmovq\t%rbx, %rsi\n\tmovq\t%rax, %rdi\n\tcld\n\trep movsq\n\tpopq\t%rdi\n\tpopq\t%rsi\n\tpopq\t%rcx\n\tmovq\t%rax, %rsp\n'}\tcall\tdemo_db\n\tpopq\t%rax\n\tpopq\t%rbx\n\tswapgs\n1:\tiretq\n`)),
  S('user-origin-stays-on-ist', (bad) => stub('vector=DB ist=DB', bad ? '\tcall\tdemo_db\n\tsti\n\tcall\texit_work\n\tcli\n\tiretq\n' : '\tcall\tdemo_db\n\tiretq\n')),
];

export const SKETCHES: readonly Sketch[] = [...guarded, ...nmis, ...stubs, ...CODE_SKETCHES];
