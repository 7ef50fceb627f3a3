/*
 * #VE on an IST stack; the handler re-arms #VE as soon as it has read the information area. The next access that fails,
 * its own or an NMI's, starts at the top of the same stack and overwrites the frame that this handler returns through.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/* Not per-CPU and not pinned: the host may take its page away like any other. */
static u64 ve_count;

/*
 * xctx: handler vector=VE ist=VE origin=any
 * xctx: clears ve_page.busy
 */
DEFINE_IDTENTRY_IST(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);
	u64 gla = ve->gla;
	u64 gpa = ve->gpa;

	WRITE_ONCE(ve->busy, 0);
	WRITE_ONCE(ve_count, ve_count + 1);
	ve_handle(regs, gla, gpa);
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,	IST_INDEX_NMI),
	ISTG(X86_TRAP_VE,	asm_exc_ve,	IST_INDEX_VE),
};
