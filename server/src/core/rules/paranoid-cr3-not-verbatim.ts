// XR-CR02: the way back into kernel code loads another page table than the one that was interrupted.
import { ENTRY_ROUTINES } from '../kernel/entry-calls.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp, TO_KERNEL_CR3 } from './path-examples.ts';
import { cr3Of, entered, exitJump, exitPlace, expectedState, isEventReturn, isInstruction, knowledgeOf, pathPremises } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

/** Writes of CR3 that a path has made, up to three, beside the jump to shared return code. */
const WRITES = 4;
const writes: Monitor = {
  initial: () => 0,
  next: (value, step) => {
    const jump = exitJump.next(Math.floor(value / WRITES), step);
    return jump * WRITES + Math.min(WRITES - 1, (value % WRITES) + (writesCr3(step.node) ? 1 : calledRoutine(step) ? 2 : 0));
  },
};

/** What a routine that is not in view has loaded its counterpart takes back, which is not in view either. */
function calledRoutine({ calls }: PathStep): boolean {
  return calls !== null && ENTRY_ROUTINES.has(calls);
}

function writesCr3(node: CodeNode): boolean {
  const target = isInstruction(node) && node.mnemonic.startsWith('mov') ? node.operands[1] : undefined;
  return target?.kind === 'system-register' && target.name === 'cr3';
}

const ANYWHERE: ReadonlySet<number> = new Set([1, 2, 18, 29]);

/** A sketch of one stub without the entry code that it may hit: what it has loaded it never takes back for kernel code. */
function leavesLoaded({ program, start, after }: PathStep, count: number): boolean {
  if (program.gap !== null || program.contexts.has('inside C') || start.door.kind !== 'event' || !ANYWHERE.has(start.door.vector) || start.user) return false;
  const { vector } = start.door;
  return count === 1 && after.cpu.cpl === 0 && program.handlers.some((handler) => handler.vector === vector && handler.ist.value !== null);
}

function judge(step: PathStep, seen: number): readonly Judgement[] {
  const value = Math.floor(seen / WRITES);
  if (isEventReturn(step) && leavesLoaded(step, seen % WRITES)) {
    return [{ place: exitPlace(step, value), message: `${step.node.text} returns to kernel code with the CR3 that the stub has loaded (${entered(step.start)}): entry code that it interrupted may have run on the user's; load the value that the entry saved, on every path`, premises: [...pathPremises(step), { fact: 'entry code that runs on the user CR3 is not in view', place: null, assumed: true }] }];
  }
  if (!isEventReturn(step) || !knowledgeOf(step.program).cr3) return [];
  const wanted = cr3Of(expectedState(step));
  const found = cr3Of(step.after);
  if (wanted === found || wanted === 'unknown' || found === 'unknown') return [];
  const to = step.after.cpu.cpl === 3 ? 'user mode' : 'kernel code';
  return [{ place: exitPlace(step, value), message: `${step.node.text} returns to ${to} with the ${found} CR3, which ran on the ${wanted} CR3 (${entered(step.start)}); load the value that the entry saved`, premises: pathPremises(step), blamed: [{ kind: 'cr3' }, { kind: 'register', name: 'r14' }] }];
}

function stub(restore: string): string {
  return entryStub({
    swap: TO_KERNEL_CR3,
    unswap: `	testb	$3, 17*8(%rsp)
	jz	2f
	swapgs
2:
${restore}`,
    leave: `	addq	$8, %rsp
	iretq${restore === '' ? ' #~ paranoid-cr3-not-verbatim' : ''}
`,
  });
}

export const paranoidCr3NotVerbatim: Rule = {
  name: 'paranoid-cr3-not-verbatim',
  id: 'XR-CR02',
  group: 'CR3 and page-table isolation',
  severity: 'error',
  summary: 'a return into kernel code brings back another CR3 than the one it found',
  why: 'An NMI, #MC, #DB or #VC can interrupt entry code that runs in kernel mode on the user CR3. If the exit chooses CR3 by the saved CS or leaves the restore to a branch that is about something else, the interrupted code goes on with the wrong page table: on the kernel\'s it returns to user mode with the kernel mapped, on the user\'s it faults.',
  instead: 'Save CR3 on entry and load the saved value on exit, on every path.',
  falsePositives: ['The no-flush bit, which may differ.'],
  references: ['Linux, Documentation/arch/x86/pti.rst', 'Linux commit e48657573481', 'semantics CR3-03'],
  bad: [{ title: 'The exit does not go back to the user CR3', files: { 'entry.S': stub(''), 'design.c': handlerOfGp } }],
  good: [{ title: 'The saved value on every path', files: { 'entry.S': stub('\tmovq\t%r14, %cr3\n'), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['return'], monitor: writes, judge },
  inspect: null,
  fix: null,
};
