/*
 * #VE on an IST stack, NMI with nesting protocol, the re-arming IPI on the interrupted stack, and the stretch of code
 * that a fixed-up access runs through on its way to its landing pad.
 */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

ist_entry	asm_exc_ve		exc_ve
plain_entry	asm_sysvec_ve_rearm	sysvec_ve_rearm

/*
 * After the IRET of #VE, on the stack of the code whose access failed; its landing pad is on top. Changes no register
 * and no flag. The word is ve_page.busy: at offset 4 by the manual.
 *
 * xctx: clears ve_page.busy
 */
SYM_CODE_START(ve_rearm_landing)
	movl	$0, PER_CPU_VAR(ve_page + 4)
	ret
SYM_CODE_END(ve_rearm_landing)
