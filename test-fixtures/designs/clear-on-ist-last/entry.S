/* #VE on an IST stack, NMI with nesting protocol. The argument is in design.c. */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

ist_entry asm_exc_ve exc_ve
