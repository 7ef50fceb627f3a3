// XR-INS03: what an entry establishes is not taken back on every path, or is taken back by the counterpart of another.
import { stateHelpers } from '../tree/primitives.ts';
import { isEntryCode, placeIn } from '../tree/tree.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement, Rule } from './rule.ts';
import { heldAtReturn, plainPairs } from './plain-pairs.ts';
import { entriesOf, factsOf, findings, isCall } from './tree-entries.ts';
import type { Entry, Findings } from './tree-entries.ts';

const titles = { none: 'nothing', nmi: 'NMI-like state', irq: 'interrupt state', user: 'state of an entry from user mode', syscall: 'system call state', wrapped: 'the state that the defining macro sets up' };
type State = keyof typeof titles;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const entries = new Map(entriesOf(tree).map((entry) => [entry.function, entry] as const));
  const reached = bodiesOf(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    const helpers = steps.flatMap((step) => (step.kind === 'call' ? (stateHelpers.get(step.name) ?? []) : []));
    const entry = entries.get(one) ?? null;
    // A system call function does both itself.
    const whole = (helpers.some(({ role }) => role === 'enter') || entry?.delivery === 'syscall') && (helpers.some(({ role }) => role === 'exit') || keepsToken(one) || reached.has(one) || (entry !== null && !entry.wrapped));
    if (whole || (entry?.wrapped === true && helpers.length > 0)) followHelpers(tree, one, entry, found);
    plainPairs(tree, one, entry, found);
  }
  for (const one of tree.functions) heldAtReturn(tree, one, entries.get(one) ?? null, found);
  halves(tree, found);
  lastStep(tree, found);
  if (!tree.design) notes(tree, found);
  for (const { name, file, body, start } of tree.entryMacros) {
    for (const [has, misses] of [['irqentry_enter(', 'irqentry_exit('], ['irqentry_exit(', 'irqentry_enter(']] as const) {
      const at = body.indexOf(has);
      if (at >= 0 && !body.includes(misses)) found.place(placeIn(tree, file, { start: start + at, end: start + at + has.length - 1 }), `${name}() defines handlers that call ${has}) and never ${misses}): every one of them ${misses.includes('exit') ? 'leaves its context set up' : 'takes back a context that was not set up'}; call both around the body`);
    }
  }
  return found.all();
}

/** The exit helpers to user mode end by telling lockdep, RCU and context tracking, as the entry helpers begin. */
function lastStep(tree: Tree, found: Findings): void {
  for (const one of tree.functions) {
    if (!/^(?:irqentry|syscall)_exit_to_user_mode$/.test(one.name) || !one.whole) continue;
    const calls = one.graph().steps.some((step) => isCall(step, /^(?:_*exit_to_user_mode|_*syscall_exit_to_user_mode|irqentry_exit_to_user_mode)$/));
    if (!calls) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() does not end by exit_to_user_mode(): RCU, context tracking and lockdep take the task for one in the kernel while user code runs; call it last`);
  }
}

/** What an entry helper notes in the state that it gives back, its exit asks for: RCU that it woke, lockdep that it told. */
function notes(tree: Tree, found: Findings): void {
  for (const one of tree.functions) {
    const owed = one.name === 'irqentry_nmi_exit' ? { calls: /^lockdep_hardirqs_on$/, why: 'lockdep takes interrupts for disabled from here on' } : one.name === 'irqentry_exit' ? { calls: /^ct_irq_exit$|^rcu_irq_exit$/, why: 'RCU watches an idle CPU for ever' } : null;
    if (owed === null || !one.whole) continue;
    const { steps } = one.graph();
    const asks = steps.some((step) => step.kind === 'test' && /\bexit_rcu$/.test(step.text));
    const undone = steps.filter((step) => isCall(step, owed.calls));
    if (one.name === 'irqentry_nmi_exit' ? undone.length === 0 && steps.some((step) => isCall(step, /^lockdep_hardirqs_on_prepare$/)) : asks && undone.length > 0 && !asksEverywhere(tree, one)) {
      found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() has a way on which what the entry helper noted is not undone: ${owed.why}; ask for it on every way back to the kernel`);
    }
  }
}

/** Whether every way back to the kernel asks whether RCU was woken. */
function asksEverywhere(tree: Tree, one: TreeFunction): boolean {
  let all = true;
  watch<'owed' | 'asked'>(tree, one, 'owed', {
    follow: () => false,
    step: (step, state) => {
      if (isCall(step, /_to_user_mode$/)) return 'asked';
      if (step.kind === 'return' && state === 'owed') all = false;
      return state;
    },
    branch: (test, _holds, state) => (/\bexit_rcu$/.test(test.text) ? 'asked' : state),
  });
  return all;
}

