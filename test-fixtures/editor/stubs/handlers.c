/* xctx: handler vector=NMI ist=NMI */
void demo_nmi(struct pt_regs *regs)
{
}

/* xctx: handler vector=BP */
void demo_bp(struct pt_regs *regs)
{
}
