/* #PF on the interrupted stack, NMI with nesting protocol. */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

plain_entry asm_exc_page_fault exc_page_fault has_error_code=1
