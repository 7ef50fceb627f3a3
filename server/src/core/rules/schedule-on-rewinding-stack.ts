// XR-CTX03: a preemption point or exit work runs while the return frame is on a stack that the next event rewinds.
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { visitContexts } from './tree-contexts.ts';
import { entryPremise, findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const switches = /^(?:preempt_schedule\w*|schedule|cond_resched|irqentry_exit_cond_resched|raw_irqentry_exit_cond_resched|exit_to_user_mode_prepare|exit_to_user_mode_loop|irqentry_exit_to_user_mode)$/;

/** Sleeps until the host has the page. */
const sleepsForHost = /^kvm_async_pf_task_wait(?:_schedule)?$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  visitContexts(tree, (step, context, where, entry) => {
    if ((context !== 'nmi' && context !== 'stub') || !isCall(step, switches)) return;
    found.at(step, where, `${step.name}() may switch tasks while the frame of ${entry.function.name}() is on a stack that the next event starts again from its top: the frame is gone when the task goes on; return first, and leave it to the next exit`, { premises: [entryPremise(tree, entry)] });
  });
  // The host's page fault puts the task to sleep, which code with interrupts off must not see.
  for (const one of tree.functions) {
    if (!one.graph().steps.some((step) => isCall(step, sleepsForHost))) continue;
    const wereOn: Proof = { key: 'i', what: '', test: (text, holds) => (holds ? /->flags & X86_EFLAGS_IF\)?$/.test(text) : text.startsWith('regs_irqs_disabled(') || text.endsWith('->flags & X86_EFLAGS_IF) == 0')) };
    watchProofs(tree, one, [wereOn], {
      at: (step, missing, where) => {
        if (isCall(step, sleepsForHost) && missing.length > 0) found.at(step, where, `${step.kind === 'call' ? step.name : ''}() switches tasks although nobody asked whether the interrupted code had interrupts on: with them off it may hold what the next task needs; panic there, as a host that does this is broken`);
        return false;
      },
    });
  }
  // In the exit that all interrupts share, the count says whether the return frame lies on a stack that may be left.
  for (const one of tree.functions) {
    if (!one.graph().steps.some((step) => isCall(step, /^preempt_schedule_irq$/))) continue;
    const none: Proof = { key: 'c', what: '', test: (text, holds) => (!holds && /^preempt_count\(\)$/.test(text)) || (holds && /^preempt_count\(\) == 0$/.test(text)) };
    watchProofs(tree, one, [none], {
      at: (step, missing, where) => {
        if (isCall(step, /^preempt_schedule_irq$/) && missing.length > 0) found.at(step, where, 'the task is switched although preempt_count() was not asked: an interrupt of an interrupt or of a softirq leaves its frame on the interrupt stack, and the next one overwrites it; switch only where it is 0');
        return false;
      },
    });
  }
  return found.all();
}

const exit = (test: string, mark: string): string => `static noinstr void demo_resched(void)
{
	if (${test} && need_resched())
		preempt_schedule_irq();${mark}
}

DEFINE_IDTENTRY_RAW(exc_demo)
{
	irqentry_state_t state = irqentry_enter(regs);

	irqentry_exit(regs, state);
}
`;

const handler = (line: string): string => `DEFINE_IDTENTRY_DEBUG(exc_debug)
{
	unsigned long dr6 = debug_read_reset_dr6();
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	handle(regs, dr6);
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
${line}}
`;

export const scheduleOnRewindingStack = treeRule({
  name: 'schedule-on-rewinding-stack',
  id: 'XR-CTX03',
  group: 'C context',
  severity: 'error',
  summary: 'a task switch is possible while the return frame lies on an IST or interrupt stack',
  why: 'The task that is switched out would have to come back to a frame on a per-CPU stack that every further event of the vector starts to use from the top, on a CPU that it may no longer be on.',
  instead: 'No exit work for NMI-like events from kernel mode: they return as they came, and the need for a task switch is seen at the next ordinary exit.',
  falsePositives: ['Events from user mode, which run on the task stack.'],
  references: ['semantics ENT-05, section 18'],
  bad: [
    { title: 'A preemption point', files: { 'debug.c': handler('\tpreempt_schedule_irq(); //~ schedule-on-rewinding-stack\n') } },
    { title: 'An exit that does not ask the count', files: { 'exit.c': exit('demo_preempts()', ' //~ schedule-on-rewinding-stack') } },
  ],
  good: [{ title: 'None', files: { 'debug.c': handler('') } }, { title: 'An exit that asks', files: { 'exit.c': exit('!preempt_count()', '') } }],
  examine,
});
