#ifndef MINI_ALTERNATIVE_H
#define MINI_ALTERNATIVE_H

#define X86_FEATURE_MINI_FENCE	(3*32 + 5)
#define X86_FEATURE_MINI_PTI	(7*32 + 11)

#ifdef __ASSEMBLY__
/* A row of the table: original, replacement, feature, their lengths. */
.macro mini_row feature
	.long 81b - .
	.long 83f - .
	.4byte \feature
	.byte 82b - 81b
	.byte 84f - 83f
.endm

.macro ALTERNATIVE old, new, feature
81:	\old
82:
	.pushsection .altinstructions, "a"
	mini_row \feature
	.popsection
	.pushsection .altinstr_replacement, "ax"
83:	\new
84:
	.popsection
.endm
#endif
#endif
