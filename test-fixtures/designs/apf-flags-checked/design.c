/*
 * One word says that a #PF is the host's, which reports pages to user mode only. So a #PF handler that came from kernel
 * mode leaves the word alone: it belongs to a handler that an NMI has interrupted.
 */
#include "../../include/minikernel.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

/* Asynchronous page fault of KVM: a #PF with `flags` set is the host's, and CR2 is a token. */
struct apf_reason {
	u32 flags;
	u32 token;
} __aligned(64);

/*
 * xctx: guard apf_reason.flags set=host clear=store clears=immediate fallback=host-queues protects=info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- let the task wait for a page that the host swapped out
 */
DEFINE_PER_CPU(struct apf_reason, apf_reason);

static struct callback_head signal_task;

/* The host runs something else until the page is there. */
void hypercall_wait_for_page(u32 token);

/* xctx: clears apf_reason.flags */
static noinstr bool apf_consume_flags(void)
{
	if (!this_cpu_read(apf_reason.flags))
		return false;
	this_cpu_write(apf_reason.flags, 0);
	return true;
}

/* xctx: handler vector=PF ist=none origin=any err=yes */
noinstr void exc_page_fault(struct pt_regs *regs)
{
	unsigned long address = read_cr2();

	if (user_mode(regs) && apf_consume_flags()) {
		hypercall_wait_for_page(address);
		return;
	}

	/* A fault of this guest's own making. */
	if (user_mode(regs)) {
		task_work_add(current, &signal_task, TWA_RESUME);
		return;
	}
	if (!fixup_exception(regs, X86_TRAP_PF, regs->orig_ax, address))
		panic("page fault in the kernel");
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,		IST_INDEX_NMI),
	INTG(X86_TRAP_PF,	asm_exc_page_fault),
};
