// XR-FLG05: interrupts are on where the contract of an entry wants them off: before its state is set up, at the exit
// helper, or in NMI-like code.
import { stateHelpers } from '../tree/primitives.ts';
import { placeIn } from '../tree/tree.ts';
import type { Step, StepIndex, Tree, TreeFunction } from '../tree/tree.ts';
import { mayReturnBehind, successorsOf } from '../tree/paths.ts';
import { watch } from '../tree/watch.ts';
import type { Where } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, entriesWithPlain, entryPremise, factsOf, findings, isNmiLike, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';
import type { Findings } from './tree-entries.ts';

/** State of the entry, then what is known of IF, and where it was set. */
type State = `${'raw' | 'in' | 'nmi'} ${'off' | `${'on' | 'perhaps'} ${number}`}`;

const enables = /^(?:raw_)?local_irq_enable(?:_exit_to_user)?$/;
const disables = /^(?:raw_)?local_irq_disable(?:_exit_to_user)?$/;

/** A function that brings back the IF of what it interrupted and takes it away again, both by the same condition. */
function putsBack(one: TreeFunction): boolean {
  return one.graph().steps.some((step) => step.kind === 'call' && step.name === 'raw_local_irq_disable');
}

/** The way to a step is told with it: another one may end where interrupts are off again. */
function sameCalls(one: Where, other: Where): boolean {
  return one.calls.length === other.calls.length && one.calls.every(({ step }, index) => step === other.calls[index]?.step);
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  /** Calls that set IF, each on its ways there, by their number in the state. */
  const set: { readonly step: Step; readonly where: Where }[] = [];
  const numberOf = (step: Step, where: Where): number => {
    const known = set.findIndex((one) => one.step === step && sameCalls(one.where, where));
    return known >= 0 ? known : set.push({ step, where }) - 1;
  };
  for (const entry of entriesWithPlain(tree)) {
    // Of a plain function in a sketch only what is so whatever is left out around it.
    if (entry.plain && !(isNmiLike(entry) && entry.vector === 'NMI')) continue;
    const premises = [entryPremise(tree, entry)];
    // #VC forwards ordinary exceptions to their handlers, and runs off its IST stack.
    const nmiLike = isNmiLike(entry) && entry.vector !== 'VC';
    /** Where it shows; where another function left them on, that one is to blame, for all entries that call it. */
    const stillOn = (step: Step, where: Where, by: string, message: string): void => {
      const cause = set[Number(by)];
      if (cause === undefined || cause.where.function === where.function || cause.where.function.file !== where.function.file) found.at(step, where, message, { premises });
      else found.at(cause.step, cause.where, `interrupts that are enabled here are still on in ${where.function.name}(): ${message}`, { premises, related: [{ place: placeIn(tree, where.function.file, step.span), message: 'they are still on here' }] });
    };
    watch<State>(
      tree,
      entry.function,
      entry.wrapped ? 'in off' : entry.plain ? 'nmi off' : 'raw off',
      {
        follow: (callee) => (callee.definedBy === null || callee === entry.function) && !callee.name.startsWith('cond_local_irq_') && !stateHelpers.has(callee.name) && !/panic$|oops|^(?:show|dump|print|die)|exit_to_user_mode/.test(callee.name),
        step: (step, state, where) => {
          const [context, flag, by] = state.split(' ', 3) as [string, string, string];
          if (step.kind === 'return' && where.calls.length === 0 && flag !== 'off' && (entry.wrapped || (context === 'raw' && flag === 'on'))) {
            stillOn(step, where, by, entry.wrapped ? 'the handler returns with interrupts on, and the exit helper behind it wants them off: an interrupt in the exit finds its state half undone; disable them on every path' : 'the handler returns to its stub with interrupts on, and the stub wants them off: an interrupt finds GS and the stack half restored; disable them on every path');
          }
          if (step.kind !== 'call') return state;
          if (flag !== 'off' && step.name === 'lockdep_assert_irqs_disabled') stillOn(step, where, by, `${where.function.name}() wants interrupts off: what it does to this CPU is then not for the task, or not done at once; call it before they are enabled`);
          if (flag !== 'off' && step.name === 'notify_die' && step.arguments[0] === 'DIE_DEBUG') stillOn(step, where, by, 'the handlers of breakpoints run with interrupts on: they look at the breakpoints of this CPU, and the task may go on on another one; enable interrupts behind them');
          const helper = stateHelpers.get(step.name);
          if (helper?.role === 'enter') {
            const early = context === 'raw' && flag === 'on' ? set[Number(by)] : undefined;
            if (early !== undefined) found.at(early.step, early.where, `interrupts are enabled before ${step.name}(): an interrupt then runs in a context that RCU and lockdep take for user mode; call the entry helper first`, { premises });
            const on = /^syscall_enter_from_user_mode(?:_prepare|_randomize_stack)?$/.test(step.name);
            if (step.name === 'syscall_enter_from_user_mode_work' && context === 'in' && flag === 'off') {
              found.at(step, where, 'the work of a system call begins with interrupts off: tracers, seccomp and the call itself sleep; enable them between the entry from user mode and this', { premises });
            }
            return helper.state === 'nmi' ? 'nmi off' : on ? `in on ${numberOf(step, where)}` : step.name === 'syscall_enter_from_user_mode_work' ? state : 'in off';
          }
          if (helper?.role === 'exit') {
            if (helper.state !== 'syscall' && flag !== 'off') stillOn(step, where, by, `${step.name}() is called with interrupts on: an interrupt in it finds the state of the entry half undone; disable them before`);
            return 'raw off';
          }
          if (disables.test(step.name) || step.name === 'cond_local_irq_disable') return `${context} off` as State;
          if (!enables.test(step.name) && step.name !== 'cond_local_irq_enable') return state;
          if (step.name.startsWith('raw_') && putsBack(where.function)) return state;
          if (context === 'nmi' && nmiLike && mayReturnBehind(where.function, step)) {
            found.at(step, where, 'interrupts are enabled in NMI-like code: an interrupt runs on its stack, and its return unblocks NMIs; leave them off', { premises });
          }
          if (context === 'raw' && step.name === 'local_irq_enable') {
            found.at(step, where, 'interrupts are enabled before the entry helper: an interrupt then runs in a context that RCU and lockdep take for user mode; call the entry helper first', { premises });
            return state;
          }
          return `${context} ${step.name.startsWith('cond_') ? 'perhaps' : 'on'} ${numberOf(step, where)}` as State;
        },
        // `WARN_ON(!irqs_disabled())` goes on the same way whatever it finds.
        branch: (test, _holds, state, where) => {
          const [, flag, by] = state.split(' ', 3) as [string, string, string];
          if (flag !== 'off' && test.text === 'irqs_disabled()' && test.yes === test.no) stillOn(test, where, by, `${where.function.name}() wants interrupts off: what it takes belongs to this CPU, and the task may be switched in between; call it with them off`);
          return state;
        },
      },
      factsOf(entry),
    );
  }
  overInterrupted(tree, found);
  for (const one of tree.functions) {
    if (/^_*syscall_exit_to_user_mode(?:_work)?$/.test(one.name)) exitOfCall(tree, one, found);
    if (/^_*syscall_enter_from_user_mode(?:_prepare|_randomize_stack)?$/.test(one.name)) entryOfCall(tree, one, found);
  }
  for (const { name, arguments: fields, place } of tree.gateMacros) if (fields[3] === 'GATE_TRAP') found.place(place, `${name} makes trap gates, which leave IF as it was: an interrupt arrives before the stub has the kernel's stack, GS base and page table; make them interrupt gates`);
  for (const { vector, trap, place } of tree.gates) if (trap) found.place(place, `the gate of ${vector} is a trap gate, which leaves IF as it was: an interrupt arrives before the stub has the kernel's stack, GS base and page table; make it an interrupt gate`);
  for (const one of tree.functions) if (worksOnTheWayOut.test(one.name)) exitLoop(tree, one, found);
  return found.all();
}

