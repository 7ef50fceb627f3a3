/* #VE on an IST stack, NMI with nesting protocol, the re-arming IPI on the interrupted stack. */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

ist_entry	asm_exc_ve		exc_ve
plain_entry	asm_sysvec_ve_rearm	sysvec_ve_rearm
