/* Offsets of a log record and of a launch, and the log of an entry point in assembler. */

#define RECORD_VARIANT		0
#define RECORD_POINT		8
#define RECORD_RAX		16
#define RECORD_RCX		24
#define RECORD_RDX		32
#define RECORD_RBX		40
#define RECORD_RSP		48
#define RECORD_RBP		56
#define RECORD_RSI		64
#define RECORD_RDI		72
#define RECORD_R8		80
#define RECORD_R9		88
#define RECORD_R10		96
#define RECORD_R11		104
#define RECORD_R12		112
#define RECORD_R13		120
#define RECORD_R14		128
#define RECORD_R15		136
#define RECORD_RFLAGS		144
#define RECORD_CS		152
#define RECORD_SS		160
#define RECORD_CR2		168
#define RECORD_CR3		176
#define RECORD_DR6		184
#define RECORD_DR7		192
#define RECORD_GS_BASE		200
#define RECORD_KERNEL_GS_BASE	208
#define RECORD_MCG_STATUS	216
#define RECORD_IRR		224
#define RECORD_FRAME		232
#define RECORD_BYTES		(8 * RECORD_WORDS)

#define LAUNCH_RIP	0
#define LAUNCH_CS	8
#define LAUNCH_RFLAGS	16
#define LAUNCH_RSP	24
#define LAUNCH_SS	32
#define LAUNCH_RAX	40
#define LAUNCH_RCX	48
#define LAUNCH_RDX	56
#define LAUNCH_RBX	64
#define LAUNCH_RBP	72
#define LAUNCH_RSI	80
#define LAUNCH_RDI	88
#define LAUNCH_R8	96
#define LAUNCH_R9	104
#define LAUNCH_R10	112
#define LAUNCH_R11	120
#define LAUNCH_R12	128
#define LAUNCH_R13	136
#define LAUNCH_R14	144
#define LAUNCH_R15	152
#define LAUNCH_TIMER	160

	.macro	LOG point
	movq	%rax, log_rax
	leaq	.Llogged\@(%rip), %rax
	movq	%rax, log_return
	movq	$\point, %rax
	movq	%rax, log_point
	jmp	log_common
.Llogged\@:
	.endm
