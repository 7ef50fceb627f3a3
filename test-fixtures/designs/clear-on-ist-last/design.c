/*
 * #VE on an IST stack; re-arming is the handler's last store, and nothing behind it can fail. But the way from there to
 * the IRET is still on the IST stack: an NMI on it that touches failed memory overwrites the frame.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/*
 * xctx: handler vector=VE ist=VE origin=any
 * xctx: clears ve_page.busy
 */
DEFINE_IDTENTRY_IST(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);

	ve_handle(regs, ve->gla, ve->gpa);
	WRITE_ONCE(ve->busy, 0);
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,	IST_INDEX_NMI),
	ISTG(X86_TRAP_VE,	asm_exc_ve,	IST_INDEX_VE),
};
