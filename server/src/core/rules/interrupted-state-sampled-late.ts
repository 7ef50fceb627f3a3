// XR-INS05: what the interrupted context was is asked after the entry has overwritten it, or the steps of an entry are
// taken in the wrong order.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const samples = /^(?:lockdep_hardirqs_enabled)$/;
const overwrites = /^(?:lockdep_hardirqs_(?:on|off)|lockdep_off|__nmi_enter)$/;

/** Each chain in the order that the entry contract wants (SEM ENT-01, ENT-02). */
const chains: readonly { readonly marks: RegExp; readonly order: readonly string[]; readonly what: string; readonly between?: string }[] = [
  { marks: /^__nmi_enter$/, order: ['__nmi_enter', 'lockdep_hardirqs_off', 'lockdep_hardirq_enter', 'ct_nmi_enter', 'instrumentation_begin'], what: 'the entry into NMI context' },
  { marks: /^__nmi_exit$/, order: ['instrumentation_end', 'ct_nmi_exit', 'lockdep_hardirq_exit', 'lockdep_hardirqs_on', '__nmi_exit'], what: 'the exit from NMI context' },
  { marks: /^(?:user_exit_irqoff|__ct_user_exit|ct_user_exit)$/, order: ['lockdep_hardirqs_off', 'user_exit_irqoff', 'instrumentation_begin'], what: 'the entry from user mode' },
  { marks: /^(?:ct|rcu)_irq_enter$/, order: ['lockdep_hardirqs_off', 'ct_irq_enter', 'instrumentation_begin'], what: 'the entry from the idle task' },
  { marks: /^exit_to_user_mode_loop$/, order: ['read_thread_flags', 'exit_to_user_mode_loop', 'arch_exit_to_user_mode_prepare'], what: 'the way to user mode', between: 'what the earlier one has settled the later one, which may schedule, undoes' },
  { marks: /^ptrace_report_syscall_entry$/, order: ['syscall_user_dispatch', 'ptrace_report_syscall_entry', '__secure_computing', 'trace_sys_enter'], what: 'the work before a system call', between: 'what was decided on are not the registers that the call is made with, which a tracer may change' },
  { marks: /^user_enter_irqoff$/, order: ['instrumentation_end', 'user_enter_irqoff', 'arch_exit_to_user_mode', 'lockdep_hardirqs_on'], what: 'the exit to user mode' },
];

const idle: Proof = { key: 'i', what: '', test: (text, holds) => holds && /^(?:is_idle_task|arch_in_rcu_eqs)\(/.test(text) };
const wereOn: Proof = { key: 'o', what: '', test: (text, holds) => !holds && text.startsWith('regs_irqs_disabled(') };

/** What the generic entry and exit go by is the interrupted context, not what holds while they run (SEM ENT-01, ENT-02). */
function exitsByTheEntry(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (one.name.endsWith('_exit') && steps.some((step) => isCall(step, /^__nmi_exit$/))) {
    const anew = steps.find((step) => isCall(step, samples) || (step.kind === 'test' && step.text.startsWith('lockdep_hardirqs_enabled(')));
    if (anew !== undefined) found.at(anew, { function: one, calls: [] }, `${one.name}() asks lockdep what it says now, which is what the entry has made of it: interrupts then count as off in code that has them on; go by what the entry kept`);
  }
  if (steps.some((step) => step.kind === 'store' && step.target.endsWith('.exit_rcu') && step.value === 'true')) {
    watchProofs(tree, one, [idle], {
      follow: () => false,
      at: (step, missing, where) => {
        const enters = isCall(step, /^(?:ct|rcu)_irq_enter$/);
        if (enters && missing.length > 0) found.at(step, where, `${step.name}() is called by another condition than that the idle task was interrupted: an interrupt that nests in one whose softirqs run finds RCU watching, and a tick there ends a grace period too early; ask is_idle_task() alone`);
        return enters;
      },
    });
  }
  if (!one.name.startsWith('irqentry_exit') || one.name.includes('cond_resched')) return;
  watchProofs(tree, one, [wereOn], {
    follow: () => false,
    at: (step, missing, where) => {
      const schedules = isCall(step, /^(?:raw_)?irqentry_exit_cond_resched$|^preempt_schedule_irq$/);
      if (schedules && missing.length > 0) found.at(step, where, 'the exit may switch tasks without having asked whether the interrupted code had interrupts on: with them off it may hold what the next task needs; ask regs_irqs_disabled() first');
      return schedules;
    },
  });
}

/** Steps behind which RCU does not watch, and those behind which it does. */
const rcuOff = /^(?:(?:ct|rcu)_irq_exit|(?:ct|rcu)_nmi_exit|user_enter_irqoff|_*exit_to_user_mode)$/;
const rcuOn = /^(?:(?:ct|rcu)_irq_enter|(?:ct|rcu)_nmi_enter|user_exit_irqoff|irqentry_\w*enter\w*|_*enter_from_user_mode)$/;

/** An entry helper that has entered from user mode is done: the part for kernel mode is not for the same event. */
function entersOnce(tree: Tree, one: TreeFunction, found: Findings): void {
  if (!/^irqentry_enter$/.test(one.name)) return;
  watch<'open' | 'entered'>(tree, one, 'open', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind !== 'call') return state;
      if (/^(?:irqentry_|_*)enter_from_user_mode$/.test(step.name)) return 'entered';
      if (/^(?:lockdep_hardirqs_off|(?:ct|rcu)_irq_enter\w*)$/.test(step.name) && state === 'entered') {
        found.at(step, where, `${step.name}() is for an event from kernel mode, and this path has entered from user mode: the state is set up twice, and taken back once; return behind the entry from user mode`);
        return 'open';
      }
      return state;
    },
  });
}

