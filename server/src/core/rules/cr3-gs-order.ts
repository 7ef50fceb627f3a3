// XR-CR03: on the way out a per-CPU word is needed after the GS base went back to user mode.
import type { PathStep } from '../contexts/entry-paths.ts';
import { stubFiles } from './path-examples.ts';
import { accesses, entered, gsOf, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Monitor } from '../contexts/entry-paths.ts';
import type { Judgement, Rule } from './rule.ts';

/** The GS base was the kernel's earlier on this path: what accesses it now is on the way out. */
export const HAD_KERNEL_GS = 1;

export const kernelGsSeen: Monitor = {
  initial: () => 0,
  next: (value, step) => (value === HAD_KERNEL_GS || (gsOf(step.before.cpu.gsBase) === 'kernel' && step.start.door.kind !== 'call') ? HAD_KERNEL_GS : 0),
};

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { before, node } = step;
  if (value !== HAD_KERNEL_GS || !isInstruction(node) || before.cpu.cpl === 3 || !knowledgeOf(step.program).gs || gsOf(before.cpu.gsBase) !== 'user') return [];
  if (!accesses(node).some((operand) => operand.segment === 'gs')) return [];
  return [{ place: pathPlace(node), message: `${node.text} accesses a per-CPU word after the GS base went back to user mode (${entered(step.start)}); do it before the swap on the way out`, premises: pathPremises(step), blamed: [{ kind: 'gs' }] }];
}

export const cr3GsOrder: Rule = {
  name: 'cr3-gs-order',
  id: 'XR-CR03',
  group: 'CR3 and page-table isolation',
  severity: 'error',
  summary: 'the way out needs a per-CPU word after the GS base went back',
  why: 'The switch back to the user CR3 and the restore of SPEC_CTRL read per-CPU words. Behind the SWAPGS or WRGSBASE that gives user mode its base back, the same access goes through the base of user space.',
  instead: 'On the way out: SPEC_CTRL, then CR3, then GS. On the way in: CR3, which needs no GS, then GS.',
  falsePositives: ['Entries from user mode that swap before they switch CR3: the switch to the kernel CR3 needs no per-CPU word.'],
  references: ['Linux, arch/x86/entry/calling.h', 'semantics CR3-04'],
  bad: [{ title: 'The word is read behind the swap', files: stubFiles({ unswap: '\ttestb\t$3, 17*8(%rsp)\n\tjz\t2f\n\tswapgs\n\tmovq\t%gs:user_value(%rip), %rax #~ cr3-gs-order\n2:\n' }) }],
  good: [{ title: 'The word first', files: stubFiles({ unswap: '\ttestb\t$3, 17*8(%rsp)\n\tjz\t2f\n\tmovq\t%gs:user_value(%rip), %rax\n\tswapgs\n2:\n' }) }],
  judge: null,
  path: { at: ['per-CPU'], monitor: kernelGsSeen, rank: 1, judge },
  inspect: null,
  fix: null,
};
