// XR-SYS02, its assembler half: SYSRET on a path where nothing said that it may be used.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isConstant, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Monitor } from '../contexts/entry-paths.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import { RAX } from '../machine/registers.ts';
import type { Judgement, PathRule, RuleExample } from './rule.ts';

const NOT_ASKED = 0;
const YES = 1;
const NO = 2;
const CALLED = 3;

/** What the last C function that says whether SYSRET may be used said. */
const answer: Monitor = {
  initial: () => NOT_ASKED,
  next: (value, step) => {
    const name = cFunctionCalled(step);
    if (value === NOT_ASKED && name === null && isWayOut(step.start)) return isComparison(step) ? YES : CALLED;
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

/** SYSCALL of 64-bit programs enters at LSTAR, that of 32-bit ones at CSTAR: SYSRET goes to the mode that its operand size says. */
const OF_64_BITS = 'entry_SYSCALL_64';
const OF_32_BITS: ReadonlySet<string> = new Set(['entry_SYSCALL_compat', 'entry_SYSENTER_compat', 'entry_SYSCALL32_ignore', 'ignore_sysret']);

/** Whether SYSRET goes to user mode of the other width than the one that made the call (SDM vol. 2, "SYSRET"). */
function toTheOtherMode({ node, start }: PathStep): boolean {
  if (!isInstruction(node) || start.door.kind !== 'instruction') return false;
  return node.mnemonic === 'sysretl' ? start.door.name === OF_64_BITS : node.mnemonic === 'sysretq' && OF_32_BITS.has(start.door.name);
}

/** A sketch of the way out alone: where it begins C code has just done the call. */
function isWayOut({ door }: PathStep['start']): boolean {
  return door.kind === 'way-out' && door.of === 'SYSCALL';
}

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, start } = step;
  if (isInstruction(node) && toTheOtherMode(step)) {
    const [to, from] = node.mnemonic === 'sysretl' ? [32, 64] : [64, 32];
    return [{ place: pathPlace(node), message: `${node.text} goes back to ${to}-bit mode, and ${entered(start)} came from ${from}-bit mode: CS is that of the other kind of program; use ${from === 64 ? 'sysretq' : 'sysretl'}`, premises: pathPremises(step) }];
  }
  if (!isInstruction(node) || !node.mnemonic.startsWith('sysret') || (start.door.kind !== 'instruction' && !isWayOut(start)) || (value !== NO && value !== CALLED)) return [];
  const why = value === NO ? 'although C code answered that pt_regs needs IRET' : 'and nothing checked that pt_regs is one that it restores';
  return [{ place: pathPlace(node), message: `${node.text} returns from ${entered(start)} ${why}; return by IRET unless RCX is the canonical saved RIP and R11 the saved flags`, premises: pathPremises(step), blamed: [] }];
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
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%r8
	pushq	%r9
	pushq	%r10
	call	do_syscall_64
${test}	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%r11
	popq	%rcx
	movq	%gs:saved_rsp(%rip), %rsp
	swapgs
	sysretq${mark}
.Lslow:
	hlt

${entryStub({ clear: '' })}`;
}

export const sysretPath: PathRule = { at: ['return'], monitor: answer, judge };

export const badExits: readonly RuleExample[] = [{ title: 'Whatever the handler did, SYSRET', files: { 'entry.S': entry('', ' #~ sysret-unchecked'), 'design.c': handlerOfGp } }];

export const goodExits: readonly RuleExample[] = [{ title: 'IRET unless the handler says yes', files: { 'entry.S': entry('\ttestb\t%al, %al\n\tjz\t.Lslow\n', ''), 'design.c': handlerOfGp } }];