/** Nothing is concluded from what runs when the kernel has failed. */
const failing = /panic|oops|^(?:die|__die|show|dump|print|bad_area|pgtable_bad|page_fault_oops|kernelmode_fixup|early_)/;
const fromUser: Proof = { key: 'u', what: '', does: (step) => step.kind === 'call' && /^(?:irqentry_|syscall_)?enter_from_user_mode/.test(step.name), test: (text, holds) => holds && (text.startsWith('user_mode(') || text.startsWith('v8086_mode(') || text.endsWith('cs & 3) == 3')) };
const wereOn: Proof = { key: 'i', what: '', test: (text, holds) => (holds ? /->flags & X86_EFLAGS_IF\)?$/.test(text) : text.startsWith('regs_irqs_disabled(')) };

/** An exception may hit kernel code that has interrupts off: its handler enables them where they were on, and for user mode. */
function overInterrupted(tree: Tree, found: Findings): void {
  for (const entry of entriesOf(tree)) {
    // What 32-bit stubs call `IRET` is a fault of the IRET to user mode.
    if (entry.vector === null || entry.vector === 'IRET' || entry.origin === 'user' || entry.interrupt || entry.delivery === 'syscall' || isNmiLike(entry)) continue;
    watchProofs(tree, entry.function, [fromUser, wereOn], {
      follow: (callee) => (callee.definedBy === null || callee === entry.function) && !stateHelpers.has(callee.name) && !failing.test(callee.name) && !/^kvm_|^cond_local_irq_/.test(callee.name),
      facts: factsOf(entry),
      at: (step, missing, where) => {
        if (step.kind !== 'call') return false;
        if (step.name === 'local_irq_enable' && missing.length === 2) {
          found.at(step, where, `interrupts are enabled in the handler of #${entry.vector ?? ''} whatever the interrupted code had: where that is kernel code with interrupts off, for instance under a lock, an interrupt finds it half done; use cond_local_irq_enable() or ask user_mode() first`, { premises: [entryPremise(tree, entry)] });
        }
        return /^(?:die|die_addr|__die)$/.test(step.name);
      },
    });
  }
}

