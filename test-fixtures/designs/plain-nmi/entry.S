/* #VE and NMI on IST stacks, the NMI by a stub without nesting protocol; the re-arming IPI on the interrupted stack. */
#include "../../include/minikernel-entry.h"

ist_entry	asm_exc_ve		exc_ve
plain_entry	asm_sysvec_ve_rearm	sysvec_ve_rearm

/* Stays on the IST stack from user mode too. */
SYM_CODE_START(asm_exc_nmi)
	clac
	cld
	pushq	$-1
	PUSH_REGS
	paranoid_enter
	movq	%rsp, %rdi
	call	exc_nmi
	paranoid_exit
	POP_REGS
	addq	$8, %rsp
	iretq
SYM_CODE_END(asm_exc_nmi)
