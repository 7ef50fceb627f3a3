// XR-SYS01: a stack access at CPL 0 while RSP is still, or again, the one that user space chose.
import type { PathStep } from '../contexts/entry-paths.ts';
import { vectorOf } from '../contexts/entry-start.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { isInstruction, pathPlace, pathPremises, rspOf, stackNameOf, usesStack } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node) || before.cpu.cpl === 3 || !usesStack(node) || stackNameOf(step.setup, rspOf(before)) !== 'user') return [];
  if (vectorOf(step.start.door) !== null && step.start.user) return [];
  return [{ place: pathPlace(node), message: `${node.text} uses the stack while RSP is the one that user space chose; load a kernel stack first, and the user RSP last`, premises: pathPremises(step) }];
}

function entry(first: string): string {
  return `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs
${first}	movq	%rsp, %gs:saved_rsp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
	.globl	entry_SYSCALL_64_safe_stack
entry_SYSCALL_64_safe_stack:
	hlt

${entryStub()}`;
}

export const stackUseInSyscallGap: Rule = {
  name: 'stack-use-in-syscall-gap',
  id: 'XR-SYS01',
  group: 'SYSCALL, SYSRET and IRET',
  severity: 'error',
  summary: 'the stack is used while RSP is the user\'s',
  why: 'SYSCALL pushes nothing and leaves RSP alone: until RSP is loaded, a push writes at CPL 0 where user space points, and so it does behind the load of the user RSP on the way out.',
  instead: 'Keep scratch values in per-CPU words until RSP is loaded, and load the user RSP last.',
  falsePositives: ['SYSENTER, whose RSP comes from a register that the kernel sets.'],
  references: ['SDM vol. 2, "SYSCALL - Fast System Call"', 'semantics SYS-01, SYS-03'],
  bad: [{ title: 'A push before the stack is loaded', files: { 'entry.S': entry('\tpushq\t%rax #~ stack-use-in-syscall-gap\n'), 'design.c': handlerOfGp } }],
  good: [{ title: 'A per-CPU word as scratch', files: { 'entry.S': entry('\tmovq\t%rax, %gs:scratch(%rip)\n'), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call', 'access', 'return'], monitor: null, rank: 1, judge },
  inspect: null,
  fix: null,
};
