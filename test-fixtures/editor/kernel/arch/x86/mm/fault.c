#include <asm/idtentry.h>

void exc_mini_fault(struct pt_regs *regs);

DEFINE_IDTENTRY_RAW(exc_mini_fault)
{
}
