// Mutants of the designs in test-fixtures, for the rules about what Linux does not have: a guard that a store clears, its
// deferral, and the annotations of `xctx:`. Each names the rule that must speak, a line that it must speak at, and the
// scenario in which the two differ (null: rules that need no run).

const ipi = '\tapic_self_ipi(VE_REARM_VECTOR);\n';
const handled = '\tve_handle(regs, ve->gla, ve->gpa);\n';
const inTask = 've-in-task';
const inNmi = 'perf-nmi-user-copy-fails-twice';
const inGap = 've-in-syscall-gap';

const edit = (from, to, file = 'design.c') => ({ from, to, file });

export const designMutants = [
  ['guard-cleared-on-rewinding-stack', 'self-ipi', 'cleared by the handler that also sends the interrupt', inNmi, 'this_cpu_write(ve_page.busy, 0); /* early */', [edit(ipi, `${ipi}\tthis_cpu_write(ve_page.busy, 0); /* early */\n`)]],
  ['guard-cleared-on-rewinding-stack', 'panic-irqs-off', 'cleared through a pointer behind the work', inTask, 'WRITE_ONCE(ve->busy, 0);', [edit(`${ipi}${handled}`, `${handled}\tWRITE_ONCE(ve->busy, 0);\n`)]],
  ['guard-cleared-in-handler', 'no-ist-early-arm', 'cleared in the handler of a design that defers', inNmi, 've->busy = 0;', [edit('clears=immediate', 'clears=deferred'), edit(' * xctx: clears ve_page.busy\n', '')]],
  ['guard-never-rearmed', 'self-ipi', 'an early return from user mode', inTask, '\t\treturn;', [edit(ipi, `\tif (user_mode(regs))\n\t\treturn;\n${ipi}`)]],
  ['rearm-lands-on-live-frame', 'self-ipi', 'interrupts on while the handler works', inTask, 'local_irq_enable();', [edit(`${ipi}${handled}`, `${ipi}\tif (regs->flags & X86_EFLAGS_IF)\n\t\tlocal_irq_enable();\n${handled}\tlocal_irq_disable();\n`)]],
  ['info-read-after-rearm', 'no-ist-early-arm', 'the address read behind the store', inNmi, 'u64 gpa = ve->gpa;', [edit('\tu64 gpa = ve->gpa;\n\n\tve->busy = 0;\n', '\n\tve->busy = 0;\n\tu64 gpa = ve->gpa;\n')]],
  ['unsafe-switch-off-ist', 'move-off-ist-checked', 'any RSP is taken', inGap, 'movq\t%rax, %rsp', [edit('\tif (in_syscall_gap(regs))\n\t\treturn this_cpu_read(top_of_stack);\n', ''), edit('\treturn this_cpu_read(ve_fallback_stack_top);\n}', '\treturn sp & ~15UL;\n}')]],
  ['extable-recovery-without-rearm', 'self-ipi', 'nobody says that a VM exit is good enough', inNmi, null, [edit(' * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back, or ends the guest\n', '')]],
  ['extable-rearm-on-rewinding-stack', 'self-ipi', 're-armed by the handler of the exception table', inNmi, 'this_cpu_write(ve_page.busy, 0); /* fixup */', [edit('DEFINE_PER_CPU(struct ve_page, ve_page);\n', 'DEFINE_PER_CPU(struct ve_page, ve_page);\n\n/* The host may take its page away. */\nstatic u64 ve_events;\n'), edit(handled, `${handled}\tWRITE_ONCE(ve_events, ve_events + 1);\n`), edit('/* xctx: clears ve_page.busy */\nDEFINE', 'bool ex_handler_default(const struct exception_table_entry *entry, struct pt_regs *regs);\n\nbool ex_handler_imm_reg(const struct exception_table_entry *entry, struct pt_regs *regs, int trapnr, unsigned long address)\n{\n\tthis_cpu_write(ve_page.busy, 0); /* fixup */\n\treturn ex_handler_default(entry, regs);\n}\n\n/* xctx: clears ve_page.busy */\nDEFINE')]],
  ['ist-required', 'no-ist-early-arm', 'the promise about the gap is gone', inGap, null, [edit(' * xctx: never-in gap vectors=VE -- the host never takes away entry text, entry data or stacks\n', '')]],
  ['ist-stack-shared', 'self-ipi', '#VE on the NMI stack', null, 'ISTG(X86_TRAP_VE', [edit('asm_exc_ve,\t\tIST_INDEX_VE', 'asm_exc_ve,\t\tIST_INDEX_NMI'), edit('vector=VE ist=VE', 'vector=VE ist=NMI')]],
  ['ist-on-user-reachable-trap', 'self-ipi', '#BP on the NMI stack', null, 'X86_TRAP_BP', [edit('\tINTG(VE_REARM_VECTOR', '\tG(X86_TRAP_BP, asm_sysvec_ve_rearm, IST_INDEX_NMI + 1, GATE_INTERRUPT, DPL3, __KERNEL_CS),\n\tINTG(VE_REARM_VECTOR')]],
  ['extable-type-gap', 'no-ist-early-arm', 'a hook in the handler of one type', null, 'bool ex_handler_ucopy_len(', [edit('DEFINE_IDTENTRY_NMI', 'bool ex_handler_ucopy_len(const struct exception_table_entry *entry, struct pt_regs *regs, int trapnr, unsigned long address)\n{\n\tthis_cpu_write(ve_page.busy, 0);\n\treturn true;\n}\n\nDEFINE_IDTENTRY_NMI')]],
  ['deferral-cannot-run', 'self-ipi', 'no gate for the interrupt', inTask, 'apic_self_ipi(VE_REARM_VECTOR);', [edit('\tINTG(VE_REARM_VECTOR,\tasm_sysvec_ve_rearm),\n', '')]],
  ['one-slot-word-consumed-by-nested', 'apf-flags-checked', 'the word first, the mode second', 'apf-flags-stolen-by-nmi', 'this_cpu_write(apf_reason.flags, 0);', [edit('if (user_mode(regs) && apf_consume_flags()) {', 'if (apf_consume_flags() && user_mode(regs)) {')]],
  ['missing-motivation', 'self-ipi', 'no reason for the guard', null, 'xctx: guard ve_page.busy', [edit(' * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault\n', '')]],
  ['iret-in-nmi-needs-nesting', 'self-ipi', 'the NMI by a stub for any IST vector', inNmi, null, [edit('#include "../../include/minikernel-nmi.h"\n', '', 'entry.S'), edit('ist_entry\tasm_exc_ve\t\texc_ve\n', 'ist_entry\tasm_exc_ve\t\texc_ve\nist_entry\tasm_exc_nmi\t\texc_nmi\n', 'entry.S')]],
  ['undeclared-handler', 'self-ipi', 'a stub that no table has', null, 'asm_exc_other', [edit('plain_entry\tasm_sysvec_ve_rearm\tsysvec_ve_rearm\n', 'plain_entry\tasm_sysvec_ve_rearm\tsysvec_ve_rearm\nSYM_CODE_START(asm_exc_other)\n\tpushq\t%rax\n\tpopq\t%rax\n\tiretq\nSYM_CODE_END(asm_exc_other)\n', 'entry.S')]],
  ['contradictory-annotation', 'self-ipi', 'another stack than the row has', null, 'xctx: handler vector=VE', [edit('vector=VE ist=VE', 'vector=VE ist=NMI')]],
  ['contradictory-annotation', 'apf-flags-checked', 'no error code for #PF', null, 'xctx: handler vector=PF', [edit('err=yes', 'err=no')]],
  ['unused-suppression', 'self-ipi', 'nothing to allow', inNmi, 'xctx: allow', [edit('/* xctx: clears ve_page.busy */\nDEFINE', '/*\n * xctx: clears ve_page.busy\n * xctx: allow guard-cleared-on-rewinding-stack -- the frame is gone here\n */\nDEFINE')]],
  ['malformed-annotation', 'self-ipi', 'a word that the language has not', null, 'clears=later', [edit('clears=deferred', 'clears=later')]],
  ['stale-assumption', 'self-ipi', 'an assumption about a function that is gone', null, 'xctx: assume', [edit('/* xctx: clears ve_page.busy */\nDEFINE', '/*\n * xctx: clears ve_page.busy\n * xctx: assume apic_send_self -- never touches memory that can fail\n */\nDEFINE')]],
].map(([rule, design, name, scenario, line, edits]) => ({ rule, design, name, scenario, line, edits }));
