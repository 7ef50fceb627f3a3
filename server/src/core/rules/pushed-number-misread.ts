// XR-SYS08: what the stub or the processor left in orig_ax and ax (a system call number, a vector, an error code) is lost
// or taken for another.
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const invalidated = (step: Step): boolean => step.kind === 'store' && step.target.endsWith('->orig_ax') && /^\(?-1U?L?\)?$/.test(step.value);
const noCall = (step: Step): boolean => step.kind === 'store' && step.target.endsWith('->ax') && step.value === '-ENOSYS';
const numbered = (step: Step): boolean => step.kind === 'store' && step.target.endsWith('->orig_ax') && /\w->ax\b/.test(step.value);
const calls = /^(?:syscall_enter_from_user_mode_work|do_syscall_\w+|do_fast_syscall_32)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    errorCode(tree, one, found);
    callNumber(tree, one, found);
  }
  for (const { name, file, body, start } of tree.entryMacros) {
    if (name !== 'DEFINE_IDTENTRY_IRQ' || body.includes('(u8)error_code')) continue;
    const at = Math.max(0, body.indexOf('error_code', body.indexOf('{')));
    found.place(placeIn(tree, file, { start: start + at, end: start + at + 'error_code'.length }), `${name}() hands the vector on as it was pushed: the push of a byte extends its sign, and vectors from 128 on are then huge indices into vector_irq; cut it to u8`);
  }
  return found.all();
}

/** FRED leaves the error code of an event in orig_ax: taken from there, it is no number of a system call. */
function errorCode(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some((step) => step.kind === 'store' && step.value.endsWith('->orig_ax')) || !steps.some((step) => step.kind === 'switch' && step.text.includes('fred_ss.type'))) return;
  watchProofs(tree, one, [{ key: 'i', what: '', does: invalidated }], {
    follow: (callee) => callee.file === one.file && callee.graph().steps.some(invalidated),
    at: (step, missing, where) => {
      const dispatches = step.kind === 'switch' && step.text.includes('fred_ss.type');
      if (dispatches && missing.length > 0) found.at(step, where, 'the event is handled with its error code still in orig_ax: a signal takes that for the number of a system call and goes back to restart it; set orig_ax to -1 first');
      return dispatches;
    },
  });
}

/** The number is kept in orig_ax, and ax says that no call was made, before anything looks at either. */
function callNumber(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some(numbered)) return;
  watch<'fresh' | 'overwritten'>(tree, one, 'fresh', {
    follow: () => false,
    step: (step, state, where) => {
      if (numbered(step) && state === 'overwritten') found.at(step, where, 'the number of the system call is taken from ax after ax was set to -ENOSYS: every call is then that one, which does not exist; take it first');
      return noCall(step) ? 'overwritten' : state;
    },
  });
  const taken: Proof = { key: 't', what: '', does: numbered };
  watchProofs(tree, one, [taken, { key: 'a', what: '', does: noCall }], {
    follow: () => false,
    at: (step, missing, where) => {
      const works = isCall(step, calls);
      if (works && !missing.includes(taken) && missing.length > 0) found.at(step, where, 'ax still holds the number of the system call: what is skipped by a tracer or by seccomp then returns it as a result, and a restart takes it for an error; set ax to -ENOSYS first');
      return works;
    },
  });
}

const dispatcher = (line: string, mark: string): string => `noinstr void demo_entry_from_user(struct pt_regs *regs)
{
	unsigned long error_code = regs->orig_ax;

${line}	switch (regs->fred_ss.type) {${mark}
	case EVENT_TYPE_HWEXC:
		return demo_hwexc(regs, error_code);
	default:
		return demo_bad_type(regs, error_code);
	}
}
`;
const system = (lines: string): string => `static __always_inline void demo_other(struct pt_regs *regs)
{
${lines}	do_syscall_64(regs, regs->orig_ax);
}
`;

export const pushedNumberMisread = treeRule({
  name: 'pushed-number-misread',
  id: 'XR-SYS08',
  group: 'SYSCALL, SYSRET and IRET',
  severity: 'error',
  summary: 'the number in orig_ax, which is a system call, a vector or an error code, is lost or taken for another',
  why: 'One word of pt_regs says which event it was. Signals and ptrace take anything but -1 in it for a system call, which they restart by moving RIP back; ax has to say that no call was made yet; and a vector that a stub pushed as a byte is negative from 128 on.',
  instead: 'Take the number out first, then set orig_ax to -1 for anything but a system call, ax to -ENOSYS for one, and cut a vector to 8 bits.',
  falsePositives: ['Interrupts under FRED, whose vector is in the frame.'],
  references: ['semantics SYS-01, FR-02', 'SDM vol. 2, "PUSH - Push Word, Doubleword, or Quadword Onto the Stack"'],
  bad: [
    { title: 'An error code taken for a call', files: { 'fred.c': dispatcher('', ' //~ pushed-number-misread') } },
    { title: 'Overwritten first', files: { 'fred.c': system('\tregs->ax = -ENOSYS;\n\tregs->orig_ax = regs->ax; //~ pushed-number-misread\n') } },
  ],
  good: [
    { title: 'Invalidated', files: { 'fred.c': dispatcher('\tregs->orig_ax = -1;\n', '') } },
    { title: 'Taken first', files: { 'fred.c': system('\tregs->orig_ax = regs->ax;\n\tregs->ax = -ENOSYS;\n') } },
  ],
  examine,
});
