/* The gates of the small kernel. */
static const struct idt_data idt[] = {
	INTG(X86_TRAP_GP,	asm_exc_general_protection),
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,		IST_INDEX_NMI),
	ISTG(X86_TRAP_MC,	asm_exc_machine_check,	IST_INDEX_MCE),
	SYSG(X86_TRAP_BP,	asm_exc_int3),
};
