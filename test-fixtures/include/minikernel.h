/*
 * The C half of the minikernel: registers, per-CPU data, IDT rows and the primitives that a handler may call. Functions
 * that are only declared here are the environment's: what they do is said at each.
 */
#ifndef MINIKERNEL_H
#define MINIKERNEL_H

#include "minikernel-const.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef _Bool bool;

#define true			1
#define false			0
#define NULL			((void *)0)

#define __user
#define __noreturn		__attribute__((noreturn))
#define __aligned(n)		__attribute__((aligned(n)))
#define noinstr			__attribute__((noinline, section(".noinstr.text")))

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)	(*(volatile __typeof__(x) *)&(x) = (value))

/* Per-CPU data: addresses are offsets from the GS base. */
#define DEFINE_PER_CPU(type, name)	__attribute__((section(".data..percpu"))) __typeof__(type) name
#define DECLARE_PER_CPU(type, name)	extern __typeof__(type) name

#define __this_cpu_var(var)	(*(volatile __seg_gs __typeof__(var) *)(unsigned long)&(var))
#define this_cpu_read(var)		__this_cpu_var(var)
#define this_cpu_write(var, value)	(__this_cpu_var(var) = (value))
#define this_cpu_ptr(ptr)	((__typeof__(ptr))((unsigned long)(ptr) + this_cpu_read(this_cpu_offset)))

DECLARE_PER_CPU(unsigned long, this_cpu_offset);

/* One above the highest byte of the running task's stack. */
DECLARE_PER_CPU(unsigned long, top_of_stack);

struct task_struct;
DECLARE_PER_CPU(struct task_struct *, current_task);
#define current			this_cpu_read(current_task)

/* What the stubs push, lowest address first. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};

static inline bool user_mode(struct pt_regs *regs)
{
	return (regs->cs & 3) != 0;
}

#define DEFINE_IDTENTRY_IST(handler)	noinstr void handler(struct pt_regs *regs)
#define DEFINE_IDTENTRY_NMI(handler)	noinstr void handler(struct pt_regs *regs)
#define DEFINE_IDTENTRY_SYSVEC(handler)	noinstr void handler(struct pt_regs *regs)
#define DEFINE_IDTENTRY(handler)	noinstr void handler(struct pt_regs *regs)

/* Gates: all interrupt gates; INTG from kernel mode only, SYSG from user mode too, ISTG with an IST stack. */
struct idt_data {
	u8 vector, ist, dpl;
	void (*stub)(void);
};

#define INTG(vector, stub)		{ vector, 0, 0, stub }
#define SYSG(vector, stub)		{ vector, 0, 3, stub }
#define ISTG(vector, stub, index)	{ vector, (index) + 1, 0, stub }

void asm_exc_nmi(void);
void asm_exc_ve(void);
void asm_exc_page_fault(void);
void asm_exc_machine_check(void);
void asm_sysvec_ve_rearm(void);

/* Interrupts of this CPU. A self-IPI stays in the APIC until IF is 1. */
void local_irq_enable(void);
void local_irq_disable(void);
void apic_self_ipi(int vector);

struct irq_work {
	void (*func)(struct irq_work *work);
};
bool irq_work_queue(struct irq_work *work);

struct callback_head {
	void (*func)(struct callback_head *work);
};
#define TWA_RESUME		1
int task_work_add(struct task_struct *task, struct callback_head *work, int notify);

/* Registers of the CPU. */
unsigned long read_cr2(void);
void write_cr2(unsigned long address);
u64 __rdmsr(u32 msr);
void __wrmsr(u32 msr, u64 value);
#define rdmsrl(msr, value)	((value) = __rdmsr(msr))
#define wrmsrl(msr, value)	__wrmsr(msr, value)

/* x2APIC: an MSR, so that ending an interrupt touches no memory. */
static inline void apic_eoi(void)
{
	wrmsrl(MSR_X2APIC_EOI, 0);
}

/* The end of this kernel; of this virtual machine. */
void panic(const char *why, ...) __noreturn;
void kill_guest(const char *why) __noreturn;

/*
 * Looks the interrupted instruction up in the exception table. Found: calls the handler of the entry's type, which moves
 * regs->ip to the landing pad, and returns 1. The landing pad runs after the IRET.
 */
struct exception_table_entry {
	int insn, fixup, type;
};
int fixup_exception(struct pt_regs *regs, int trapnr, unsigned long error_code, unsigned long fault_address);
bool ex_handler_default(const struct exception_table_entry *entry, struct pt_regs *regs);

/* User memory. Both return -EFAULT, or the bytes not copied, where an access failed and was fixed up. */
int __get_user_size(void *value, const void __user *address, int size);
#define __get_user(value, address)	__get_user_size(&(value), address, sizeof(value))
unsigned long copy_from_user_nmi(void *to, const void __user *from, unsigned long size);

#endif
