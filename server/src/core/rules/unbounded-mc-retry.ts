// XR-MC03: recovery that lets the interrupted code repeat the failing access has no end.
import { successorsOf } from '../tree/paths.ts';
import type { StepIndex, Tree, TreeFunction } from '../tree/tree.ts';
import { boundsOf, handlesMachineChecks, isAboutMachineChecks, queuesPersistentNode, retryCounter } from './mc-retry.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watch } from '../tree/watch.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    if (!handlesMachineChecks(tree, one) || !isAboutMachineChecks(tree)) continue;
    if (!tree.design || one.parameters.includes('timeout')) endlessWait(one, found);
    answerOfFixup(one, found);
    if (!one.graph().steps.some(queuesPersistentNode)) continue;
    const counter = retryCounter(one);
    // Letters: b the count is bounded, m it is more than one, a the address was compared.
    watch<string>(tree, one, '', {
      follow: () => false,
      step: (step, state, where) => {
        if (isCall(step, /panic$/)) return null;
        if (step.kind !== 'return') return state;
        if (!state.includes('b')) found.at(step, where, 'the task goes back to the access that failed, any number of times: each one raises the machine check again; count the repetitions in the task and panic after a few');
        else if (state.includes('m') && !state.includes('a')) found.at(step, where, 'a repeated machine check is taken for the one that is already being handled without a look at its address: a second bad page is never dealt with; compare the page and panic where it is another one');
        return state;
      },
      branch: (test, holds, state) => {
        const add = (key: string): string => (state.includes(key) ? state : [...state, key].sort().join(''));
        if (holds && /addr\b.*==.*addr\b/.test(test.text)) return add('a');
        const bounds = counter === null ? null : boundsOf(counter, test.text, holds);
        if (bounds === null) return state;
        // The first event and a repetition exclude each other on one path.
        if (bounds.most <= 1) return state.includes('m') ? null : add('f');
        if (bounds.least > 1 && state.includes('f')) return null;
        if (bounds.least > 1 && bounds.most === Infinity) return add('m');
        return bounds.most > 1 && bounds.most < Infinity ? add('b') : state;
      },
    });
  }
  return found.all();
}

/** A loop that waits for what another CPU counts asks the time as well: that CPU may never come. */
function endlessWait(one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  steps.forEach((step, index) => {
    if (step.kind !== 'test' || !/\batomic_read\(/.test(step.text) || !turnsUnasked(one, [step.yes, step.no], index)) return;
    found.at(step, { function: one, calls: [] }, 'the handler waits for other CPUs without a limit of time: one that hangs, or is offline, stops the whole machine here; count the time and give up');
  });
}

/** Whether a way leads from the steps to another on which nothing is asked. */
function turnsUnasked(one: TreeFunction, from: readonly StepIndex[], to: StepIndex): boolean {
  const seen = new Set<StepIndex>();
  const waiting = [...from];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (at === to) return true;
    const step = one.graph().steps[at];
    if (step === undefined || seen.has(at) || step.kind === 'test' || step.kind === 'switch') continue;
    seen.add(at);
    waiting.push(...successorsOf(step));
  }
  return false;
}

/** Where there is no fixup the handler would return to the access that failed. */
function answerOfFixup(one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  for (const step of steps) {
    if (!isCall(step, /^fixup_exception$/) || !step.arguments.includes('X86_TRAP_MC')) continue;
    const next = steps[step.next];
    const used = next !== undefined && ((next.kind === 'return' && next.value === step.text) || ((next.kind === 'test' || next.kind === 'store') && (next.kind === 'test' ? next.text : next.value).includes(step.text)));
    if (!used) found.at(step, { function: one, calls: [] }, 'nobody asks whether there was a fixup: without one the handler returns to the access that failed, which raises the machine check again, for ever; panic where it says no');
  }
}

const queue = (bound: string, page: string, marks: readonly [string, string]): string => `static void queue_kill(struct mce *m)
{
	int count = ++current->mce_count;

	if (count == 1)
		current->mce_addr = m->addr;
${bound}${page}	if (count > 1)
		return;${marks[0]}
	task_work_add(current, &current->mce_kill_me, TWA_RESUME);
}${marks[1]}
`;
const bound = '\tif (count > 10)\n\t\tmce_panic("too many", m);\n';
const page = '\tif (count > 1 && current->mce_addr != m->addr)\n\t\tmce_panic("different pages", m);\n';

const wait = (limit: string, mark: string): string => `static void wait_for_others(u64 timeout)
{
	while (atomic_read(&mce_executing) != 0) {${mark}
${limit}		ndelay(100);
	}
}
`;
const recovered = (before: string, behind: string, mark: string): string => `static void recover(struct mce *m, struct pt_regs *regs)
{
	if (!(m->kflags & MCE_IN_KERNEL_RECOV))
		return;
	${before}fixup_exception(regs, X86_TRAP_MC, 0, 0)${behind}${mark}
}
`;

export const unboundedMcRetry = treeRule({
  name: 'unbounded-mc-retry',
  id: 'XR-MC03',
  group: '#MC',
  severity: 'warning',
  summary: 'the access that raised a machine check may be repeated without a bound',
  why: 'The work that kills the task or takes the page away runs at the return to user mode. Until then kernel code that copies user data may retry, word by word or in a loop of its own, and take the same machine check again: without a bound that is for ever.',
  instead: 'A counter in the task with a panic after a few repetitions, and one more for a repetition at another page.',
  falsePositives: ['Recovery that moves RIP behind the access.'],
  references: ['Linux 81065b35e248', 'semantics MC-06'],
  bad: [
    { title: 'No bound', files: { 'mce.c': queue('', page, [' //~ unbounded-mc-retry', ' //~ unbounded-mc-retry']) } },
    { title: 'A wait without end', files: { 'mce.c': wait('', ' //~ unbounded-mc-retry') } },
    { title: 'A fixup that was perhaps none', files: { 'mce.c': recovered('', ';', ' //~ unbounded-mc-retry') } },
    { title: 'Any page', files: { 'mce.c': queue(bound, '', [' //~ unbounded-mc-retry', '']) } },
  ],
  good: [
    { title: 'Ten times the same page', files: { 'mce.c': queue(bound, page, ['', '']) } },
    { title: 'A wait that gives up', files: { 'mce.c': wait('\t\tif (timed_out(&timeout))\n\t\t\treturn;\n', '') } },
    { title: 'A panic without a fixup', files: { 'mce.c': recovered('if (!', ')\n\t\tpanic("no fixup");', '') } },
  ],
  examine,
});
