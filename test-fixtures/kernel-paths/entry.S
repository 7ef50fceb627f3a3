# A small kernel of our own: system calls, faults, #MC and NMI, each stub as short as its contract allows. Lines that end
# in `# guard` are what the contract rests on: the tests take them away.

	.macro SAVE ax=%rax
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	\ax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	xorl	%esi, %esi
	xorl	%edx, %edx
	xorl	%ecx, %ecx
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%ebx, %ebx	# guard
	xorl	%ebp, %ebp
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	.endm

	.macro RESTORE
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp	# guard
	.endm

	# The sign of the GS base says whose it is: this kernel keeps user space from setting a negative one.
	.macro PARANOID
	movl	$0xc0000101, %ecx
	rdmsr
	movl	$1, %ebx
	testl	%edx, %edx
	js	.Lkernel_\@
	xorl	%ebx, %ebx	# guard
	swapgs			# guard
.Lkernel_\@:
	lfence			# guard
	.endm

	.text
	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs			# guard
	movq	%rsp, %gs:(cpu_tss_rw + 20)(%rip)
	movq	%gs:cpu_current_top_of_stack(%rip), %rsp	# guard
entry_SYSCALL_64_safe_stack:
	pushq	$0x2b
	pushq	%gs:(cpu_tss_rw + 20)(%rip)
	pushq	%r11
	pushq	$0x33
	pushq	%rcx
	pushq	%rax
	SAVE	ax=$-38
	movq	%rsp, %rdi
	movslq	%eax, %rsi
	call	do_syscall_64
	RESTORE
	swapgs			# guard
	iretq

	.globl	asm_exc_general_protection
asm_exc_general_protection:
	clac			# guard
	cld			# guard
	SAVE
	testb	$3, 17*8(%rsp)
	jz	.Lfrom_kernel
	swapgs			# guard
	lfence			# guard
	movq	%rsp, %rdi
	call	sync_regs	# guard
	movq	%rax, %rsp	# guard
	movq	%rsp, %rdi
	movq	15*8(%rsp), %rsi
	movq	$-1, 15*8(%rsp)
	call	exc_general_protection
	RESTORE
	swapgs			# guard
	iretq
.Lfrom_kernel:
	lfence			# guard
	movq	%rsp, %rdi
	movq	15*8(%rsp), %rsi
	movq	$-1, 15*8(%rsp)
	call	exc_general_protection
	RESTORE
	iretq

	.globl	asm_exc_machine_check
asm_exc_machine_check:
	clac			# guard
	cld			# guard
	pushq	$-1		# guard
	SAVE
	PARANOID
	movq	%rsp, %rdi
	call	exc_machine_check
	testl	%ebx, %ebx
	jnz	.Lmc_out
	swapgs			# guard
.Lmc_out:
	RESTORE
	iretq

	.globl	asm_exc_int3
asm_exc_int3:
	iretq

	# An NMI that finds the marker set drops out at once: this kernel gives up nested NMIs but not its frame.
	.globl	asm_exc_nmi
asm_exc_nmi:
	clac			# guard
	cld			# guard
	pushq	$-1		# guard
	SAVE
	PARANOID
	movq	%rsp, %rdi
	call	exc_nmi
	testl	%ebx, %ebx
	jnz	.Lnmi_out
	swapgs			# guard
.Lnmi_out:
	RESTORE
	iretq
