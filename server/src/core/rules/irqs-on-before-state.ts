// XR-FLG04: interrupts are enabled before the entry has its stack, GS base and page table.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, cr3Of, entered, gsOf, isInstruction, knowledgeOf, pathPlace, pathPremises, rspOf, stackNameOf } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

/** Whether C code has run on the path. */
const calledC: Monitor = { initial: () => 0, next: (value, step) => (value === 0 && cFunctionCalled(step) !== null ? 1 : value) };

function judge(step: PathStep, called: number): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node) || !/^(sti|popf)/.test(node.mnemonic) || before.cpu.cpl === 3 || !step.effects.some((effect) => effect.kind === 'irqs-enabled')) return [];
  const stack = stackNameOf(step.setup, rspOf(before));
  const missing: string[] = [];
  if (knowledgeOf(step.program).gs && gsOf(before.cpu.gsBase) !== 'kernel') missing.push('the GS base is the user\'s');
  if (knowledgeOf(step.program).cr3 && cr3Of(before) === 'user') missing.push('CR3 is the user\'s');
  if (stack === 'user' || stack === 'entry') missing.push(`RSP is on the ${stack} stack`);
  if (missing.length === 0) {
    if (called > 0 || !step.program.contexts.has('inside C') || step.start.door.kind === 'call') return [];
    return [{ place: pathPlace(node), message: `${node.text} enables interrupts before the C function of ${entered(step.start)} has set up its state: an interrupt finds RCU and lockdep in user mode, and may switch the task; leave them off until the entry helper was called`, premises: pathPremises(step) }];
  }
  return [{ place: pathPlace(node), message: `${node.text} enables interrupts while ${missing.join(' and ')} (${entered(step.start)}); complete the kernel's state first`, premises: pathPremises(step) }];
}

function entry(early: string, late: string): string {
  return `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs
	movq	%rsp, %gs:saved_rsp(%rip)
${early}	movq	%gs:top_of_stack(%rip), %rsp
	.globl	entry_SYSCALL_64_safe_stack
entry_SYSCALL_64_safe_stack:
${late}	hlt

${entryStub()}`;
}

export const irqsOnBeforeState: Rule = {
  name: 'irqs-on-before-state',
  id: 'XR-FLG04',
  group: 'Flags',
  severity: 'error',
  summary: 'interrupts are enabled before the kernel\'s state is complete',
  why: 'The first instruction with IF=1 may be interrupted. An interrupt there pushes its frame on the current stack and runs C code on the current GS base and page table: all must be the kernel\'s by then.',
  instead: 'Load the GS base, CR3 and the task stack, save the frame, and only then enable interrupts.',
  falsePositives: ['Handlers that put IF back to what they interrupted.'],
  references: ['SDM vol. 3A, "Masking Maskable Hardware Interrupts"', 'semantics IF-01, ENT-01'],
  bad: [{ title: 'STI on the user stack', files: { 'entry.S': entry('\tsti #~ irqs-on-before-state\n', ''), 'design.c': handlerOfGp } }],
  good: [{ title: 'STI on the task stack', files: { 'entry.S': entry('', '\tsti\n'), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['flags'], monitor: calledC, judge },
  inspect: null,
  fix: null,
};
