/*
 * The stub has moved the frame off the IST stack before exc_ve() runs, onto a stack that was checked: #VE can be re-armed
 * at once, and the next one nests on the same stack. What is trusted is the interrupted RSP outside the SYSCALL gap, if
 * it lies on the task stack or the NMI stack.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

#define THREAD_SIZE		0x4000
#define EXCEPTION_STACK_SIZE	0x2000
/* What a handler needs below the interrupted RSP. */
#define VE_HEADROOM		0x400

void entry_SYSCALL_64(void);
void entry_SYSCALL_64_safe_stack(void);

DEFINE_PER_CPU(unsigned long, user_sp);

/* One above the highest byte of the NMI stack, and of a stack that only #VE uses. */
DECLARE_PER_CPU(unsigned long, nmi_stack_top);
DECLARE_PER_CPU(unsigned long, ve_fallback_stack_top);

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=after-frame-move fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

static inline bool in_syscall_gap(struct pt_regs *regs)
{
	return regs->ip >= (unsigned long)entry_SYSCALL_64 && regs->ip < (unsigned long)entry_SYSCALL_64_safe_stack;
}

static inline bool on_stack(unsigned long sp, unsigned long top, unsigned long size)
{
	return sp > top - size + VE_HEADROOM && sp <= top;
}

/* Where the frame of a #VE from kernel mode goes: below the address returned. */
noinstr unsigned long ve_stack_pointer(struct pt_regs *regs)
{
	unsigned long sp = regs->sp;

	/* The task stack is empty there. */
	if (in_syscall_gap(regs))
		return this_cpu_read(top_of_stack);

	if (on_stack(sp, this_cpu_read(top_of_stack), THREAD_SIZE))
		return sp & ~15UL;

	/* The NMI stub writes only at the top of its stack; below RSP it is free. */
	if (on_stack(sp, this_cpu_read(nmi_stack_top), EXCEPTION_STACK_SIZE))
		return sp & ~15UL;

	/* A second failure on the fallback stack has nowhere to go. */
	if (on_stack(sp, this_cpu_read(ve_fallback_stack_top), EXCEPTION_STACK_SIZE))
		panic("memory failure on the fallback stack");
	return this_cpu_read(ve_fallback_stack_top);
}

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
