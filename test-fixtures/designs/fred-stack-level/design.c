/*
 * FRED: #VE has a stack level of its own, and a level does not rewind: an event of the same or a lower level goes below
 * the frames that are there. So #VE may be re-armed as soon as the information area has been read. Events never arrive
 * on a user stack or with the user's GS base, and ERETS does not unblock NMIs unless it returns from one.
 */
#include "../../include/minikernel-ve.h"
#include "../../include/minikernel-perf.h"
#include "../../include/minikernel-nmi-latch.h"

#define FRED_STKLVL(vector, level)	((u64)(level) << (2 * (vector)))
/* Room that a delivery on the same level leaves free, in units of 64 bytes; level of maskable interrupts. */
#define FRED_CONFIG_REDZONE		(1UL << 6)
#define FRED_CONFIG_INT_STKLVL(level)	((u64)(level) << 9)

#define EVENT_TYPE_NMI			2
#define EVENT_TYPE_HWEXC		3

void asm_fred_entrypoint_user(void);

DECLARE_PER_CPU(unsigned long, ve_stack_top);
DECLARE_PER_CPU(unsigned long, nmi_stack_top);

/*
 * xctx: guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=info
 * xctx: why https://lore.kernel.org/r/CALCETrUpWBKHHyfMoqD2ZT3CnDdguNnK=KoZiTmN5PnbnD_k0A@mail.gmail.com -- report a failed host page to the guest as a fault
 */
DEFINE_PER_CPU(struct ve_page, ve_page);

/* Not per-CPU and not pinned: the host may take its page away like any other. */
static u64 ve_count;

/* Level 1 for #VE, 2 for NMIs, which may come inside it. From user mode everything comes on level 0, the task stack. */
void cpu_init_fred(void)
{
	wrmsrl(MSR_IA32_FRED_CONFIG,
	       (unsigned long)asm_fred_entrypoint_user | FRED_CONFIG_REDZONE | FRED_CONFIG_INT_STKLVL(0));
	wrmsrl(MSR_IA32_FRED_STKLVLS, FRED_STKLVL(X86_TRAP_VE, 1) | FRED_STKLVL(X86_TRAP_NMI, 2));
	wrmsrl(MSR_IA32_FRED_RSP0, this_cpu_read(top_of_stack));
	wrmsrl(MSR_IA32_FRED_RSP1, this_cpu_read(ve_stack_top));
	wrmsrl(MSR_IA32_FRED_RSP2, this_cpu_read(nmi_stack_top));
}

/*
 * xctx: handler vector=VE origin=any
 * xctx: clears ve_page.busy
 */
noinstr void exc_ve(struct pt_regs *regs)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);
	u64 gla = ve->gla;
	u64 gpa = ve->gpa;

	WRITE_ONCE(ve->busy, 0);
	WRITE_ONCE(ve_count, ve_count + 1);
	ve_handle(regs, gla, gpa);
}

/* xctx: handler vector=NMI origin=any */
DEFINE_IDTENTRY_NMI(exc_nmi)
{
	nmi_run(regs);
}

/* The CPU says in the upper half of the SS slot which event this is. */
static inline u64 event_vector(struct pt_regs *regs)
{
	return (regs->ss >> 32) & 0xff;
}

static inline u64 event_type(struct pt_regs *regs)
{
	return (regs->ss >> 48) & 0xf;
}

static noinstr void fred_dispatch(struct pt_regs *regs)
{
	if (event_type(regs) == EVENT_TYPE_NMI) {
		exc_nmi(regs);
		return;
	}
	if (event_type(regs) == EVENT_TYPE_HWEXC && event_vector(regs) == X86_TRAP_VE) {
		exc_ve(regs);
		return;
	}
	panic("event without a handler");
}

noinstr void fred_entry_from_user(struct pt_regs *regs)
{
	fred_dispatch(regs);
}

noinstr void fred_entry_from_kernel(struct pt_regs *regs)
{
	fred_dispatch(regs);
}
