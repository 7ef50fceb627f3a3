/*
 * The second processor, which only runs where a machine check is to come from elsewhere: from its start-up IPI to long
 * mode, then it halts, and takes and counts the machine checks that reach it.
 */
#include "layout.h"

	.text

	/* Copied to SECOND_START, which the start-up IPI names. */
	.code16
	.globl	second_start, second_end
second_start:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	(second_gdt_pointer - second_start)
	movl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $second_protected
	.balign	8
second_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
second_gdt_pointer:
	.word	23
	.long	SECOND_START + second_gdt - second_start
second_end:

	.code32
second_protected:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movl	$(CR4_PAE | CR4_MCE), %eax
	movl	%eax, %cr4
	movl	$page_tables, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$(EFER_SCE | EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$(CR0_PG | CR0_WP | CR0_NE | CR0_PE), %eax
	movl	%eax, %cr0
	lgdtl	gdt_pointer
	ljmpl	$KERNEL_CS, $second_long_mode

	.code64
second_long_mode:
	movl	$KERNEL_DS, %eax
	movl	%eax, %ss
	movq	$stack_second, %rsp
	lidt	second_idt_pointer
	movl	$1, second_ready
1:	hlt
	jmp	1b

	.globl	second_machine_check
second_machine_check:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	movl	$MSR_MCG_STATUS, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	incl	second_checks
	popq	%rdx
	popq	%rcx
	popq	%rax
	iretq

	.data
second_idt_pointer:
	.word	16 * 256 - 1
	.quad	second_idt
	.globl	second_ready, second_checks
second_ready:
	.long	0
second_checks:
	.long	0

	.section .note.GNU-stack, "", @progbits
