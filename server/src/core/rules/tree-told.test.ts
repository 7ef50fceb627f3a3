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
});
