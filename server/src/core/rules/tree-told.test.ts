// What rules about C entry code tell beside the place of a finding: how much it weighs.
import assert from 'node:assert/strict';
import { reviewFiles } from './examples.test-data.ts';

describe('findings in C entry code', () => {
  it('weigh what they lead to: FSGSBASE that the pinned bits of CR4 bring is there', async () => {
    const setup = (pinned: string, writes: string): string => `static const unsigned long cr4_pinned_mask = ${pinned};
static unsigned long cr4_pinned_bits;

void cr4_init(void)
{
	unsigned long cr4 = __read_cr4();

	cr4 |= ${writes};
	__write_cr4(cr4);
}

void cpu_init_exception_handling(void)
{
	load_TR_desc();
	load_current_idt();
}
`;
    const severities = async (pinned: string, writes: string): Promise<readonly string[]> => (await reviewFiles({ 'setup.c': setup(pinned, writes) })).findings.map(({ rule, severity }) => `${rule} ${severity}`);
    assert.deepEqual(await severities('X86_CR4_SMEP | X86_CR4_FSGSBASE', 'cr4_pinned_bits'), ['cr4-bit-after-events warning']);
    assert.deepEqual(await severities('X86_CR4_SMEP', 'cr4_pinned_bits'), ['cr4-bit-after-events error']);
    assert.deepEqual(await severities('X86_CR4_SMEP | X86_CR4_FSGSBASE', 'X86_CR4_PCIDE'), ['cr4-bit-after-events error']);
  });

  it('weigh what they lead to: RF left by SYSCALL harms nobody but a debugger', async () => {
    const mask = (flags: readonly string[]): string => `void syscall_setup(void)\n{\n\twrmsrl(MSR_LSTAR, (unsigned long)entry_syscall);\n\twrmsrl(MSR_SYSCALL_MASK, ${flags.map((flag) => `X86_EFLAGS_${flag}`).join(' | ')});\n}\n`;
    const severities = async (flags: readonly string[]): Promise<readonly string[]> => (await reviewFiles({ 'setup.c': mask(flags) })).findings.map(({ rule, severity }) => `${rule} ${severity}`);
    const all = ['TF', 'IF', 'DF', 'NT', 'AC', 'RF'];
    assert.deepEqual(await severities(all), []);
    for (const flag of all) assert.deepEqual(await severities(all.filter((one) => one !== flag)), [`fmask-missing-bits ${flag === 'RF' ? 'info' : 'error'}`]);
  });

  it('read the macros that the rows of the IDT are made of', async () => {
    const table = (gate: string, stack: string): string => `#define INTG(_vector, _addr)				\\
	G(_vector, _addr, DEFAULT_STACK, ${gate}, DPL0, __KERNEL_CS)
#define ISTG(_vector, _addr, _ist)			\\
	G(_vector, _addr, ${stack}, GATE_INTERRUPT, DPL0, __KERNEL_CS)

static const struct idt_data demo_idts[] = {
	INTG(X86_TRAP_UD, asm_exc_invalid_op),
	ISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),
};
`;
    const told = async (gate: string, stack: string): Promise<readonly string[]> => (await reviewFiles({ 'idt.c': table(gate, stack) })).findings.map(({ rule }) => rule);
    assert.deepEqual(await told('GATE_INTERRUPT', '_ist + 1'), []);
    assert.deepEqual(await told('GATE_TRAP', '_ist + 1'), ['irqs-on-in-entry']);
    assert.deepEqual(await told('GATE_INTERRUPT', '_ist'), ['ist-required']);
  });

  it('hold the IST stacks of the TSS against the gates', async () => {
    const setup = (lines: string): string => `static const struct idt_data demo_idts[] = {
	ISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),
	ISTG(X86_TRAP_DF, asm_exc_double_fault, IST_INDEX_DF),
	ISTG(X86_TRAP_DB, asm_exc_debug, IST_INDEX_DB),
	ISTG(X86_TRAP_MC, asm_exc_machine_check, IST_INDEX_MCE),
};

static void demo_setup(struct tss_struct *tss)
{
	tss->x86_tss.ist[IST_INDEX_DF] = __this_cpu_ist_top_va(DF);
	tss->x86_tss.ist[IST_INDEX_NMI] = __this_cpu_ist_top_va(NMI);
	tss->x86_tss.ist[IST_INDEX_DB] = __this_cpu_ist_top_va(DB);
${lines}}
`;
    const told = async (lines: string): Promise<readonly string[]> => (await reviewFiles({ 'setup.c': setup(lines) })).findings.map(({ rule }) => rule);
    assert.deepEqual(await told('\ttss->x86_tss.ist[IST_INDEX_MCE] = __this_cpu_ist_top_va(MCE);\n'), []);
    assert.deepEqual(await told('\ttss->x86_tss.ist[IST_INDEX_MCE] = __this_cpu_ist_top_va(NMI);\n'), ['ist-stack-shared']);
    assert.deepEqual(await told(''), ['ist-required']);
  });
});
