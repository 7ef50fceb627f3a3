/*
 * NMI entry that survives a second NMI: delivery blocks NMIs only until the next IRET, and that may be the one of a #VE,
 * #PF or #MC taken inside the handler. The second NMI then starts at the top of the same IST stack and overwrites the
 * first one's frame, so nobody returns through the frame that the CPU pushed:
 *
 *	hardware frame		overwritten by each NMI
 *	marker			1 while the frames below belong to an NMI
 *	return frame		what the first NMI's IRET pops; a nested NMI points it at repeat_nmi
 *	saved frame		where the first NMI really came from; upper end of its struct pt_regs
 *
 * The marker has to be 0 before the IRET that makes it so, hence the two tests of the interrupted RIP. RIP cannot be
 * forged, unlike RSP, which is the user's in the SYSCALL gap.
 */
#ifndef MINIKERNEL_NMI_H
#define MINIKERNEL_NMI_H

#include "minikernel-entry.h"

/* Offsets from the saved frame. */
#define NMI_RETURN_IP		5*8
#define NMI_RETURN_FLAGS	7*8
#define NMI_RETURN_SP		8*8
#define NMI_MARKER		10*8
#define NMI_HARDWARE_IP		11*8
#define NMI_FRAMES_SIZE		11*8

SYM_CODE_START(asm_exc_nmi)
	clac
	cld
	testb	$3, 1*8(%rsp)
	jnz	.Lnmi_from_user

	/* Where the saved frame is, or will be: nothing is pushed before it is clear which. */
	subq	$NMI_FRAMES_SIZE, %rsp
	cmpq	$repeat_nmi, NMI_HARDWARE_IP(%rsp)
	jb	1f
	cmpq	$end_repeat_nmi, NMI_HARDWARE_IP(%rsp)
	jb	.Lnested_nmi_out
1:	cmpq	$nmi_iret, NMI_HARDWARE_IP(%rsp)
	je	.Lnested_nmi
	cmpq	$1, NMI_MARKER(%rsp)
	je	.Lnested_nmi

	/* The first NMI. Up to the marker nothing may fault: its handler's IRET would let a second one in. */
	addq	$NMI_FRAMES_SIZE, %rsp
	pushq	$0			/* marker */
	.rept 5
	pushq	5*8(%rsp)		/* return frame */
	.endr
	.rept 5
	pushq	10*8(%rsp)		/* saved frame */
	.endr
	jmp	.Lnmi_frames_ready

	/* A nested NMI's only trace: the first one runs again. CS and SS of the return frame are the kernel's still. */
SYM_INNER_LABEL(repeat_nmi)
	pushq	0*8(%rsp)
	popq	NMI_RETURN_IP(%rsp)
	pushq	2*8(%rsp)
	popq	NMI_RETURN_FLAGS(%rsp)
	pushq	3*8(%rsp)
	popq	NMI_RETURN_SP(%rsp)
.Lnmi_frames_ready:
	movq	$1, NMI_MARKER(%rsp)
SYM_INNER_LABEL(end_repeat_nmi)
	pushq	$-1
	PUSH_REGS
	paranoid_enter
	movq	%rsp, %rdi
	call	exc_nmi
	paranoid_exit
	POP_REGS
	addq	$(8 + NMI_RETURN_IP), %rsp
	movq	$0, (NMI_MARKER - NMI_RETURN_IP)(%rsp)
SYM_INNER_LABEL(nmi_iret)
	iretq

.Lnested_nmi:
	movq	$repeat_nmi, NMI_RETURN_IP(%rsp)
	movq	$X86_EFLAGS_FIXED, NMI_RETURN_FLAGS(%rsp)
	movq	%rsp, NMI_RETURN_SP(%rsp)
.Lnested_nmi_out:
	addq	$NMI_FRAMES_SIZE, %rsp
	iretq

	/* The task stack does not rewind: exc_nmi() notes an NMI that came inside it. */
.Lnmi_from_user:
	pushq	$-1
	handle_from_user exc_nmi
SYM_CODE_END(asm_exc_nmi)

#endif
