/*
 * The assembler half of the minikernel: what entry stubs are made of.
 *
 * One CR3 (no page-table isolation), no speculation barriers, and CR4.FSGSBASE off, so that the sign of the GS base
 * tells whose it is: user mode cannot load a negative one.
 */
/* xctx: assume !X86_FEATURE_FSGSBASE -- this kernel leaves CR4.FSGSBASE off */
#ifndef MINIKERNEL_ENTRY_H
#define MINIKERNEL_ENTRY_H

#include "minikernel-const.h"

#define SYM_CODE_START(name)	.globl name; .balign 16; name:
#define SYM_INNER_LABEL(name)	.globl name; name:
#define SYM_CODE_END(name)	.type name, @function; .size name, . - name

#define PER_CPU_VAR(var)	%gs:(var)(%rip)

/* A fault at `from` goes on at `to` once fixup_exception() accepted it. */
#define EXTABLE(from, to, ex_type)		\
	.pushsection "__ex_table", "a";		\
	.balign	4;				\
	.long	(from) - .;			\
	.long	(to) - .;			\
	.long	ex_type;			\
	.popsection

/* Completes struct pt_regs above which the hardware frame and the error code, or -1, already lie. */
.macro PUSH_REGS
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
.endm

/* Leaves RSP at the error code. */
.macro POP_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm

/*
 * Kernel CS does not mean kernel GS base: the event may have come before the SWAPGS of another entry, or after the one
 * of its exit. EBX says until paranoid_exit whether the interrupted code ran on the kernel's (1) or not (0).
 */
.macro paranoid_enter
	movl	$1, %ebx
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	testl	%edx, %edx
	js	.Lkernel_gs_\@
	swapgs
	xorl	%ebx, %ebx
.Lkernel_gs_\@:
.endm

.macro paranoid_exit
	testl	%ebx, %ebx
	jnz	.Lkeep_gs_\@
	swapgs
.Lkeep_gs_\@:
.endm

/*
 * From user mode there is always an empty task stack. Needs the kernel GS base and RSP at the error code; the words
 * left behind are dead with the last instruction.
 */
.macro switch_to_task_stack
	pushq	%rax
	movq	%rsp, %rax
	movq	PER_CPU_VAR(top_of_stack), %rsp
	pushq	6*8(%rax)		/* ss */
	pushq	5*8(%rax)		/* sp */
	pushq	4*8(%rax)		/* flags */
	pushq	3*8(%rax)		/* cs */
	pushq	2*8(%rax)		/* ip */
	pushq	1*8(%rax)		/* orig_ax */
	movq	(%rax), %rax
.endm

/* The whole way of an event from user mode, from RSP at the error code to the IRET. */
.macro handle_from_user handler:req
	swapgs
	switch_to_task_stack
	PUSH_REGS
	movq	%rsp, %rdi
	call	\handler
	POP_REGS
	addq	$8, %rsp
	swapgs
	iretq
.endm

/* Stub of a vector with an IST stack and no error code. From user mode it leaves the IST stack at once. */
.macro ist_entry stub:req handler:req
SYM_CODE_START(\stub)
	clac
	cld
	pushq	$-1
	testb	$3, 2*8(%rsp)
	jnz	.Lfrom_user_\@

	PUSH_REGS
	paranoid_enter
	movq	%rsp, %rdi
	call	\handler
	paranoid_exit
	POP_REGS
	addq	$8, %rsp
	iretq

.Lfrom_user_\@:
	handle_from_user \handler
SYM_CODE_END(\stub)
.endm

/*
 * Stub of a vector that never comes while the GS base is the user's in kernel mode: CS decides. An error code stays in
 * orig_ax, where the handler finds it.
 */
.macro plain_entry stub:req handler:req has_error_code=0
SYM_CODE_START(\stub)
	clac
	cld
	.if \has_error_code == 0
	pushq	$-1
	.endif
	testb	$3, 2*8(%rsp)
	jnz	.Lfrom_user_\@

	PUSH_REGS
	movq	%rsp, %rdi
	call	\handler
	POP_REGS
	addq	$8, %rsp
	iretq

.Lfrom_user_\@:
	handle_from_user \handler
SYM_CODE_END(\stub)
.endm

#endif
