/* Entry code of a tree that is no kernel. */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm-offsets.h>
#include "calling.h"

.macro mini_entry stub function
SYM_CODE_START(\stub)
	cld
	MINI_PUSH
	MINI_FENCE
	call mini_enter
	movq %rsp, %rdi
	call \function
	jmp .Lmini_return
SYM_CODE_END(\stub)
.endm

#include <asm/idtentry.h>

SYM_CODE_START(mini_enter)
	testb $3, 8(%rsp)
	jz 1f
	swapgs
	jmp .Lmini_entered
1:
	movl $1, %ebx	/* mini_enter came from the kernel */
	jz 1b
.Lmini_entered:
	MINI_FENCE
	ret
SYM_CODE_END(mini_enter)

#ifdef CONFIG_XEN_PV
SYM_CODE_START(mini_xen)
	ret
SYM_CODE_END(mini_xen)
#else
SYM_CODE_START(mini_native)
	jmp .Lmini_return
SYM_CODE_END(mini_native)
#endif

SYM_CODE_START(mini_exit)
.Lmini_return:
	swapgs
	jmp 1f
SYM_INNER_LABEL(mini_exit_iret)
1:	iretq
2:	ud2
SYM_CODE_END(mini_exit)
