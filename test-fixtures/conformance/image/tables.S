/*
 * Page tables and GDT. The first GiB is mapped as it is, but for the pages that sequences want absent or to themselves; the
 * devices have pages in the second GiB; the ROM is where it was while paging is turned on.
 */
#include "layout.h"

#define PRESENT		0x001
#define WRITE		0x002
#define USER		0x004
#define NO_CACHE	0x010
#define LARGE		0x080

	.section .data.tables, "aw"

	/* Two top-level tables side by side, as page-table isolation has them: they differ in bit 12 of CR3. */
	.balign	8192
	.globl	page_tables
page_tables:
	.quad	directory_pointers + (PRESENT | WRITE | USER)
	.fill	511, 8, 0
user_page_tables:
	.quad	directory_pointers + (PRESENT | WRITE | USER)
	.fill	511, 8, 0

directory_pointers:
	.quad	directory_0 + (PRESENT | WRITE | USER)
	.quad	directory_1 + (PRESENT | WRITE | USER)
	.quad	0
	.quad	directory_3 + (PRESENT | WRITE | USER)
	.fill	508, 8, 0

directory_0:
	.set	address, 0
	.rept	512
	.if	address == 0xa00000
	.quad	0
	.else
	.quad	address + (PRESENT | WRITE | USER | LARGE)
	.endif
	.set	address, address + 0x200000
	.endr

directory_1:
	.quad	APIC_PHYSICAL + (PRESENT | WRITE | USER | NO_CACHE | LARGE)
	.quad	PANIC_PHYSICAL + (PRESENT | WRITE | USER | NO_CACHE | LARGE)
	.fill	510, 8, 0

directory_3:
	.fill	511, 8, 0
	.quad	0xffe00000 + (PRESENT | LARGE)

	/* Selectors as Linux numbers them, and some that no delivery may use. */
	.globl	gdt, gdt_tss, gdt_pointer, idt_pointer
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08 32-bit code */
	.quad	0x00af9b000000ffff	/* 0x10 kernel code */
	.quad	0x00cf93000000ffff	/* 0x18 kernel data */
	.quad	0x00cffb000000ffff	/* 0x23 user 32-bit code */
	.quad	0x00cff3000000ffff	/* 0x2b user data */
	.quad	0x00affb000000ffff	/* 0x33 user code */
	.quad	0
gdt_tss:
	.quad	0, 0			/* 0x40 TSS */
	.quad	0x00af1b000000ffff	/* 0x50 kernel code, not present */
	.quad	0x00cf13000000ffff	/* 0x58 kernel data, not present */
	.quad	0, 0, 0
	.quad	0x0040f50000000000	/* 0x7b CPU number, as a limit */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
idt_pointer:
	.word	16 * 256 - 1
	.quad	idt

	.section .note.GNU-stack, "", @progbits
