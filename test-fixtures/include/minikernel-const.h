/* Numbers that the assembler half and the C half of a design share. Integers only, so that both can read them. */
#ifndef MINIKERNEL_CONST_H
#define MINIKERNEL_CONST_H

#define X86_TRAP_NMI		2
#define X86_TRAP_PF		14
#define X86_TRAP_MC		18
#define X86_TRAP_VE		20

/* The vector on which a CPU tells itself to re-arm #VE. */
#define VE_REARM_VECTOR		0xf0

/* Index of an IST stack; the IST field of a gate is one more. */
#define IST_INDEX_NMI		1
#define IST_INDEX_MCE		3
#define IST_INDEX_VE		5

/* Offsets in struct pt_regs. */
#define R15			0x00
#define RBP			0x20
#define RBX			0x28
#define RAX			0x50
#define RDI			0x70
#define ORIG_RAX		0x78
#define RIP			0x80
#define CS			0x88
#define EFLAGS			0x90
#define RSP			0x98
#define SS			0xa0
#define PTREGS_SIZE		0xa8

#define __KERNEL_CS		0x10
#define __KERNEL_DS		0x18
#define __USER_DS		0x2b
#define __USER_CS		0x33

#define X86_EFLAGS_FIXED	0x2
#define X86_EFLAGS_IF		0x200

#define MSR_GS_BASE		0xc0000101
#define MSR_IA32_MCG_STATUS	0x17a
#define MSR_X2APIC_EOI		0x80b
#define MSR_IA32_FRED_RSP0	0x1cc
#define MSR_IA32_FRED_RSP1	0x1cd
#define MSR_IA32_FRED_RSP2	0x1ce
#define MSR_IA32_FRED_STKLVLS	0x1d0
#define MSR_IA32_FRED_CONFIG	0x1d4

#define EX_TYPE_DEFAULT		1
#define EX_TYPE_FAULT		2
#define EX_TYPE_UACCESS		3

#define EFAULT			14
#define ENOSYS			38

#endif
