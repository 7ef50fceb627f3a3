// Text that the examples of group VE share, so that each shows what differs.

/** The guard of #VE with its information area, as a design declares it. */
export function guardedWord(clears: string, protects = 'stack,info', fallback = 'vmexit'): string {
  return `/*
 * xctx: guard ve_page.busy set=hw clear=store clears=${clears} fallback=${fallback} protects=${protects}
 * xctx: why https://lore.kernel.org/r/msgid -- report failed host memory as a fault
 */
struct ve_page { u32 reason, busy; u64 qual, gla, gpa; };
DEFINE_PER_CPU(struct ve_page, ve_page);
`;
}

/** An interrupt that clears the word. */
export const rearmInterrupt = `
/*
 * xctx: handler vector=0xf3
 * xctx: clears ve_page.busy
 */
void ve_rearm(struct pt_regs *regs)
{
	this_cpu_write(ve_page.busy, 0);
}
`;

/** An NMI handler that reads user memory, with a stack that a sketch takes to tolerate nesting. */
export const nmiReadsUser = `  nmi:
    ist: NMI
    ops: [{access: user_frame}, iret]
`;
