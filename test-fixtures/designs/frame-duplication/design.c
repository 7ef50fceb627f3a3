/*
 * "Duplicating the stack frame and patching the outer handler's stack from the recursive #VE": the stub does it, and
 * re-arms #VE once its return frame is final. That leaves one instruction, the IRET behind the cleared marker: an NMI
 * there, a failing access in the NMI, and the new #VE takes itself for the first one and builds its frames on top of
 * the return frame that is about to be popped.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=after-frame-move fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/*
 * xctx: handler vector=VE ist=VE origin=any
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back, or ends the guest
 */
DEFINE_IDTENTRY_IST(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);

	ve_handle(regs, ve->gla, ve->gpa);
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,	IST_INDEX_NMI),
	ISTG(X86_TRAP_VE,	asm_exc_ve,	IST_INDEX_VE),
};
