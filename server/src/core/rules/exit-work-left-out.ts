// XR-INS06: the way to user mode leaves out work that a flag of the task or a word of the CPU asks for there.
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';

interface Work {
  /** Functions that do it; one of them is enough. */
  readonly does: (step: Step) => boolean;
  readonly what: string;
  readonly option: string | null;
}

/** Of the part that each architecture has: once, with interrupts off. */
const own: readonly Work[] = [
  { does: (step) => isCall(step, /^switch_fpu_return$/), what: 'load the FPU registers of the task: it goes on with those of another one', option: null },
  { does: (step) => isCall(step, /^tss_update_io_bitmap$/), what: 'load the I/O permissions of the task: it goes on with those of another one', option: 'CONFIG_X86_IOPL_IOPERM' },
  { does: (step) => step.kind === 'store' && step.target.endsWith('status') && step.text.includes('TS_COMPAT'), what: 'clear TS_COMPAT: the next system call of 64 bits is taken for one of 32', option: 'CONFIG_COMPAT' },
];
/** Of the loop that all have. */
const shared: readonly Work[] = [
  { does: (step) => isCall(step, /^schedule$/), what: 'schedule: a task that never leaves user mode by itself keeps the CPU', option: null },
  { does: (step) => isCall(step, /^(?:arch_do_signal(?:_or_restart)?|handle_signal_work)$/), what: 'deliver signals: the task cannot be killed', option: null },
];

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    if (one.name === 'arch_exit_to_user_mode_prepare' && (tree.design || one.file.startsWith('arch/'))) owes(tree, one, own);
    if (steps.some((step) => isCall(step, /^arch_exit_to_user_mode_work$/)) && steps.some((step) => step.kind === 'test' && step.text.includes('EXIT_TO_USER_MODE_WORK'))) owes(tree, one, shared);
    // The word is written back only where the barrier was.
    const cleared = steps.find((step) => isCall(step, /^(?:_*this|raw)_cpu_write$/) && step.arguments[0] === 'x86_ibpb_exit_to_user' && /^(?:false|0)$/.test(step.arguments[1] ?? ''));
    if (cleared !== undefined && !steps.some((step) => isCall(step, /^(?:indirect_branch_prediction_barrier|write_ibpb|__write_ibpb)$/))) found.at(cleared, { function: one, calls: [] }, 'x86_ibpb_exit_to_user is cleared without the barrier that it asks for: branches of the program are predicted by what a guest trained; call indirect_branch_prediction_barrier() first');
  }
  return found.all();

  function owes(here: Tree, one: TreeFunction, works: readonly Work[]): void {
    if (!one.whole) return;
    const steps = one.graph().steps.flatMap((step) => [step, ...(step.kind === 'call' && !step.indirect ? (calleeOf(here, one, step.name)?.graph().steps ?? []) : [])]);
    const missing = works.filter(({ does, option }) => (option === null || here.option(option)) && !steps.some(does)).map(({ what }) => what);
    // Told where the work is, in the part that was given a function of its own.
    const part = one.graph().steps.flatMap((step) => (isCall(step, /^arch_exit_work$/) && step.kind === 'call' ? (calleeOf(here, one, step.name) ?? []) : []))[0] ?? one;
    const at = missing.some((what) => what.startsWith('clear')) ? one : part;
    if (missing.length > 0) found.place(placeIn(here, at.file, at.nameSpan), `${at.name}() does not ${missing.join(', and does not ')}; do it before the return to user mode`);
  }
}

/** A part of it in the same file. */
function calleeOf(tree: Tree, one: TreeFunction, name: string): TreeFunction | null {
  const callee = tree.resolve(name, one.file);
  return callee !== null && callee.file === one.file ? callee : null;
}

const prepare = (work: string, mark: string): string => `static inline void arch_exit_to_user_mode_prepare(struct pt_regs *regs, unsigned long ti_work)${mark}
{
${work}}
`;

export const exitWorkLeftOut = treeRule({
  name: 'exit-work-left-out',
  id: 'XR-INS06',
  group: 'Entry state',
  severity: 'error',
  summary: 'the way to user mode leaves out work that is owed there: FPU registers, I/O permissions, TS_COMPAT, signals, the scheduler, a branch barrier',
  why: 'The kernel puts off what only a program can see until the return to user mode, and notes it in a flag. That return is the last place for it: a program goes on with registers or permissions of another one, or cannot be stopped.',
  instead: 'Each flag asked for once on the way out, with what it stands for.',
  falsePositives: ['Work in a function of its own in the same file.', 'Work of options that the configuration does not have.'],
  references: ['kernel/entry/common.c, exit_to_user_mode_loop()', 'Linux 5f409e20b794, 111e7b15cf10, 37a8f7c38339'],
  bad: [{ title: 'The FPU is forgotten', files: { 'entry-common.h': prepare('\tif (ti_work & _TIF_USER_RETURN_NOTIFY)\n\t\tfire_user_return_notifiers();\n', ' //~ exit-work-left-out'), 'design.c': '#include "entry-common.h"\n' } }],
  good: [{ title: 'Loaded on the way out', files: { 'entry-common.h': prepare('\tif (ti_work & _TIF_NEED_FPU_LOAD)\n\t\tswitch_fpu_return();\n', ''), 'design.c': '#include "entry-common.h"\n' } }],
  examine,
});
