/*
 * What perf does in an NMI: two counters overflowed, each wants the caller of the interrupted function, and both look
 * for it at the frame pointer. User code chose where that points.
 */
#ifndef MINIKERNEL_PERF_H
#define MINIKERNEL_PERF_H

#include "minikernel.h"

static inline void perf_callchain(struct pt_regs *regs)
{
	unsigned long caller;

	/* -EFAULT ends this chain; nothing else depends on it. */
	__get_user(caller, (unsigned long __user *)regs->bp);
}

static inline void perf_event_nmi(struct pt_regs *regs)
{
	perf_callchain(regs);
	perf_callchain(regs);
}

#endif
