/* SYSCALL entry. SYSCALL switches no stack: up to the third instruction RSP is whatever user mode left in it. */
#ifndef MINIKERNEL_SYSCALL_H
#define MINIKERNEL_SYSCALL_H

#include "minikernel-entry.h"

SYM_CODE_START(entry_SYSCALL_64)
	swapgs
	movq	%rsp, PER_CPU_VAR(user_sp)
	movq	PER_CPU_VAR(top_of_stack), %rsp
SYM_INNER_LABEL(entry_SYSCALL_64_safe_stack)
	pushq	$__USER_DS
	pushq	PER_CPU_VAR(user_sp)
	pushq	%r11			/* flags */
	pushq	$__USER_CS
	pushq	%rcx			/* ip */
	pushq	%rax			/* orig_ax */
	PUSH_REGS
	movq	%rsp, %rdi
	call	do_syscall_64
	POP_REGS
	addq	$8, %rsp
	swapgs
	iretq
SYM_CODE_END(entry_SYSCALL_64)

#endif
