/* #MC on an IST stack, NMI with nesting protocol. */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"

ist_entry asm_exc_machine_check exc_machine_check
