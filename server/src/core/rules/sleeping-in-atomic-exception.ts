// XR-CTX01: something that may sleep is reached from NMI-like or hard-interrupt context.
import { sleepers } from '../tree/primitives.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { contextNames, visitContexts } from './tree-contexts.ts';
import { isUserAccess } from './nmi-user-access-not-nofault.ts';
import { entryPremise, findings, isCall, treeRule } from './tree-entries.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  visitContexts(tree, (step, context, where, entry) => {
    if (context === 'task' || context === 'unknown' || step.kind !== 'call' || step.indirect) return;
    const allocates = /^k[mz]?v?[mzc]?alloc\w*$/.test(step.name) && step.arguments.some((one) => /\bGFP_KERNEL\b/.test(one));
    if (!allocates && !isCall(step, sleepers)) return;
    // User accesses of the NMI handler are nmi-user-access-not-nofault's.
    if (entry.vector === 'NMI' && isUserAccess(step)) return;
    found.at(step, where, `${step.kind === 'call' ? step.name : ''}() may sleep and is reached in ${contextNames[context]}, where nothing can be scheduled; leave it to task_work or irq_work`, { premises: [entryPremise(tree, entry)] });
  });
  return found.all();
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

export const sleepingInAtomicException = treeRule({
  name: 'sleeping-in-atomic-exception',
  id: 'XR-CTX01',
  group: 'C context',
  severity: 'error',
  summary: 'a call that may sleep is reached from NMI-like or hard-interrupt context',
  why: 'These contexts have no task to put aside: the stack is that of an interrupted one or is rewound by the next event, preemption is off, and a lock that is held may be the one that is waited for.',
  instead: 'task_work for what belongs to the task, irq_work for the rest.',
  falsePositives: ['Code behind a test for user mode, which runs on the task stack.', 'Code that asks in_nmi(), in_interrupt() and the like itself.', 'Calls through pointers whose targets are not in view.'],
  references: ['semantics section 18, permission matrix', 'Linux 5567d11c21a1'],
  bad: [{ title: 'In the handler', files: { 'mce.c': handler('memory_failure(regs->ip >> 12, 0); //~ sleeping-in-atomic-exception') } }],
  good: [{ title: 'Deferred', files: { 'mce.c': handler('irq_work_queue(this_cpu_ptr(&mce_work));') } }],
  examine,
  besideRuns: true,
});
