/*
 * What runs around a sequence: its launch by IRETQ, the log of an entry point, the end of a variant, and the handlers
 * that drain what a variant left pending. The log changes nothing that a sequence or a later record could see.
 */
#include "layout.h"
#include "record.h"

	.text
	.globl	long_mode
long_mode:
	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movq	$stack_driver, %rsp
	cld
	movq	$bss_start, %rdi
	movq	$bss_end, %rcx
	subq	%rdi, %rcx
	shrq	$3, %rcx
	xorl	%eax, %eax
	rep stosq
	call	driver
1:	hlt
	jmp	1b

/*
 * launch(struct launch *): arms the timer and enters the sequence. The timer counts from its write, so that the
 * instructions from there to the IRETQ are part of every count. Returns when the variant ends.
 */
	.globl	launch
launch:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, driver_rsp
	pushq	LAUNCH_SS(%rdi)
	pushq	LAUNCH_RSP(%rdi)
	pushq	LAUNCH_RFLAGS(%rdi)
	pushq	LAUNCH_CS(%rdi)
	pushq	LAUNCH_RIP(%rdi)
	movl	LAUNCH_TIMER(%rdi), %eax
	movl	%eax, APIC_INITIAL
	movq	LAUNCH_RAX(%rdi), %rax
	movq	LAUNCH_RCX(%rdi), %rcx
	movq	LAUNCH_RDX(%rdi), %rdx
	movq	LAUNCH_RBX(%rdi), %rbx
	movq	LAUNCH_RBP(%rdi), %rbp
	movq	LAUNCH_RSI(%rdi), %rsi
	movq	LAUNCH_R8(%rdi), %r8
	movq	LAUNCH_R9(%rdi), %r9
	movq	LAUNCH_R10(%rdi), %r10
	movq	LAUNCH_R11(%rdi), %r11
	movq	LAUNCH_R12(%rdi), %r12
	movq	LAUNCH_R13(%rdi), %r13
	movq	LAUNCH_R14(%rdi), %r14
	movq	LAUNCH_R15(%rdi), %r15
	movq	LAUNCH_RDI(%rdi), %rdi
	iretq

/* The gate of `exit`, on a stack of its own. */
	.globl	end_of_variant
end_of_variant:
	LOG	POINT_EXIT
leave_variant:
	cld
	movq	driver_rsp, %rsp
	movq	$page_tables, %rax
	movq	%rax, %cr3
	movl	$KERNEL_DS, %eax
	movl	%eax, %ss
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/*
 * Writes a record and goes back to log_return with every register and flag as it was. RAX is in log_rax, the point in
 * log_point. It runs on a stack of its own; what could arrive inside has arrived before its first instruction.
 */
	.globl	log_common
log_common:
	movq	log_next, %rax
	movq	%rbx, RECORD_RBX(%rax)
	movq	%rcx, RECORD_RCX(%rax)
	movq	%rdx, RECORD_RDX(%rax)
	movq	%rsp, RECORD_RSP(%rax)
	movq	%rbp, RECORD_RBP(%rax)
	movq	%rsi, RECORD_RSI(%rax)
	movq	%rdi, RECORD_RDI(%rax)
	movq	%r8, RECORD_R8(%rax)
	movq	%r9, RECORD_R9(%rax)
	movq	%r10, RECORD_R10(%rax)
	movq	%r11, RECORD_R11(%rax)
	movq	%r12, RECORD_R12(%rax)
	movq	%r13, RECORD_R13(%rax)
	movq	%r14, RECORD_R14(%rax)
	movq	%r15, RECORD_R15(%rax)
	movq	$stack_log, %rsp
	pushfq
	popq	RECORD_RFLAGS(%rax)
	pushq	RECORD_RFLAGS(%rax)
	movq	log_rax, %rbx
	movq	%rbx, RECORD_RAX(%rax)
	movq	log_point, %rbx
	movq	%rbx, RECORD_POINT(%rax)
	movq	log_variant, %rcx
	movq	%rcx, RECORD_VARIANT(%rax)
	movl	%cs, %ecx
	movq	%rcx, RECORD_CS(%rax)
	movl	%ss, %ecx
	movq	%rcx, RECORD_SS(%rax)
	movq	%cr2, %rcx
	movq	%rcx, RECORD_CR2(%rax)
	movq	%cr3, %rcx
	movq	%rcx, RECORD_CR3(%rax)
	movq	%dr6, %rcx
	movq	%rcx, RECORD_DR6(%rax)
	movq	%dr7, %rcx
	movq	%rcx, RECORD_DR7(%rax)
	cmpq	$POINT_SYSCALL, %rbx
	je	1f
	cmpq	$POINT_NOTE, %rbx
	je	1f
	movq	RECORD_RSP(%rax), %rbx
	movq	0(%rbx), %rcx
	movq	%rcx, RECORD_FRAME(%rax)
	movq	8(%rbx), %rcx
	movq	%rcx, RECORD_FRAME + 8(%rax)
	movq	16(%rbx), %rcx
	movq	%rcx, RECORD_FRAME + 16(%rax)
	movq	24(%rbx), %rcx
	movq	%rcx, RECORD_FRAME + 24(%rax)
	movq	32(%rbx), %rcx
	movq	%rcx, RECORD_FRAME + 32(%rax)
	movq	40(%rbx), %rcx
	movq	%rcx, RECORD_FRAME + 40(%rax)
