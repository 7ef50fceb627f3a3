#ifndef MINI_IDTENTRY_H
#define MINI_IDTENTRY_H

#ifndef __ASSEMBLY__
struct pt_regs;
#define DECLARE_IDTENTRY_RAW(vector, func)	void asm_##func(void); void func(struct pt_regs *regs)
#define DEFINE_IDTENTRY_RAW(func)		void func(struct pt_regs *regs)
#else
#define DECLARE_IDTENTRY_RAW(vector, func)	mini_entry asm_##func func
#endif

#ifdef CONFIG_MINI_NEVER
#define MINI_NEVER 1
#endif

DECLARE_IDTENTRY_RAW(14, exc_mini_fault)
#endif
