/* Constants that the assembler, the C compiler and the linker script share. */

#define KERNEL32_CS	0x08
#define KERNEL_CS	0x10
#define KERNEL_DS	0x18
#define USER_CS		0x33
#define USER_DS		0x2b
#define TSS_SELECTOR	0x40

#define CR0_PE		0x00000001
#define CR0_NE		0x00000020
#define CR0_WP		0x00010000
#define CR0_PG		0x80000000
#define CR4_PAE		0x00000020
#define CR4_MCE		0x00000040

#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_MCG_STATUS		0x17a

#define EFER_SCE	0x001
#define EFER_LME	0x100
#define EFER_NXE	0x800

/* Virtual addresses of device registers: pages of 2 MiB that map the local APIC and the pvpanic device. */
#define APIC		0x40000000
#define APIC_EOI	(APIC + 0x0b0)
#define APIC_SPURIOUS	(APIC + 0x0f0)
#define APIC_IRR	(APIC + 0x200)
#define APIC_ICR	(APIC + 0x300)
#define APIC_ICR2	(APIC + 0x310)
#define APIC_LVT_TIMER	(APIC + 0x320)
#define APIC_LVT_LINT0	(APIC + 0x350)
#define APIC_LVT_LINT1	(APIC + 0x360)
#define APIC_INITIAL	(APIC + 0x380)
#define APIC_DIVIDE	(APIC + 0x3e0)
#define PANIC		0x40200000

#define APIC_PHYSICAL	0xfee00000
#define PANIC_PHYSICAL	0xfea00000

/* A write of this value to the panic device stops the machine until the host has answered. */
#define PANIC_STOP	1

/* Entry points that are no vectors. */
#define POINT_SYSCALL	0x100
#define POINT_NOTE	0x101
#define POINT_EXIT	0x102
#define POINT_RUNAWAY	0x103
#define POINT_SHUTDOWN	0x104

/* Where the second processor starts: a page below 1 MiB, whose number is the vector of the start-up IPI. */
#define SECOND_START	0x8000

#define EXIT_VECTOR	0xfe
#define EXIT_IST	7

/* Instructions from the write that starts the timer to the first boundary of a sequence. */
#define LAUNCH_TICKS	15

/* Quadwords of a log record. */
#define RECORD_WORDS	40
