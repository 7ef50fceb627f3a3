// XR-GS03: a per-CPU word is accessed, or C code entered, while the GS base is not the kernel's.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp, stubFiles } from './path-examples.ts';
import { accesses, cFunctionCalled, entered, gsOf, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import { interruptedOnUserGs } from './cs-test-in-super-atomic.ts';
import { handlesIretFault } from './iret-fault-unhandled.ts';
import { HAD_KERNEL_GS, kernelGsSeen } from './cr3-gs-order.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { before, node } = step;
  if (!isInstruction(node)) return [];
  const accessesPerCpu = accesses(node).some((operand) => operand.segment === 'gs');
  if ((!accessesPerCpu && cFunctionCalled(step) === null) || before.cpu.cpl === 3 || !knowledgeOf(step.program).gs) return [];
  const gs = gsOf(before.cpu.gsBase);
  if (gs === 'kernel') return [];
  const whose = gs === 'user' ? 'the user GS base' : 'a GS base that is not known to be the kernel\'s';
  if (accessesPerCpu) {
    if (handlesIretFault(step)) return [];
    if (value === HAD_KERNEL_GS && gs === 'user') return [];
    return [{ place: pathPlace(node), message: `${node.text} accesses a per-CPU word on ${whose} (${entered(step.start)}); load the kernel's GS base first`, premises: pathPremises(step), blamed: [{ kind: 'gs' }] }];
  }
  const name = cFunctionCalled(step);
  if (name === null || interruptedOnUserGs(step) || handlesIretFault(step)) return [];
  return [{ place: pathPlace(node), message: `${name}() runs on ${whose} (${entered(step.start)}); load the kernel's GS base before the first C function`, premises: pathPremises(step), blamed: [{ kind: 'gs' }] }];
}

/** Another routine of the file swaps GS, so that the file is about GS. */
const OTHER = `
	.globl	asm_other
asm_other:
	swapgs
	swapgs
	ret
`;

export const percpuBeforeGs: Rule = {
  name: 'percpu-before-gs',
  id: 'XR-GS03',
  group: 'GS base',
  severity: 'error',
  summary: 'a per-CPU access or a C function runs before the GS base is the kernel\'s',
  why: 'Until SWAPGS, or a write of the true base, GS points where user space said. A store through it writes kernel data to a user-chosen address, a load takes whatever user space put there, and C code uses per-CPU data all over.',
  instead: 'Swap or load the GS base first; keep scratch values in registers or on the stack until then.',
  falsePositives: ['Accesses behind a paranoid entry, where the base was read and replaced.', 'Stubs that never deal with GS at all: a sketch about something else.'],
  references: ['Linux, Documentation/arch/x86/entry_64.rst', 'semantics GS-01, GS-02, GS-03'],
  bad: [
    { title: 'A counter before the swap', files: stubFiles({ swap: '\tincq\t%gs:entries(%rip) #~ percpu-before-gs\n\ttestb\t$3, 17*8(%rsp)\n\tjz\t1f\n\tswapgs\n1:\tlfence\n' }) },
    { title: 'No swap at all on the way in', files: { 'entry.S': entryStub({ swap: '', call: '\tcall\tdemo_gp #~ percpu-before-gs\n', unswap: '' }) + OTHER, 'design.c': handlerOfGp } },
  ],
  good: [{ title: 'The counter behind the swap', files: stubFiles({ swap: '\ttestb\t$3, 17*8(%rsp)\n\tjz\t1f\n\tswapgs\n1:\tlfence\n\tincq\t%gs:entries(%rip)\n' }) }],
  judge: null,
  path: { at: ['call', 'per-CPU'], monitor: kernelGsSeen, rank: 1, judge },
  inspect: null,
  fix: null,
};
