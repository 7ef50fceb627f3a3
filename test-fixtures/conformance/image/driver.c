/*
 * Runs the variants one after the other: sets up the machine as each asks, launches it, and takes back what it left. A
 * reset in the middle of a variant is a shutdown of that variant; what RAM keeps tells where to go on.
 */
#include "layout.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* Written by the generator, one per variant; the launch comes first. */
struct variant {
	u64 launch[21];
	u64 star, lstar, fmask;
	u64 gs_base, kernel_gs_base;
	u64 cr2, cr4;
	u64 dr[4], dr6, dr7;
	u64 rsp0, ist[6];
	u64 mcg_status;
	u64 timer;		/* local vector table entry, or 0 */
	u64 machine_check[4];	/* for the host: bank, status, MCG_STATUS, flags */
	u64 group;
	u64 gate_count;
	const struct gate *gates;
};

/* Of machine_check[3], which the host reads as well: the second processor reports it. */
#define REPORTED_BY_SECOND 4

struct gate {
	u64 vector, offset, selector, type, ist;
};

struct __attribute__((packed)) descriptor {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};

struct __attribute__((packed)) tss {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, io_map;
};

/* At a fixed address, not cleared by a reset. The host reads it. */
struct progress {
	u64 magic, state, variant, log_next, group;
	u64 machine_check[4];
};

enum { RUNNING = 1, DONE = 2, BROKEN = 3 };

#define MAGIC 0x656e747279636865ul
#define LONGEST 48

extern struct progress progress;
extern u8 log_area[], stack_rsp0[], stack_exit[];
extern const struct variant variants[];
extern const u64 variant_count;
extern const u64 default_handlers[256];
extern u64 log_next, log_left, log_variant, gdt_tss[2];
extern u8 idt_pointer[], end_of_variant[], drain_interrupt[], drain_nmi[], unexpected[];
extern u8 second_start[], second_end[], second_machine_check[];
extern u64 cells[8];
extern volatile u32 second_ready, second_checks;

void launch(const struct variant *variant);
void drain(void);

struct descriptor idt[256] __attribute__((aligned(16))), second_idt[256] __attribute__((aligned(16)));
static struct tss tss __attribute__((aligned(16)));

static void wrmsr(u32 number, u64 value)
{
	asm volatile("wrmsr" : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)));
}

