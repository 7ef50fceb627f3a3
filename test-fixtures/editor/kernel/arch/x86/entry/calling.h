/* Registers pushed as a frame. */
.macro MINI_PUSH first=%rdi save=1
	.if \save == 1
	pushq \first
	.endif
	pushq %rsi
	pushq %rdx
.endm

.macro MINI_FENCE
	ALTERNATIVE "nop; nop", "lfence", X86_FEATURE_MINI_FENCE
.endm
