/*
 * #MC "comes with a fundamentally broken don't-recurse-me mechanism" too: MCIP. While it is set the next #MC is a
 * shutdown, so the handler has to clear it, and the last place it can is here, on the IST stack. A #MC between that and
 * the IRET overwrites the frame. The hardware offers nothing better, and kernels accept it.
 */
#include "../../include/minikernel.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

/* The saved RIP is where to go on; the error belongs to it. */
#define MCG_STATUS_RIPV		0x1
#define MCG_STATUS_EIPV		0x2

static struct callback_head kill_task;

/*
 * xctx: guard MCIP set=hw clear=wrmsr clears=immediate fallback=shutdown protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- the mail compares #VE with it
 * xctx: handler vector=MC ist=MCE origin=any
 * xctx: clears MCIP
 */
DEFINE_IDTENTRY_IST(exc_machine_check)
{
	u64 status;

	rdmsrl(MSR_IA32_MCG_STATUS, status);
	if (!(status & MCG_STATUS_RIPV))
		panic("machine check: nowhere to go on");

	if (user_mode(regs)) {
		task_work_add(current, &kill_task, TWA_RESUME);
	} else {
		if (!(status & MCG_STATUS_EIPV))
			panic("machine check: not of this access");
		if (!fixup_exception(regs, X86_TRAP_MC, 0, 0))
			panic("machine check in the kernel");
	}

	/* Nothing behind this but the way to the IRET. */
	wrmsrl(MSR_IA32_MCG_STATUS, 0);
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,		IST_INDEX_NMI),
	ISTG(X86_TRAP_MC,	asm_exc_machine_check,	IST_INDEX_MCE),
};
