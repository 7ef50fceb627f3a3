/*
 * "Have the extable code do the re-enabling", so that it works: the exception-table handler re-arms nothing, but the
 * access that it fixed up goes on at its landing pad by way of code that does. That runs after the IRET, when the frame
 * on the IST stack is dead, and soon enough for the next failure of the same NMI to be reported again. Only #VE takes
 * this way: a #PF fixed up in an NMI must not re-arm under the #VE handler that the NMI interrupted.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

void ve_rearm_landing(void);

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=deferred fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/*
 * xctx: handler vector=VE ist=VE origin=any
 * xctx: defers-to ve_rearm_landing via=landing-pad
 * xctx: defers-to sysvec_ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- where no landing pad re-arms, the host stops the virtual CPU until the page is back
 */
DEFINE_IDTENTRY_IST(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);

	if (!user_mode(regs) && fixup_exception(regs, X86_TRAP_VE, 0, ve->gla)) {
		/* Code with an exception-table entry runs on a kernel stack: the word below its RSP is free. */
		regs->sp -= sizeof(regs->ip);
		*(unsigned long *)regs->sp = regs->ip;
		regs->ip = (unsigned long)ve_rearm_landing;
		return;
	}

	apic_self_ipi(VE_REARM_VECTOR);
	hypercall_map_page(ve->gpa);
}

/* xctx: clears ve_page.busy */
DEFINE_IDTENTRY_SYSVEC(sysvec_ve_rearm)
{
	apic_eoi();
	this_cpu_write(ve_page.busy, 0);
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,		IST_INDEX_NMI),
	ISTG(X86_TRAP_VE,	asm_exc_ve,		IST_INDEX_VE),
	INTG(VE_REARM_VECTOR,	asm_sysvec_ve_rearm),
};
