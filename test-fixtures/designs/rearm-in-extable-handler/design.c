/*
 * "Have the extable code do the re-enabling", read literally: ex_handler_uaccess() runs inside fixup_exception(), which
 * runs in the #VE handler, and re-arms #VE while the frame is live on the IST stack. An access that cannot be fixed up
 * is re-armed by the IPI.
 */
#include "../../include/minikernel-ve.h"

int get_user_8(unsigned long *value, const void __user *address);

/* Two counters overflowed; each looks for its caller at the frame pointer that user code chose. */
static inline void perf_event_nmi(struct pt_regs *regs)
{
	unsigned long caller;

	get_user_8(&caller, (const void __user *)regs->bp);
	get_user_8(&caller, (const void __user *)regs->bp);
}

#include "../../include/minikernel-nmi-latch.h"

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/* Not per-CPU and not pinned: the host may take its page away like any other. */
static u64 ve_fixed_up;

static noinstr void rearm_memory_failure(void)
{
	this_cpu_write(ve_page.busy, 0);
}

/* xctx: clears ve_page.busy */
noinstr bool ex_handler_uaccess(const struct exception_table_entry *fixup, struct pt_regs *regs, int trapnr,
				unsigned long fault_address)
{
	rearm_memory_failure();
	return ex_handler_default(fixup, regs);
}

/*
 * xctx: handler vector=VE ist=VE origin=any
 * xctx: defers-to sysvec_ve_rearm via=self-ipi
 */
DEFINE_IDTENTRY_IST(exc_ve)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);
	u64 gla = ve->gla;
	u64 gpa = ve->gpa;

	if (!user_mode(regs) && fixup_exception(regs, X86_TRAP_VE, 0, gla)) {
		WRITE_ONCE(ve_fixed_up, ve_fixed_up + 1);
		return;
	}

	apic_self_ipi(VE_REARM_VECTOR);
	hypercall_map_page(gpa);
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
