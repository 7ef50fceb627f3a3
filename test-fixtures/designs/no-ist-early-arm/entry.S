/* #VE without an IST stack, by the plain stub: it trusts that #VE never comes before RSP and the GS base are the kernel's. */
#include "../../include/minikernel-entry.h"
#include "../../include/minikernel-nmi.h"
#include "../../include/minikernel-syscall.h"

plain_entry asm_exc_ve exc_ve