static void out8(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static u32 in32(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void device_write(u64 address, u32 value)
{
	*(volatile u32 *)address = value;
}

static struct descriptor descriptor(u64 offset, u16 selector, u8 type, u8 ist)
{
	return (struct descriptor){
		.offset0 = offset,
		.selector = selector,
		.ist = ist,
		.type = type,
		.offset1 = offset >> 16,
		.offset2 = offset >> 32,
	};
}

static void set_gate(u64 vector, u64 offset, u16 selector, u8 type, u8 ist)
{
	idt[vector] = descriptor(offset, selector, type, ist);
}

static void stop_for_host(void)
{
	*(volatile u8 *)PANIC = PANIC_STOP;
}

/* Selects the panic device on the first bus and maps its registers. */
static void map_panic_device(void)
{
	for (u32 slot = 0; slot < 32; slot++) {
		u32 function = 0x80000000 | slot << 11;

		out32(0xcf8, function);
		if (in32(0xcfc) != 0x00111b36)
			continue;
		out32(0xcf8, function | 0x10);
		out32(0xcfc, PANIC_PHYSICAL);
		out32(0xcf8, function | 0x04);
		out32(0xcfc, 2);
	}
}

static void start_devices(void)
{
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	map_panic_device();
	device_write(APIC_SPURIOUS, 0x1ff);
	device_write(APIC_LVT_LINT0, 0x10000);
	device_write(APIC_LVT_LINT1, 0x400);
	device_write(APIC_DIVIDE, 0xb);
	device_write(APIC_ICR2, 0);
}

/* INIT and start-up IPI to the processor whose APIC ID is 1. */
static void start_second_processor(void)
{
	u8 *target = (u8 *)SECOND_START;

	for (u8 *source = second_start; source < second_end; source++)
		*target++ = *source;
	second_idt[18] = descriptor((u64)second_machine_check, KERNEL_CS, 0x8e, 0);
	device_write(APIC_ICR2, 1 << 24);
	device_write(APIC_ICR, 0x4500);
	device_write(APIC_ICR, 0x4600 | SECOND_START >> 12);
	while (!second_ready)
		asm volatile("pause");
	device_write(APIC_ICR2, 0);
}

static void start_tables(void)
{
	u64 base = (u64)&tss;

	tss.io_map = sizeof(tss);
	gdt_tss[0] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
	gdt_tss[1] = base >> 32;
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
	asm volatile("lidt %0" : : "m"(*(u8(*)[10])idt_pointer));
}

/* Everything that a variant may have changed. */
static void prepare(const struct variant *variant)
{
	u64 cr4;

	for (u64 vector = 0; vector < 256; vector++)
		set_gate(vector, default_handlers[vector], KERNEL_CS, 0x8e, 0);
	for (u64 index = 0; index < variant->gate_count; index++) {
		const struct gate *gate = &variant->gates[index];

		set_gate(gate->vector, gate->offset, gate->selector, gate->type, gate->ist);
	}
	set_gate(EXIT_VECTOR, (u64)end_of_variant, KERNEL_CS, 0xee, EXIT_IST);
	tss.rsp[0] = variant->rsp0;
	for (u32 index = 0; index < 6; index++)
		tss.ist[index] = variant->ist[index];
	tss.ist[EXIT_IST - 1] = (u64)stack_exit;
	wrmsr(MSR_STAR, variant->star);
	wrmsr(MSR_LSTAR, variant->lstar);
	wrmsr(MSR_FMASK, variant->fmask);
	wrmsr(MSR_GS_BASE, variant->gs_base);
	wrmsr(MSR_KERNEL_GS_BASE, variant->kernel_gs_base);
	wrmsr(MSR_MCG_STATUS, variant->mcg_status);
	cr4 = CR4_PAE | CR4_MCE;
	asm volatile("mov %0, %%cr4" : : "r"(cr4 ^ variant->cr4));
	asm volatile("mov %0, %%cr2" : : "r"(variant->cr2));
	asm volatile("mov %0, %%dr0" : : "r"(variant->dr[0]));
	asm volatile("mov %0, %%dr1" : : "r"(variant->dr[1]));
	asm volatile("mov %0, %%dr2" : : "r"(variant->dr[2]));
	asm volatile("mov %0, %%dr3" : : "r"(variant->dr[3]));
	asm volatile("mov %0, %%dr6" : : "r"(variant->dr6));
	device_write(APIC_LVT_TIMER, variant->timer != 0 ? variant->timer : 0x10000);
	for (u32 index = 0; index < 8; index++)
		cells[index] = 0;
	for (u32 index = 0; index < 4; index++)
		progress.machine_check[index] = variant->machine_check[index];
}

/* Between variants nothing may arrive but what a variant left pending. */
static void own_gates(void)
{
	for (u64 vector = 0; vector < 256; vector++)
		set_gate(vector, (u64)(vector == 2 ? drain_nmi : vector < 32 ? unexpected : drain_interrupt), KERNEL_CS, 0x8e, 0);
}

void stop_unexpected(void)
{
	progress.state = BROKEN;
	stop_for_host();
}

static void take_back(void)
{
	device_write(APIC_LVT_TIMER, 0x10000);
	device_write(APIC_INITIAL, 0);
	asm volatile("mov %0, %%dr7" : : "r"(0x400ul));
	wrmsr(MSR_MCG_STATUS, 0);
	own_gates();
	/* Interrupts whose handler never ran are still in service. */
	for (u32 index = 0; index < 16; index++)
		device_write(APIC_EOI, 0);
	drain();
}

static void run(u64 index)
{
	const struct variant *variant = &variants[index];
	u32 checks = second_checks;

	progress.variant = index;
	progress.state = RUNNING;
	log_variant = index + 1;
	log_left = LONGEST;
	prepare(variant);
	/* Last, so that no breakpoint is hit in here. */
	asm volatile("mov %0, %%dr7" : : "r"(variant->dr7));
	launch(variant);
	take_back();
	/* The second processor must have cleared MCIP before the next one reaches it. */
	if (variant->machine_check[3] & REPORTED_BY_SECOND)
		while (second_checks == checks)
			asm volatile("pause");
	progress.log_next = log_next;
}

/* The machine was reset while a variant ran: a shutdown ends it. */
static u64 note_shutdown(void)
{
	u64 *record = (u64 *)progress.log_next;

	/* Records of the variant itself are behind the last pointer that was kept. */
	while (record[0] == progress.variant + 1)
		record += RECORD_WORDS;
	record[0] = progress.variant + 1;
	record[1] = POINT_SHUTDOWN;
	progress.log_next = (u64)(record + RECORD_WORDS);
	return progress.variant + 1;
}

void driver(void)
{
	u64 index = 0;

	own_gates();
	start_tables();
	start_devices();
	if (progress.magic == MAGIC) {
		index = note_shutdown();
	} else {
		progress.magic = MAGIC;
		progress.log_next = (u64)log_area;
	}
	log_next = progress.log_next;
	if (progress.group != 0)
		start_second_processor();
	for (; index < variant_count; index++)
		if (variants[index].group == progress.group)
			run(index);
	progress.state = DONE;
	stop_for_host();
}
