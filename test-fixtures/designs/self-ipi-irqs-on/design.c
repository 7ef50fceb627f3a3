/*
 * The self-IPI design, except that the slow part of the handler runs with interrupts on. Now the IPI comes at once: its
 * frame lies on the IST stack, below the #VE frame, and it re-arms #VE while both are live.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=deferred fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/* Not per-CPU and not pinned: the host may take its page away like any other. */
static u64 ve_count;

/*
 * xctx: handler vector=VE ist=VE origin=any
 * xctx: defers-to sysvec_ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back, or ends the guest
 */
DEFINE_IDTENTRY_IST(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);

	apic_self_ipi(VE_REARM_VECTOR);

	local_irq_enable();
	WRITE_ONCE(ve_count, ve_count + 1);
	ve_handle(regs, ve->gla, ve->gpa);
	local_irq_disable();
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
