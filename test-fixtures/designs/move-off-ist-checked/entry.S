/*
 * #VE on an IST stack that its stub leaves at once: from user mode for the task stack, from kernel mode for a stack that
 * ve_stack_pointer() has found to be one.
 */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"
#include "../../include/minikernel-syscall.h"

SYM_CODE_START(asm_exc_ve)
	clac
	cld
	pushq	$-1
	testb	$3, 2*8(%rsp)
	jnz	.Lve_from_user

	PUSH_REGS
	paranoid_enter
	movq	%rsp, %rdi
	call	ve_stack_pointer

	/* The copy is complete before RSP leaves the IST stack, and until then #VE is not re-armed. */
	leaq	-PTREGS_SIZE(%rax), %rax
	movq	%rax, %rdi
	movq	%rsp, %rsi
	movl	$(PTREGS_SIZE / 8), %ecx
	rep movsq
	movq	%rax, %rsp

	movq	%rsp, %rdi
	call	exc_ve
	paranoid_exit
	POP_REGS
	addq	$8, %rsp
	iretq

.Lve_from_user:
	handle_from_user exc_ve
SYM_CODE_END(asm_exc_ve)
