// XR-SPC07: a system call enters C code with the branch history that user space has made.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import type { Program } from '../program/program.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

const CLEARING = 'clear_bhb_loop';
const FEATURE = 'X86_FEATURE_CLEAR_BHB_LOOP';
/** INT 0x80, the system call of 32-bit programs. */
const SYSTEM_CALL = 0x80;
/** Copy the frame, and choose nothing by what a program asks for. */
const COPIES: ReadonlySet<string> = new Set(['sync_regs', 'fixup_bad_iret']);

const clearsHistory = (node: PathStep['node']): boolean => isInstruction(node) && node.mnemonic.startsWith('call') && node.targetName === CLEARING;

function isSystemCall({ door, user }: PathStart): boolean {
  return user && (door.kind === 'instruction' || (door.kind === 'event' && door.vector === SYSTEM_CALL));
}

const cleared: Monitor = { initial: (start) => (isSystemCall(start) ? 0 : 1), next: (value, step) => (value === 0 && clearsHistory(step.node) ? 1 : value) };

const known = new WeakMap<Program, boolean>();

/** Whether the code under review clears the history anywhere. */
function clears(program: Program): boolean {
  const before = known.get(program);
  if (before !== undefined) return before;
  const found = program.code.nodes.some(clearsHistory);
  known.set(program, found);
  return found;
}

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, start, program } = step;
  if (value !== 0 || !isInstruction(node) || step.before.cpu.cpl === 3 || !clears(program)) return [];
  if (program.contexts.has('inside C') && !start.variant.present.includes(FEATURE)) return [];
  const name = cFunctionCalled(step);
  if (name === null || COPIES.has(name)) return [];
  return [{ place: pathPlace(node), message: `${name}() runs with the branch history of user space (${entered(start)}, BHI): what indirect branches of the system call are predicted to is chosen by it; clear the history before the call`, premises: pathPremises(step) }];
}

const stub = (name: string, clear: string, mark: string): string => `	.globl	${name}
${name}:
	swapgs
	movq	%rsp, %gs:saved_rsp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
${clear}	call	do_demo_call${mark}
	hlt

`;
const clear = '\tcall\tclear_bhb_loop\n';
const unit = (second: string, mark: string): Readonly<Record<string, string>> => ({ 'entry.S': stub('entry_SYSCALL_64', clear, '') + stub('entry_SYSCALL_compat', second, mark) + entryStub({ clear: '' }), 'design.c': handlerOfGp });

export const branchHistoryNotCleared: Rule = {
  name: 'branch-history-not-cleared',
  id: 'XR-SPC07',
  group: 'Speculation',
  severity: 'warning',
  summary: 'a system call enters C code without clearing the branch history, and another entry clears it',
  why: 'The predictor of indirect branches goes by the branches that were taken before, those of user space included. A program that steers it makes the kernel run code of the program\'s choice speculatively with arguments that it also chooses. Each instruction that makes a system call has an entry of its own, and one that is left out is the one that is used.',
  instead: 'Call the clearing routine in every entry of a system call, behind the untraining of returns and before the first C function.',
  falsePositives: ['Exceptions and interrupts, whose arguments a program does not choose.', 'The stub of a SYSCALL that is refused, which calls no C code.', 'CPUs that have a control for it, and kernels without the routine.'],
  references: ['CVE-2024-2201', 'Linux, Documentation/admin-guide/hw-vuln/spectre.rst'],
  bad: [{ title: 'One of two entries', files: unit('', ' #~ branch-history-not-cleared') }],
  good: [{ title: 'Both', files: unit(clear, '') }],
  judge: null,
  path: { at: ['call'], monitor: cleared, judge },
  inspect: null,
  fix: null,
};
