/* What every design of a #VE handler shares: the information area, and what handling an event means. */
#ifndef MINIKERNEL_VE_H
#define MINIKERNEL_VE_H

#include "minikernel.h"

/*
 * Virtualization-exception information area (SDM vol. 3C, "Convertible EPT Violations"). The CPU fills it only while
 * `busy` is 0, and sets that to all ones; any other EPT violation is a VM exit, as without #VE.
 */
struct ve_page {
	u32 reason;
	u32 busy;
	u64 qual;
	u64 gla;
	u64 gpa;
	u16 eptp;
} __aligned(4096);

/* The host brings the page back before it returns, or ends the guest. */
void hypercall_map_page(u64 gpa);

/* A user copy that can fail does; any other access is repeated once the page is there. */
static inline void ve_handle(struct pt_regs *regs, u64 gla, u64 gpa)
{
	if (!user_mode(regs) && fixup_exception(regs, X86_TRAP_VE, 0, gla))
		return;
	hypercall_map_page(gpa);
}

#endif