/** `demo_enter()` and `demo_exit()` of one file: what the first enters the second leaves, and the other way round. */
function halves(tree: Tree, found: Findings): void {
  const called = (one: TreeFunction, end: string): ReadonlySet<string> => new Set(one.graph().steps.flatMap((step) => (step.kind === 'call' && !step.indirect && step.name.endsWith(end) ? [step.name.slice(0, -end.length)] : [])));
  for (const enter of tree.functions) {
    const family = enter.name.endsWith('_enter') ? enter.name.slice(0, -'_enter'.length) : null;
    const exit = family === null ? undefined : tree.functions.find((one) => one.file === enter.file && one.name === `${family}_exit`);
    if (exit === undefined || !enter.whole || !exit.whole) continue;
    const [entered, left] = [called(enter, '_enter'), called(exit, '_exit')];
    const at = (one: TreeFunction, message: string): void => found.place(placeIn(tree, one.file, one.nameSpan), message);
    for (const name of entered) if (!left.has(name)) at(exit, `${exit.name}() does not call ${name}_exit(), and ${enter.name}() calls ${name}_enter(): what that counts or switches on stays so for ever; undo it in the exit`);
    for (const name of left) if (!entered.has(name)) at(enter, `${enter.name}() does not call ${name}_enter(), and ${exit.name}() calls ${name}_exit(): the exit takes back what was never there; do it in the entry`);
  }
}

/** Functions of the entries' own files that stand for their bodies: `exc_debug_kernel()`. What they enter they leave. */
function bodiesOf(tree: Tree): ReadonlySet<TreeFunction> {
  const found = new Set<TreeFunction>();
  const waiting = entriesOf(tree).flatMap((entry) => (entry.wrapped ? [] : [entry.function]));
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    for (const step of one.graph().steps) {
      const callee = step.kind === 'call' && !step.indirect && !stateHelpers.has(step.name) ? tree.resolve(step.name, one.file) : null;
      if (callee === null || callee.file !== one.file || found.has(callee) || !isEntryCode(callee)) continue;
      found.add(callee);
      waiting.push(callee);
    }
  }
  return found;
}

