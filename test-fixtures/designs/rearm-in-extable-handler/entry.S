/*
 * #VE on an IST stack, NMI with nesting protocol, the re-arming IPI on the interrupted stack, and an accessor of user
 * memory whose faults go to ex_handler_uaccess().
 */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

ist_entry	asm_exc_ve		exc_ve
plain_entry	asm_sysvec_ve_rearm	sysvec_ve_rearm

/* int get_user_8(unsigned long *value, const void __user *address) */
SYM_CODE_START(get_user_8)
	stac
1:	movq	(%rsi), %rax
	clac
	movq	%rax, (%rdi)
	xorl	%eax, %eax
	ret

2:	clac
	movl	$-EFAULT, %eax
	ret
SYM_CODE_END(get_user_8)

EXTABLE(1b, 2b, EX_TYPE_UACCESS)
