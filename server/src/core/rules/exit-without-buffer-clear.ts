// XR-SPC02: a return to user mode without clearing CPU buffers behind the last load of kernel data.
import type { PathStep } from '../contexts/entry-paths.ts';
import { inFrontOf } from './line-fix.ts';
import { stubFiles } from './path-examples.ts';
import { accesses, entered, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Monitor } from '../contexts/entry-paths.ts';
import type { Judgement, Rule } from './rule.ts';

const CLEARED = 1;

const buffers: Monitor = {
  initial: () => 0,
  next: (value, step) => {
    const { node } = step;
    if (!isInstruction(node)) return value;
    // The form with a register verifies a selector and clears nothing (SDM vol. 2, "VERR/VERW"; Linux, nospec-branch.h).
    if (node.mnemonic === 'verw' && node.operands[0]?.kind === 'memory') return CLEARED;
    const loads = /^(pop|ret|call)/.test(node.mnemonic) || (accesses(node).length > 0 && !/^(test|cmp)/.test(node.mnemonic));
    return loads ? 0 : value;
  },
};

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, after } = step;
  if (value === CLEARED || !isInstruction(node) || !/^(iret|sysret|eretu)/.test(node.mnemonic) || after.cpu.cpl !== 3 || !knowledgeOf(step.program).verw) return [];
  const kernel = step.program.contexts.has('inside C');
  if (kernel && !step.start.variant.present.includes('X86_FEATURE_CLEAR_CPU_BUF')) return [];
  return [{ place: pathPlace(node), message: `${node.text} returns to user mode with kernel data in the CPU buffers: nothing clears them behind the last load (${entered(step.start)}); put verw between the restore of the registers and the return`, premises: pathPremises(step) }];
}

export const exitWithoutBufferClear: Rule = {
  name: 'exit-without-buffer-clear',
  id: 'XR-SPC02',
  group: 'Speculation',
  severity: 'warning',
  summary: 'a return to user mode loads kernel data after the CPU buffers were cleared, or never clears them',
  why: 'On CPUs with microarchitectural data sampling VERW clears the buffers that user mode can sample. What the kernel loads behind it is in them again when user mode runs: the clearing must be the last thing.',
  instead: 'Clear the buffers behind the restore of the registers, right before the return.',
  falsePositives: ['Returns to kernel mode, NMIs that interrupted the kernel among them.', 'CPUs without the bugs, where the alternative is not patched in.'],
  references: ['Linux, Documentation/arch/x86/mds.rst', 'Linux commit 3c7501722e6b'],
  bad: [{ title: 'Cleared before the registers are restored', files: stubFiles({ unswap: '\ttestb\t$3, 17*8(%rsp)\n\tjz\t2f\n\tverw\tdemo_sel(%rip)\n\tswapgs\n2:\n', leave: '\taddq\t$8, %rsp\n\tiretq\t#~ exit-without-buffer-clear\n' }) }],
  good: [{ title: 'Cleared right before the return', files: stubFiles({ leave: '\taddq\t$8, %rsp\n\tverw\tdemo_sel(%rip)\n\tiretq\n' }) }],
  judge: null,
  path: { at: ['return'], monitor: buffers, judge },
  inspect: null,
  fix: (place, inspection) => inFrontOf(place, 'verw', inspection),
};