/** Instrumentation needs RCU: none behind the step that turns it off, and that step not inside an instrumentable range. */
function unwatched(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some((step) => isCall(step, rcuOff)) || !steps.some((step) => isCall(step, /^instrumentation_begin$/))) return;
  watch<'on out' | 'on in' | 'off out'>(tree, one, 'on out', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind !== 'call') return state;
      if (step.name === 'instrumentation_begin') {
        if (state === 'off out') found.at(step, where, `${one.name}() goes on with code that may be traced after RCU has stopped watching: a tracer there reads what may be freed under it; leave the function, or do that first`);
        return state === 'off out' ? state : 'on in';
      }
      if (step.name === 'instrumentation_end') return state === 'off out' ? state : 'on out';
      if (rcuOn.test(step.name)) return 'on out';
      if (!rcuOff.test(step.name)) return state;
      if (state === 'on in') found.at(step, where, `${step.name}() stands inside the instrumentable range: behind it RCU does not watch, and a tracer there reads what may be freed under it; end the range first`);
      return 'off out';
    },
  });
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    if (steps.some((step) => isCall(step, samples)) && steps.some((step) => isCall(step, overwrites))) {
      watch<'fresh' | 'overwritten'>(tree, one, 'fresh', {
        follow: () => false,
        step: (step, state, where) => {
          if (isCall(step, samples) && state === 'overwritten') found.at(step, where, `${step.name}() is asked after this entry has changed what it says: the exit then restores the state of the entry and not that of the interrupted code; ask first`);
          return isCall(step, overwrites) ? 'overwritten' : state;
        },
      });
    }
    exitsByTheEntry(tree, one, found);
    unwatched(tree, one, found);
    entersOnce(tree, one, found);
    for (const { marks, order, what, between = 'between the two RCU, lockdep and the preemption count do not agree' } of chains) {
      if (!steps.some((step) => isCall(step, marks)) || steps.filter((step) => isCall(step, /./) && order.includes(step.name)).length < 3) continue;
      watch<string>(tree, one, '-1', {
        follow: () => false,
        step: (step: Step, state, where) => {
          const at = step.kind === 'call' ? order.indexOf(step.name) : -1;
          if (at === -1) return state;
          // The exit begins with an instrumentable range of its own: its end counts once.
          if (at < Number(state)) found.at(step, where, `${order[at] ?? ''}() stands behind ${order[Number(state)] ?? ''}() in ${what}: ${between}; keep the order ${order.join(', ')}`);
          return String(Math.max(at, Number(state)));
        },
      });
    }
  }
  return found.all();
}

const enter = (lines: string): string => `noinstr irqentry_state_t irqentry_nmi_enter(struct pt_regs *regs)
{
	irqentry_state_t state;

${lines}	lockdep_hardirq_enter();
	ct_nmi_enter();
	return state;
}
`;

const leave = (lines: string): string => `noinstr void demo_leave(struct pt_regs *regs)
{
	instrumentation_begin();
	settle(regs);
${lines}}
`;

export const interruptedStateSampledLate = treeRule({
  name: 'interrupted-state-sampled-late',
  id: 'XR-INS05',
  group: 'Entry state',
  severity: 'error',
  summary: 'an entry helper samples the interrupted state after it was overwritten, or takes its steps out of order',
  why: 'The entry turns lockdep off, marks interrupts as disabled and raises the preemption count; the exit has to know what was there before. A sample taken after the change says what the entry did. The steps depend on each other: an NMI that counts itself after RCU was told is traced in a context that does not exist.',
  instead: 'Sample first, then the steps in the order of the entry contract, and the exit in the exact reverse.',
  falsePositives: ['Functions that hold only a part of the steps.'],
  references: ['semantics ENT-02', 'Linux ba1f2b2eaa2a'],
  bad: [
    { title: 'RCU is off and the range goes on', files: { 'common.c': leave('\tuser_enter_irqoff(); //~ interrupted-state-sampled-late\n\tinstrumentation_end();\n') } },
    { title: 'After', files: { 'common.c': enter('\t__nmi_enter();\n\tlockdep_hardirqs_off(CALLER_ADDR0);\n\tstate.lockdep = lockdep_hardirqs_enabled(); //~ interrupted-state-sampled-late\n') } },
  ],
  good: [{ title: 'The range ends first', files: { 'common.c': leave('\tinstrumentation_end();\n\tuser_enter_irqoff();\n') } }, { title: 'Before', files: { 'common.c': enter('\tstate.lockdep = lockdep_hardirqs_enabled();\n\t__nmi_enter();\n\tlockdep_hardirqs_off(CALLER_ADDR0);\n') } }],
  examine,
});