/** The state of an entry from user mode is set up first. */
function entryOfCall(tree: Tree, one: TreeFunction, found: Findings): void {
  const first = one.graph().steps.some((step) => step.kind === 'call' && step.name.startsWith('enter_from_user_mode'));
  if (!first) return;
  watch<'before' | 'behind'>(tree, one, 'before', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind === 'call' && step.name.startsWith('enter_from_user_mode')) return 'behind';
      if (step.kind === 'call' && enables.test(step.name) && state === 'before') found.at(step, where, 'interrupts are enabled before the state of an entry from user mode is set up: an interrupt then runs in a context that RCU and lockdep take for user mode; enable them behind enter_from_user_mode()');
      return state;
    },
  });
}

/** The part that calls tracers and audit, itself or by the function that is there for them. */
function worksForCall(tree: Tree, from: TreeFunction, name: string): boolean {
  const work = /^syscall_exit_work$/;
  return work.test(name) || (tree.resolve(name, from.file)?.graph().steps.some((step) => step.kind === 'call' && work.test(step.name)) ?? false);
}

/** The work of a system call runs with interrupts on, what follows on the way to user mode with interrupts off. */
function exitOfCall(tree: Tree, one: TreeFunction, found: Findings): void {
  watch<'off' | 'on'>(tree, one, 'on', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind !== 'call') return state;
      if (disables.test(step.name)) return 'off';
      if (enables.test(step.name)) return 'on';
      if (state === 'off' && worksForCall(tree, one, step.name)) found.at(step, where, `${step.name}() is called with interrupts off: tracers and audit, which it calls, sleep; disable them behind it`);
      if (state === 'on' && /^(?:_*exit_to_user_mode_prepare|exit_to_user_mode_loop)$/.test(step.name)) {
        found.at(step, where, `${step.name}() is called with interrupts on: a system call has them on to its end, and work that an interrupt queues behind the last look is not seen before user mode; disable them before`);
      }
      return state;
    },
  });
}

/** Does what is pending on the way to user mode, with interrupts on, between steps that want them off. */
const worksOnTheWayOut = /^_*exit_to_user_mode_loop$/;

/** What such a loop turns on it turns off before it asks what is pending for the last time. */
function exitLoop(tree: Tree, one: TreeFunction, found: Findings): void {
  staleFlags(one, found);
  const { steps } = one.graph();
  const on = steps.find((step) => step.kind === 'call' && enables.test(step.name));
  const schedules = steps.find((step) => step.kind === 'call' && step.name === 'schedule');
  if (on === undefined) {
    if (schedules !== undefined) found.at(schedules, { function: one, calls: [] }, `${one.name}() does its work with interrupts off: signals, the scheduler and what else is pending sleep and wait for interrupts; enable them for each round of it`);
    return;
  }
  watch<'off' | 'on'>(tree, one, 'off', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind === 'return' && state === 'on') {
        found.at(on, where, `interrupts that are enabled here are still on where ${one.name}() ends: work that an interrupt queues from there on is not seen before user mode, and the rest of the exit wants them off; disable them before the flags are read again`, { related: [{ place: placeIn(tree, one.file, step.span), message: 'they are still on here' }] });
      }
      return step.kind !== 'call' ? state : enables.test(step.name) ? 'on' : disables.test(step.name) ? 'off' : state;
    },
  });
}

