/*
 * #VE on an IST stack that its stub leaves at once: from user mode for the task stack, from kernel mode for whatever
 * stack the interrupted code ran on. Nobody asks whether that is one.
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

	/* Between SYSCALL and the load of the kernel's RSP this is the user's. */
	movq	RSP(%rsp), %rdi
	andq	$-16, %rdi
	subq	$PTREGS_SIZE, %rdi
	movq	%rdi, %rax
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
