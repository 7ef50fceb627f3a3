/*
 * Firmware of the conformance image: from the reset vector to long mode. The processor starts in real mode at the top of
 * the ROM; the payload is copied to RAM and entered with paging on.
 */
#include "layout.h"

	.section .boot, "ax"

	.code32
	.globl	protected_mode
protected_mode:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	cld
	movl	$payload_load, %esi
	movl	$payload_start, %edi
	movl	$payload_words, %ecx
	rep movsl

	/* Paging, long mode, and the GDT of the payload. */
	movl	$CR4_PAE, %eax
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
	ljmpl	$KERNEL_CS, $long_mode

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
boot_gdt_pointer:
	.word	. - boot_gdt - 1
	.long	boot_gdt

	.section .reset, "ax"
	.code16
real_mode:
	cli
	lgdtl	%cs:(boot_gdt_pointer - 0xffff0000)
	movl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $protected_mode
	/* The reset vector: sixteen bytes below 4 GiB. */
	.org	0x30
	jmp	real_mode
	.org	0x40

	.section .note.GNU-stack, "", @progbits
