// What rules about C entry code tell beside the place of a finding: how much it weighs.
import assert from 'node:assert/strict';
import { reviewFiles } from './examples.test-data.ts';

describe('findings in C entry code', () => {
  it('weigh what they lead to: RF left by SYSCALL harms nobody but a debugger', async () => {
    const mask = (flags: readonly string[]): string => `void syscall_setup(void)\n{\n\twrmsrl(MSR_LSTAR, (unsigned long)entry_syscall);\n\twrmsrl(MSR_SYSCALL_MASK, ${flags.map((flag) => `X86_EFLAGS_${flag}`).join(' | ')});\n}\n`;
    const severities = async (flags: readonly string[]): Promise<readonly string[]> => (await reviewFiles({ 'setup.c': mask(flags) })).findings.map(({ rule, severity }) => `${rule} ${severity}`);
    const all = ['TF', 'IF', 'DF', 'NT', 'AC', 'RF'];
    assert.deepEqual(await severities(all), []);
    for (const flag of all) assert.deepEqual(await severities(all.filter((one) => one !== flag)), [`fmask-missing-bits ${flag === 'RF' ? 'hint' : 'error'}`]);
  });
});
