struct pt_regs;

void mini_syscall(struct pt_regs *regs)
{
	int odd = ({ __label__ out; goto *&&out; out: 1; });
}
