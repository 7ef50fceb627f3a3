// XR-STK08: C code for user mode runs on the entry trampoline.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, pathPlace, pathPremises, rspOf, stackNameOf } from './path-vocabulary.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node)) return [];
  const name = cFunctionCalled(step);
  if (name === null || entryCall(name).anyStack || stackNameOf(step.setup, rspOf(before)) !== 'entry' || !copiesToTask(step)) return [];
  return [{ place: pathPlace(node), message: `${name}() runs on the entry stack (${entered(step.start)}), which the next entry from user mode starts over; switch to the task stack first`, premises: pathPremises(step) }];
}

/** Sketches whose stubs never leave the stack they come in on are not about it. */
function copiesToTask({ program }: PathStep): boolean {
  return program.code.nodes.some((node) => node.kind === 'instruction' && (node.targetName === 'sync_regs' || node.prefixes.includes('rep')));
}

/** Another way in of the same file copies the frame. */
const OTHER = `
	.globl	asm_other
asm_other:
	rep movsq
	ret
`;
const COPY = `	movq	%rsp, %rsi
	movq	%gs:top_of_stack(%rip), %rdi
	subq	$21*8, %rdi
	movq	%rdi, %rax
	movl	$21, %ecx
	rep movsq
	movq	%rax, %rsp
`;

function stub(copy: string): string {
  return entryStub({
    swap: `	testb	$3, 17*8(%rsp)
	jz	1f
	swapgs
	lfence
	movq	%gs:top_of_stack(%rip), %rax
${copy}1:	lfence
`,
    call: `	call	demo_gp${copy === '' ? ' #~ c-on-entry-stack' : ''}
`,
  });
}

export const cOnEntryStack: Rule = {
  name: 'c-on-entry-stack',
  id: 'XR-STK08',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'C code for an event from user mode runs on the entry stack',
  why: 'The entry stack is one page per CPU that the next entry from user mode starts over. C code on it may be preempted or sleep, and then the next task\'s entry overwrites its frame; and a page is less than C code needs.',
  instead: 'Copy pt_regs to the top of the task stack and go there before the handler runs.',
  falsePositives: ['What does that copy, which has to run on the entry stack.'],
  references: ['Linux, Documentation/arch/x86/pti.rst', 'semantics IDT-07'],
  bad: [{ title: 'One way in forgets the switch', files: { 'entry.S': stub('') + OTHER, 'design.c': handlerOfGp } }],
  good: [{ title: 'To the task stack', files: { 'entry.S': stub(COPY), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call'], monitor: null, judge },
  inspect: null,
  fix: null,
};
