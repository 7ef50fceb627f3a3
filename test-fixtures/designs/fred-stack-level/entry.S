/*
 * FRED: two entry points, and the CPU switches GS base and stack. The frame has the error code, or 0, below RIP, which
 * the event return skips. Flags are clean on entry.
 */
#include "../../include/minikernel-entry.h"

/* By their bytes, for assemblers older than the instructions. */
#define ERETU	.byte 0xf3, 0x0f, 0x01, 0xca
#define ERETS	.byte 0xf2, 0x0f, 0x01, 0xca

	/* The CPU computes the second address from the first. */
	.balign	4096
	.globl	asm_fred_entrypoint_user
asm_fred_entrypoint_user:
	PUSH_REGS
	movq	%rsp, %rdi
	call	fred_entry_from_user
	POP_REGS
	ERETU
SYM_CODE_END(asm_fred_entrypoint_user)

	.org	asm_fred_entrypoint_user + 256, 0xcc
	.globl	asm_fred_entrypoint_kernel
asm_fred_entrypoint_kernel:
	PUSH_REGS
	movq	%rsp, %rdi
	call	fred_entry_from_kernel
	POP_REGS
	ERETS
SYM_CODE_END(asm_fred_entrypoint_kernel)
