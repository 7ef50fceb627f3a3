/*
 * #VE in the manner of nested NMIs: the stub returns through a copy of its frame, and a #VE that nests while the copy is
 * in use points it at repeat_ve, so that the first one runs again.
 *
 *	hardware frame		overwritten by each #VE
 *	marker			1 while the return frame is in use and #VE is armed
 *	return frame		what the first #VE's IRET pops
 *	saved frame		where it really came from; upper end of its struct pt_regs
 *
 * Up to the marker no #VE can nest, because ve_page.busy is set.
 */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

/* Offsets from the saved frame. */
#define VE_RETURN_IP		5*8
#define VE_RETURN_FLAGS		7*8
#define VE_RETURN_SP		8*8
#define VE_MARKER		10*8
#define VE_FRAMES_SIZE		11*8

/* xctx: clears ve_page.busy */
SYM_CODE_START(asm_exc_ve)
	clac
	cld
	testb	$3, 1*8(%rsp)
	jnz	.Lve_from_user

	subq	$VE_FRAMES_SIZE, %rsp
	cmpq	$1, VE_MARKER(%rsp)
	je	.Lnested_ve

	addq	$VE_FRAMES_SIZE, %rsp
	pushq	$0			/* marker */
	.rept 5
	pushq	5*8(%rsp)		/* return frame */
	.endr
	.rept 5
	pushq	10*8(%rsp)		/* saved frame */
	.endr

SYM_INNER_LABEL(repeat_ve)
	pushq	$-1
	PUSH_REGS
	paranoid_enter
	movq	%rsp, %rdi
	call	exc_ve

	/* exc_ve() may have moved RIP to a landing pad; only now is the return frame final. CS and SS never change. */
	movq	RIP(%rsp), %rax
	movq	%rax, (RIP + VE_RETURN_IP)(%rsp)
	movq	EFLAGS(%rsp), %rax
	movq	%rax, (RIP + VE_RETURN_FLAGS)(%rsp)
	movq	RSP(%rsp), %rax
	movq	%rax, (RIP + VE_RETURN_SP)(%rsp)
	movq	$1, (RIP + VE_MARKER)(%rsp)

	/* ve_page.busy: the word is at offset 4 by the manual. From here on a #VE can nest. */
	movl	$0, PER_CPU_VAR(ve_page + 4)
	paranoid_exit
	POP_REGS
	addq	$(8 + VE_RETURN_IP), %rsp

	/*
	 * A nested NMI is recognised here by the RIP that it interrupted. A nested #VE is not: no access of this stub
	 * can fail, so it comes from an NMI, and its RIP is in there.
	 */
	movq	$0, (VE_MARKER - VE_RETURN_IP)(%rsp)
SYM_INNER_LABEL(ve_iret)
	iretq

	/* Not handled: the access is repeated with the word set, and the VM exit makes the host deal with it. */
.Lnested_ve:
	movq	$repeat_ve, VE_RETURN_IP(%rsp)
	movq	$X86_EFLAGS_FIXED, VE_RETURN_FLAGS(%rsp)
	movq	%rsp, VE_RETURN_SP(%rsp)
	addq	$VE_FRAMES_SIZE, %rsp
	iretq

.Lve_from_user:
	pushq	$-1
	swapgs
	switch_to_task_stack
	PUSH_REGS
	movq	%rsp, %rdi
	call	exc_ve
	movl	$0, PER_CPU_VAR(ve_page + 4)
	POP_REGS
	addq	$8, %rsp
	swapgs
	iretq
SYM_CODE_END(asm_exc_ve)