/** Whether a way leads from a step back to a look at what is pending, past no step that ends it. */
function again(one: TreeFunction, from: StepIndex, ends: (step: Step) => boolean = () => false): boolean {
  const { steps } = one.graph();
  const seen = new Set<StepIndex>();
  const waiting = [from];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const step = steps[at];
    if (step === undefined || seen.has(at) || ends(step)) continue;
    if (step.kind === 'test' && /EXIT_TO_USER_MODE_WORK/.test(step.text)) return true;
    seen.add(at);
    waiting.push(...successorsOf(step));
  }
  return false;
}

/** The flags that end the loop are read after the work, with interrupts off again: else what came meanwhile is lost. */
function staleFlags(one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  const off = steps.find((step) => step.kind === 'call' && disables.test(step.name));
  const asks = steps.find((step) => step.kind === 'test' && /EXIT_TO_USER_MODE_WORK/.test(step.text));
  if (off === undefined || asks === undefined) return;
  if (asks.kind === 'test' && !again(one, asks.yes)) found.at(asks, { function: one, calls: [] }, 'what is pending is looked at once: work that came while this was done is left for the next entry, with a task that should not run, or without its signal; look again until nothing is pending');
  const flags = /^\(?(\w+) &/.exec(asks.text)?.[1];
  const readAgain = !again(one, steps.indexOf(off), (step) => step.kind === 'store' && step.target === flags);
  if (flags !== undefined && !readAgain) found.at(off, { function: one, calls: [] }, `${flags} is not read again behind this: the loop ends, or goes on for ever, by what was pending before its work; read the flags once interrupts are off`);
}

const loop = (disable: string, mark: string): string => `unsigned long exit_to_user_mode_loop(struct pt_regs *regs, unsigned long work)
{
	while (work & EXIT_TO_USER_MODE_WORK) {
		local_irq_enable();${mark}
		if (work & _TIF_NEED_RESCHED)
			schedule();
${disable}		work = read_thread_flags();
	}
	return work;
}
`;

const handler = (lines: string): string => `DEFINE_IDTENTRY_RAW(exc_demo)
{
	irqentry_state_t state;

${lines}	irqentry_exit(regs, state);MARK
}
`;
const marked = (lines: string, mark: string): string => handler(lines).replace('MARK', mark);

const wantsOff = `
static void load_pasid(void)
{
	lockdep_assert_irqs_disabled();
	wrmsrl(MSR_IA32_PASID, current->pasid);
}
`;

export const irqsOnInEntry = treeRule({
  name: 'irqs-on-in-entry',
  id: 'XR-FLG05',
  group: 'Flags',
  severity: 'error',
  summary: 'interrupts are on before the entry helper, at the exit helper, or in NMI-like code',
  why: 'An interrupt is a second entry on top of the first. Before the entry helper it finds RCU asleep and lockdep wrong; in the exit it runs between steps that belong together; in an NMI its IRET unblocks NMIs in the middle of the handler.',
  instead: 'Enable after the entry helper, with cond_local_irq_enable() where the interrupted code had them off, and disable before the exit helper on every path.',
  falsePositives: ['System call entry helpers enable interrupts themselves.', 'Paths that end in panic().'],
  references: ['semantics ENT-01, ENT-05, NMI-02'],
  bad: [
    { title: 'At the exit', files: { 'demo.c': marked('\tstate = irqentry_enter(regs);\n\tcond_local_irq_enable(regs);\n\thandle(regs);\n', ' //~ irqs-on-in-entry') } },
    { title: 'Behind the work on the way out', files: { 'exit.c': loop('', ' //~ irqs-on-in-entry') } },
    { title: 'A helper that wants them off', files: { 'demo.c': marked('\tstate = irqentry_enter(regs);\n\tlocal_irq_enable(); //~ irqs-on-in-entry\n\tload_pasid();\n\tlocal_irq_disable();\n', '').replace('MARK', '') + wantsOff } },
    { title: 'A trap gate', files: { 'idt.c': 'static const struct idt_data demo_idts[] = {\n\tG(X86_TRAP_UD, asm_exc_invalid_op, DEFAULT_STACK, GATE_TRAP, DPL0, __KERNEL_CS), //~ irqs-on-in-entry\n};\n' } },
    { title: 'Before the entry', files: { 'demo.c': marked('\tlocal_irq_enable(); //~ irqs-on-in-entry\n\tstate = irqentry_enter(regs);\n\thandle(regs);\n', '') } },
  ],
  good: [{ title: 'Off again before the flags are read', files: { 'exit.c': loop('\t\tlocal_irq_disable();\n', '') } }, { title: 'In between', files: { 'demo.c': marked('\tstate = irqentry_enter(regs);\n\tcond_local_irq_enable(regs);\n\thandle(regs);\n\tcond_local_irq_disable(regs);\n', '') } }],
  examine,
});
