/*
 * The stub has moved the frame off the IST stack before exc_ve() runs, from kernel mode onto the stack that was
 * interrupted. Where there is one, #VE can be re-armed at once and nests on it. But "there might not be a kernel stack":
 * in the SYSCALL gap RSP is the user's, and the kernel writes its registers wherever that points.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

DEFINE_PER_CPU(unsigned long, user_sp);

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=after-frame-move fallback=vmexit protects=stack,info
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
	u64 gla = ve->gla;
	u64 gpa = ve->gpa;

	WRITE_ONCE(ve->busy, 0);
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
	ISTG(X86_TRAP_VE,	asm_exc_ve,	IST_INDEX_VE),
};
