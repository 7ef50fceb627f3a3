/* What sequences use beyond the processor's own instructions. Each is one instruction, but for the log. */

	.set	noncanonical, 0x800000000000

	.macro	note
	LOG	POINT_NOTE
	.endm

	.macro	exit
	int	$EXIT_VECTOR
	.endm

	/* An NMI for this processor: physical destination 0, since the shorthand is for fixed interrupts only. */
	.macro	self_nmi
	movl	$0x4400, APIC_ICR
	.endm

	.macro	self_ipi vector=0xf3
	movl	$(0x4000 | \vector), APIC_ICR
	.endm

	/* The host injects the machine check of the variant while the processor stands behind this instruction. */
	.macro	machine_check
	movb	$PANIC_STOP, PANIC
	.endm

	/* The end of an interrupt whose log does not tell the APIC. */
	.macro	eoi
	movl	$0, APIC_EOI
	.endm
