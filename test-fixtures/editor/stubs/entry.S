/* A stub for NMIs that relies on the CPU to block the next one, and one for breakpoints. */
.macro stub name handler
	.globl	\name
\name:
	cld
	pushq	$-1
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	%rsp, %rdi
	call	\handler
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	iretq
.endm

	stub	asm_demo_nmi demo_nmi
	stub	asm_demo_bp demo_bp
