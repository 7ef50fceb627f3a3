// XR-FLG03: SYSENTER leaves flags as user space set them, and they reach C code.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { NT, TF } from '../machine/state.ts';
import type { Judgement, Rule } from './rule.ts';

const HARMFUL: readonly (readonly [flag: bigint, name: string])[] = [[NT, 'NT'], [TF, 'TF']];

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node) || start.door.kind !== 'instruction' || start.door.instruction !== 'SYSENTER') return [];
  const name = cFunctionCalled(step);
  if (name === null) return [];
  const set = HARMFUL.filter(([flag]) => (before.flags.known & flag) !== 0n && (before.flags.value & flag) !== 0n).map(([, flag]) => flag);
  if (set.length === 0) return [];
  return [{ place: pathPlace(node), message: `${name}() is entered with ${set.join(' and ')} as user space set it: SYSENTER clears only IF; load clean flags first`, premises: pathPremises(step) }];
}

function entry(clean: string, mark: string): string {
  return `	.globl	entry_SYSENTER_compat
entry_SYSENTER_compat:
	swapgs
	movq	%gs:top_of_stack(%rip), %rsp
	cld
	clac
${clean}	xorl	%ebx, %ebx
	call	do_demo${mark}
	hlt

${entryStub({ clear: '' })}`;
}

export const sysenterFlagsNotSanitised: Rule = {
  name: 'sysenter-flags-not-sanitised',
  id: 'XR-FLG03',
  group: 'Flags',
  severity: 'error',
  summary: 'SYSENTER reaches C code with a flag that user space set',
  why: 'SYSENTER clears IF and nothing else. NT makes the next IRET fault, in kernel mode, whenever that comes; TF single-steps the kernel; IOPL and AC lift protections.',
  instead: 'Test the saved flags and load clean ones before C code runs or interrupts are enabled.',
  falsePositives: ['SYSCALL, whose mask clears them.'],
  references: ['SDM vol. 2, "SYSENTER - Fast System Call"', 'Linux commit 8c7aa698baca', 'semantics DB-05, SYS-08'],
  bad: [{ title: 'Straight to C code', files: { 'entry.S': entry('', ' #~ sysenter-flags-not-sanitised'), 'design.c': handlerOfGp } }],
  good: [{ title: 'Clean flags first', files: { 'entry.S': entry('\tpushq\t$2\n\tpopfq\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call'], monitor: null, judge },
  inspect: null,
  fix: null,
};