1:	movq	%rax, %rbx
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	movl	%eax, RECORD_GS_BASE(%rbx)
	movl	%edx, RECORD_GS_BASE + 4(%rbx)
	movl	$MSR_KERNEL_GS_BASE, %ecx
	rdmsr
	movl	%eax, RECORD_KERNEL_GS_BASE(%rbx)
	movl	%edx, RECORD_KERNEL_GS_BASE + 4(%rbx)
	movl	$MSR_MCG_STATUS, %ecx
	rdmsr
	movl	%eax, RECORD_MCG_STATUS(%rbx)
	movl	%edx, RECORD_MCG_STATUS + 4(%rbx)
	/* Vectors 0xe0-0xff that wait in the interrupt request register. */
	movl	APIC_IRR + 0x70, %ecx
	movq	%rcx, RECORD_IRR(%rbx)
	leaq	RECORD_BYTES(%rbx), %rcx
	movq	%rcx, log_next
	decq	log_left
	jz	runaway
	/* An interrupt is acknowledged by its log. */
	cmpq	$0xf0, RECORD_POINT(%rbx)
	jb	2f
	cmpq	$0xfd, RECORD_POINT(%rbx)
	ja	2f
	movl	$0, APIC_EOI
2:	popfq
	movq	RECORD_RAX(%rbx), %rax
	movq	RECORD_RCX(%rbx), %rcx
	movq	RECORD_RDX(%rbx), %rdx
	movq	RECORD_RSP(%rbx), %rsp
	movq	RECORD_RBX(%rbx), %rbx
	jmpq	*log_return

/* A variant that never ends is cut off. */
runaway:
	movq	log_next, %rax
	movq	$POINT_RUNAWAY, RECORD_POINT(%rax)
	movq	log_variant, %rcx
	movq	%rcx, RECORD_VARIANT(%rax)
	addq	$RECORD_BYTES, %rax
	movq	%rax, log_next
	jmp	leave_variant

/* Default handlers, 0-255, one block each: `default_N`, `default_N_1`... */
	.altmacro
	.macro	NAMED vector, index
	.globl	default_\vector\()_\index
default_\vector\()_\index:
	.endm

	.macro	DEFAULT vector, kind
	NAMED	\vector, 0
	LOG	\vector
	NAMED	\vector, 1
	.ifc	\kind,returns
	iretq
	.else
	int	$EXIT_VECTOR
	.endif
	.endm

	.set	vector, 0
	.rept	256
	.if	vector == 1 || vector == 2 || vector == 3 || vector == 4 || vector >= 32
	DEFAULT	%vector, returns
	.else
	DEFAULT	%vector, exits
	.endif
	.set	vector, vector + 1
	.endr

	.section .rodata
	.globl	default_handlers
default_handlers:
	.macro	ADDRESS vector
	.quad	default_\vector\()_0
	.endm
	.set	vector, 0
	.rept	256
	ADDRESS	%vector
	.set	vector, vector + 1
	.endr
	.noaltmacro

	.text
/* Takes what is still pending: an IRETQ ends blocking by NMI, and IF is 1 for a few instructions. */
	.globl	drain
drain:
	movq	%rsp, %rax
	pushq	$KERNEL_DS
	pushq	%rax
	pushfq
	pushq	$KERNEL_CS
	pushq	$1f
	iretq
1:	sti
	nop
	nop
	nop
	cli
	ret
	.globl	drain_interrupt
drain_interrupt:
	movl	$0, APIC_EOI
	iretq
	.globl	drain_nmi
drain_nmi:
	iretq
	.globl	unexpected
unexpected:
	call	stop_unexpected
	jmp	unexpected

	/* Words that sequences read, write and watch. */
	.data
	.balign	64
	.globl	cells
cells:
	.set	index, 0
	.altmacro
	.macro	CELL number
	.globl	cell\number
cell\number:
	.quad	0
	.endm
	.rept	8
	CELL	%index
	.set	index, index + 1
	.endr
	.noaltmacro

	.bss
	.balign	8
	.globl	driver_rsp, log_rax, log_point, log_return, log_next, log_left, log_variant
driver_rsp:	.quad	0
log_rax:	.quad	0
log_point:	.quad	0
log_return:	.quad	0
log_next:	.quad	0
log_left:	.quad	0
log_variant:	.quad	0

	.section .note.GNU-stack, "", @progbits
