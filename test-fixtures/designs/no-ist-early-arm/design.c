/*
 * In the manner of TDX: #VE on the interrupted stack, re-armed as soon as the information area has been read. A nested
 * one adds a frame below, and nothing is overwritten. The price is a promise of the host's: without IST a #VE in the
 * SYSCALL gap would be pushed on the user's stack.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

DEFINE_PER_CPU(unsigned long, user_sp);

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/* Not per-CPU and not pinned: the host may take its page away like any other. */
static u64 ve_count;

/*
 * xctx: handler vector=VE ist=none origin=any
 * xctx: clears ve_page.busy
 * xctx: never-in gap vectors=VE -- the host never takes away entry text, entry data or stacks
 */
DEFINE_IDTENTRY(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);
	u64 gla = ve->gla;
	u64 gpa = ve->gpa;

	ve->busy = 0;
	WRITE_ONCE(ve_count, ve_count + 1);
	ve_handle(regs, gla, gpa);
}

DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

/* There is no system call here. */
noinstr void do_syscall_64(struct pt_regs *regs)
{
	regs->ax = -ENOSYS;
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_exc_nmi,	IST_INDEX_NMI),
	INTG(X86_TRAP_VE,	asm_exc_ve),
};
