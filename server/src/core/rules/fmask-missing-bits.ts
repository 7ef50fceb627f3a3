// XR-SYS04: the mask that SYSCALL applies to RFLAGS lacks a flag that the entry code relies on.
import type { Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement, Rule } from './rule.ts';
import { findings, isCall } from './tree-entries.ts';

/** What goes wrong with each flag that is not cleared. */
const required: ReadonlyMap<string, string> = new Map([
  ['TF', 'SYSCALL raises #DB in the kernel on the user stack pointer'],
  ['IF', 'an interrupt arrives on the user stack pointer'],
  ['DF', 'string instructions run backwards, and the NMI stub takes its own mark for set'],
  ['NT', 'the next IRET raises #GP'],
  ['AC', 'SMAP is off for the whole system call'],
  ['RF', 'the first instruction of the kernel ignores its breakpoint'],
]);

/** RF is gone behind that instruction: nobody but a debugger of the kernel can tell (6de4ac1d03f7 clears it all the same). */
const HARMLESS: ReadonlySet<string> = new Set(['RF']);

const mask = /^(?:native_)?wrmsr(?:l|q|l_safe)?$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const graph = one.graph();
    const targets = graph.steps.some((step) => isCall(step, mask) && step.arguments[0] === 'MSR_LSTAR');
    for (const step of graph.steps) {
      if (!isCall(step, mask) || step.arguments[0] !== 'MSR_SYSCALL_MASK') continue;
      const value = step.arguments.slice(1).join('|');
      const flags = new Set([...value.matchAll(/X86_EFLAGS_(\w+)/g)].map((match) => match[1]));
      if (flags.size === 0) continue;
      const missing = [...required].filter(([flag]) => !flags.has(flag));
      const [first] = missing;
      if (first === undefined) continue;
      found.at(step, { function: one, calls: [] }, `SYSCALL does not clear RFLAGS.${missing.map(([flag]) => flag).join(', RFLAGS.')}: ${first[1]}; add X86_EFLAGS_${first[0]} to the mask`, missing.every(([flag]) => HARMLESS.has(flag)) ? { severity: 'info' } : {});
    }
    if (!targets) continue;
    watch<'unmasked' | 'target' | 'masked'>(tree, one, 'unmasked', {
      step: (step, state, where) => {
        if (isCall(step, mask) && step.arguments[0] === 'MSR_SYSCALL_MASK') return 'masked';
        if (isCall(step, mask) && step.arguments[0] === 'MSR_LSTAR' && state === 'unmasked') return 'target';
        if (step.kind === 'return' && where.calls.length === 0 && state === 'target') found.at(step, where, 'the target of SYSCALL is set and its flag mask is not: user flags stay in force in the kernel; write MSR_SYSCALL_MASK too');
        return state;
      },
    });
  }
  return found.all();
}

const setup = (flags: string, mark: string): string => `void syscall_setup(void)
{
	wrmsrl(MSR_LSTAR, (unsigned long)entry_syscall);
	wrmsrl(MSR_SYSCALL_MASK, ${flags});${mark}
}
`;

export const fmaskMissingBits: Rule = {
  name: 'fmask-missing-bits',
  id: 'XR-SYS04',
  group: 'SYSCALL, SYSRET, IRET',
  severity: 'error',
  summary: 'the flag mask of SYSCALL lacks TF, IF, DF, NT, AC or RF',
  why: 'SYSCALL changes no flag but those in IA32_FMASK. The entry runs on the user stack pointer and without CLD and CLAC because the mask clears them, and the NMI stub tells a nested NMI by DF because no user can bring it into the kernel.',
  instead: 'Clear as many flags as there are, at least TF, IF, DF, NT, AC and RF.',
  falsePositives: ['A mask that is computed: nothing is concluded.'],
  references: ['SDM vol. 2B, "SYSCALL"', 'semantics SYS-02, DB-04', 'CVE-2015-3291'],
  bad: [
    { title: 'Only interrupts', files: { 'setup.c': setup('X86_EFLAGS_IF', ' //~ fmask-missing-bits') } },
    { title: 'All but RF (info)', files: { 'setup.c': setup('X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC', ' //~ fmask-missing-bits') } },
    { title: 'No mask', files: { 'setup.c': `void syscall_setup(void)
{
	wrmsrl(MSR_LSTAR, (unsigned long)entry_syscall);
} //~ fmask-missing-bits
` } },
  ],
  good: [{ title: 'Complete', files: { 'setup.c': setup('X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF |\n\t       X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_RF', '') } }],
  judge: null,
  inspect: null,
  examine,
  fix: null,
};
