// XR-CTX04: NMI-like code defers work, or sends a signal, in a way that is not made for it.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { handlesMachineChecks, queuedBy, queuesPersistentNode } from './mc-retry.ts';
import type { Judgement } from './rule.ts';
import { visitContexts } from './tree-contexts.ts';
import { entryPremise, findings, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

const signals = /^(?:force_(?:sig|exit_sig|fatal_sig)\w*|send_sig\w*|do_send_sig\w*|kill_\w*pid\w*)$/;
const queues = /^(?:schedule_work(?:_on)?|queue_work(?:_on)?|(?:mod|schedule|queue)_delayed_work\w*|mod_timer|add_timer\w*|wake_up(?:_\w+)?|complete(?:_all)?)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  visitContexts(tree, (step, context, where, entry) => {
    if (context !== 'nmi' || step.kind !== 'call' || step.indirect) return;
    const premises = [entryPremise(tree, entry)];
    if (signals.test(step.name)) found.at(step, where, `${step.name}() takes the locks of the signal code in NMI-like context; send the signal from task_work`, { premises });
    else if (queues.test(step.name)) found.at(step, where, `${step.name}() takes locks and wakes tasks, which NMI-like context must not; queue irq_work and do it there`, { premises });
    else if (step.name === 'task_work_add') {
      const mode = step.arguments[2] ?? '';
      if (/TWA_SIGNAL/.test(mode) || (entry.vector === 'NMI' && !/TWA_NMI_CURRENT|TWA_NONE/.test(mode))) {
        found.at(step, where, `task_work_add() with ${mode} kicks the task in a way that ${entry.vector === 'NMI' ? 'an NMI' : 'NMI-like context'} must not; use TWA_NMI_CURRENT`, { premises });
      }
    }
  });
  workInHandler(tree, found);
  return found.all();
}

/** Work that is made for the way back to user mode, called where it is only to be queued. */
function workInHandler(tree: Tree, found: Findings): void {
  const works = new Set(tree.functions.flatMap((one) => (!handlesMachineChecks(tree, one) ? [] : takesNode(tree, one) ? [one] : one.graph().steps.some(queuesPersistentNode) ? [...queuedBy(tree, one)] : [])));
  if (works.size === 0) return;
  visitContexts(tree, (step, _context, where, entry) => {
    if (entry.vector !== 'MC' || step.kind !== 'call' || step.indirect || works.has(where.function)) return;
    const callee = tree.resolve(step.name, where.function.file);
    if (callee !== null && works.has(callee)) found.at(step, where, `${step.name}() is work for the way back to user mode and is called in the handler of #MC itself: it may sleep and takes locks, with interrupts off and the other CPUs in the same event; queue it by task_work_add()`, { premises: [entryPremise(tree, entry)] });
  });
}

/** Whether a function has the form of such work: `kill_me_now(struct callback_head *ch)`. */
function takesNode(tree: Tree, one: TreeFunction): boolean {
  const head = (tree.active(one.file) ?? '').slice(one.span.start, one.span.end).split('{')[0] ?? '';
  return /\w\(\s*struct callback_head \*\s*\w+\)\s*$/.test(head);
}

const handler = (line: string): string => `DEFINE_IDTENTRY_MCE(exc_machine_check)
{
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	${line}
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}
`;

const recovery = (line: string): string => `static void kill_me_maybe(struct callback_head *head)
{
	current->mce_count = 0;
}

${handler(line)}`;

export const wrongDeferralMode = treeRule({
  name: 'wrong-deferral-mode',
  id: 'XR-CTX04',
  group: 'C context',
  severity: 'warning',
  summary: 'NMI-like code sends a signal or queues work by means that take locks',
  why: 'Signals, work queues, timers and wake-ups take locks that the interrupted code may hold, and some modes of task_work send an interrupt or wake the task.',
  instead: 'irq_work_queue(), or task_work_add() with TWA_RESUME for the current task in #MC and TWA_NMI_CURRENT in NMI; signals from there.',
  falsePositives: ['Code behind a test for user mode, which runs on the task stack.'],
  references: ['semantics section 21', 'Linux 5567d11c21a1'],
  bad: [{ title: 'The work itself', files: { 'mce.c': recovery('kill_me_maybe(&current->mce_kill_me); //~ wrong-deferral-mode') } }, { title: 'A signal', files: { 'mce.c': handler('force_sig(SIGBUS); //~ wrong-deferral-mode') } }],
  good: [{ title: 'The work left to irq_work', files: { 'mce.c': recovery('irq_work_queue(this_cpu_ptr(&mce_work));') } }, { title: 'irq_work', files: { 'mce.c': handler('irq_work_queue(this_cpu_ptr(&mce_work));') } }],
  examine,
  besideRuns: true,
});