/** Whether it keeps the state that an entry helper gave, and does not hand it on: then the exit is its own affair. */
function keepsToken(one: TreeFunction): boolean {
  const { steps } = one.graph();
  return steps.some((step) => step.kind === 'store' && /^irqentry_(?:nmi_)?enter\(/.test(step.value) && !steps.some((other) => other.kind === 'return' && other.value === step.target));
}

function followHelpers(tree: Tree, one: TreeFunction, entry: Entry | null, found: Findings): void {
  const tokens = new Set(one.graph().steps.flatMap((step) => (step.kind === 'store' && /^(?:irqentry_nmi_enter|irqentry_enter)\(/.test(step.value) ? [step.target] : [])));
  const facts = entry === null ? new Map<string, boolean>() : factsOf(entry);
  watch<State>(
    tree,
    one,
    entry?.wrapped === true ? 'wrapped' : 'none',
    {
      follow: () => false,
      step: (step, state, where) => {
        if (step.kind === 'return' && state !== 'none' && state !== 'wrapped') {
          found.at(step, where, `the function returns in ${titles[state]}: the exit helper is not called on this path; leave through the exit that undoes it`);
        }
        const helper = step.kind === 'call' ? stateHelpers.get(step.name) : undefined;
        if (step.kind !== 'call' || helper === undefined) return state;
        if (helper.role === 'enter' && helper.state !== 'nmi' && !step.name.endsWith('_work') && /^(?:irq|user|syscall)$/.test(state)) {
          found.at(step, where, `${step.name}() enters a second time: this path has set up ${titles[state]}, and context tracking and RCU then count one entry more than is left; call the part that is still to be done`);
        }
        if (helper.role === 'enter') return state === 'none' || (state === 'user' && helper.state === 'syscall') ? helper.state : state;
        if (state === 'wrapped') {
          found.at(step, where, `${step.name}() undoes ${titles.wrapped}, which does it again behind the body; leave it to the macro`);
          return state;
        }
        if (state !== helper.state) found.at(step, where, `${step.name}() leaves ${titles[helper.state]}, but this path has set up ${titles[state]}: the work of entry and exit does not match; use the exit helper that belongs to the entry`);
        const token = step.arguments[1];
        if (state === helper.state && token !== undefined && /^\w+$/.test(token) && tokens.size > 0 && !tokens.has(token)) {
          found.at(step, where, `${step.name}() gets ${token}, which no entry helper of this function gave; hand on the state that the entry returned`);
        }
        return 'none';
      },
    },
    facts,
  );
}

const handler = (lines: string): string => `DEFINE_IDTENTRY_RAW(exc_demo)
{
	irqentry_state_t state = irqentry_enter(regs);

	instrumentation_begin();
${lines}}
`;

const both = (leave: string, mark: string): string => `noinstr void demo_enter(void)
{
	lockdep_demo_enter();
	ct_demo_enter();
}

noinstr void demo_exit(void)${mark}
{
${leave}	lockdep_demo_exit();
}
`;

const locked = (leave: string): string => `static bool find_vector(int vector)
{
	bool known = false;

	raw_spin_lock(&vector_lock);
	if (!vectors[vector])
${leave}	known = true;
out:
	raw_spin_unlock(&vector_lock);
	return known;
}
`;
const entered = (rest: string, mark: string): string => `__visible noinstr void do_int80_emulation(struct pt_regs *regs)
{
	int nr = regs->orig_ax;

	if (!user_mode(regs) || int80_is_external())
		panic("not a system call");
	enter_from_user_mode(regs);
	instrumentation_begin();
	local_irq_enable();
	nr = syscall_enter_from_user_mode${rest}(regs, nr);${mark}
	do_call(regs, nr);
	instrumentation_end();
	syscall_exit_to_user_mode(regs);
}
`;

export const enterExitMismatch: Rule = {
  name: 'enter-exit-mismatch',
  id: 'XR-INS03',
  group: 'Entry state',
  severity: 'error',
  summary: 'entry and exit helpers are not paired on every path, or do not belong together',
  why: 'The entry helper counts the context, starts RCU and tells lockdep and the tracers; only its own exit helper takes all of that back. A path that leaves without it, or through the exit work of another kind of entry, leaves the task in a context that it is not in, or runs hooks of a system call that never ran their entry half.',
  instead: 'One exit for all paths behind the entry helper (goto out), with the helper of the same family and the state that the entry returned.',
  falsePositives: ['Paths that end in panic() or in another function that never returns.', 'The helpers themselves, which only enter or only leave.'],
  references: ['semantics ENT-01, ENT-02', 'Linux 5d5675df792f, ba1f2b2eaa2a'],
  bad: [
    { title: 'An early return', files: { 'demo.c': handler('\tif (!known(regs)) {\n\t\tinstrumentation_end();\n\t\treturn; //~ enter-exit-mismatch\n\t}\n\thandle(regs);\n\tinstrumentation_end();\n\tirqentry_exit(regs, state);\n') } },
    { title: 'A lock that is kept', files: { 'irq.c': locked('\t\treturn false; //~ enter-exit-mismatch\n') } },
    { title: 'Entered twice', files: { 'demo.c': entered('', ' //~ enter-exit-mismatch') } },
    { title: 'Half of an exit', files: { 'common.c': both('', ' //~ enter-exit-mismatch') } },
    { title: 'Another family', files: { 'demo.c': handler('\thandle(regs);\n\tinstrumentation_end();\n\tsyscall_exit_to_user_mode(regs); //~ enter-exit-mismatch\n') } },
  ],
  good: [
    { title: 'A lock that is released', files: { 'irq.c': locked('\t\tgoto out;\n') } },
    { title: 'The rest of an entry', files: { 'demo.c': entered('_work', '') } },
    { title: 'Both halves', files: { 'common.c': both('\tct_demo_exit();\n', '') } },
    { title: 'One exit', files: { 'demo.c': handler('\tif (!known(regs))\n\t\tgoto out;\n\thandle(regs);\nout:\n\tinstrumentation_end();\n\tirqentry_exit(regs, state);\n') } },
    { title: 'What is left of the exit for kernel code', files: { 'demo.c': handler('\thandle(regs);\n\tinstrumentation_end();\n\tif (in_hypercall(regs) && !state.exit_rcu) {\n\t\tinstrumentation_begin();\n\t\tirqentry_exit_cond_resched();\n\t\tinstrumentation_end();\n\t} else {\n\t\tirqentry_exit(regs, state);\n\t}\n') } },
  ],
  judge: null,
  inspect: null,
  examine,
  besideRuns: true,
  fix: null,
};
