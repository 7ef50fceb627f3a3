// XR-SYS02: SYSRET without the answer of the check that it may be used.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isConstant, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Monitor } from '../contexts/entry-paths.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import { RAX } from '../machine/registers.ts';
import type { Judgement, Rule } from './rule.ts';

const NOT_ASKED = 0;
const YES = 1;
const NO = 2;
const CALLED = 3;

/** What the last C function that says whether SYSRET may be used said. */
const answer: Monitor = {
  initial: () => NOT_ASKED,
  next: (value, step) => {
    const name = cFunctionCalled(step);
    if (name === null) return value === CALLED && isComparison(step) ? YES : value;
    const result = step.after.registers[RAX];
    if (entryCall(name).effect !== 'bool' || result === undefined || !isConstant(result)) return value === NOT_ASKED ? CALLED : value;
    return result.value === 0n ? NO : YES;
  },
};

/** A branch on what was compared behind the call: the checks may be made in assembler. */
function isComparison({ node }: PathStep): boolean {
  return isInstruction(node) && /^j(n?e|n?z|a|b|ae|be)$/.test(node.mnemonic);
}

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, start } = step;
  if (!isInstruction(node) || !node.mnemonic.startsWith('sysret') || start.door.kind !== 'instruction' || (value !== NO && value !== CALLED)) return [];
  const why = value === NO ? 'although C code answered that pt_regs needs IRET' : 'and nothing checked that pt_regs is one that it restores';
  return [{ place: pathPlace(node), message: `${node.text} returns from ${entered(start)} ${why}; return by IRET unless RCX is the canonical saved RIP and R11 the saved flags`, premises: pathPremises(step) }];
}

function entry(test: string, mark: string): string {
  return `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs
	movq	%rsp, %gs:saved_rsp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
	.globl	entry_SYSCALL_64_safe_stack
entry_SYSCALL_64_safe_stack:
	pushq	%rcx
	pushq	%r11
	xorl	%edi, %edi
	xorl	%esi, %esi
	xorl	%edx, %edx
	xorl	%ecx, %ecx
	call	do_syscall_64
${test}	popq	%r11
	popq	%rcx
	movq	%gs:saved_rsp(%rip), %rsp
	swapgs
	sysretq${mark}
.Lslow:
	hlt

${entryStub()}`;
}

export const sysretUnchecked: Rule = {
  name: 'sysret-unchecked',
  id: 'XR-SYS02',
  group: 'SYSCALL, SYSRET and IRET',
  severity: 'error',
  summary: 'SYSRET is used where nothing says that it may be',
  why: 'On Intel CPUs SYSRET with a non-canonical RCX faults in kernel mode with the user RSP and GS base loaded, and it can restore only what SYSCALL saved. Whoever can change pt_regs behind the entry (ptrace, a signal) makes it return elsewhere.',
  instead: 'Ask C code whether pt_regs is one that SYSRET restores, and return by IRET otherwise.',
  falsePositives: ['The stub for a SYSCALL that the kernel ignores: nothing can have changed its registers.'],
  references: ['SDM vol. 2, "SYSRET - Return From Fast System Call"', 'CVE-2012-0217', 'CVE-2014-4699', 'semantics SYS-05, SYS-07'],
  bad: [{ title: 'Whatever the handler did, SYSRET', files: { 'entry.S': entry('', ' #~ sysret-unchecked'), 'design.c': handlerOfGp } }],
  good: [{ title: 'IRET unless the handler says yes', files: { 'entry.S': entry('\ttestb\t%al, %al\n\tjz\t.Lslow\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { monitor: answer, judge },
  inspect: null,
  fix: null,
};
