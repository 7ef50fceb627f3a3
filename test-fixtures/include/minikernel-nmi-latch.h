/*
 * The C half of NMI nesting. An NMI from user mode is handled on the task stack, where the stub does not see that a
 * second one is nested: the second leaves a note, and the first runs again. Needs a design's perf_event_nmi().
 */
#ifndef MINIKERNEL_NMI_LATCH_H
#define MINIKERNEL_NMI_LATCH_H

#include "minikernel.h"

DEFINE_PER_CPU(bool, nmi_running);
DEFINE_PER_CPU(bool, nmi_latched);

static inline void nmi_run(struct pt_regs *regs)
{
	unsigned long cr2;

	if (this_cpu_read(nmi_running)) {
		this_cpu_write(nmi_latched, true);
		return;
	}

	/* One that comes before nmi_running is set, or after it is cleared, is complete when it returns. */
	do {
		this_cpu_write(nmi_running, true);
		this_cpu_write(nmi_latched, false);

		/* This NMI may have come before a #PF handler read CR2. */
		cr2 = read_cr2();
		perf_event_nmi(regs);
		write_cr2(cr2);

		this_cpu_write(nmi_running, false);
	} while (this_cpu_read(nmi_latched));
}

#endif
