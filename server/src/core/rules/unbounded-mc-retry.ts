// XR-MC03: recovery that lets the interrupted code repeat the failing access has no end.
import type { Tree } from '../tree/tree.ts';
import { boundsOf, queuesPersistentNode, retryCounter } from './mc-retry.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import { watch } from '../tree/watch.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
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
        if (bounds.least > 1 && bounds.most === Infinity) return add('m');
        return bounds.most > 1 && bounds.most < Infinity ? add('b') : state;
      },
    });
  }
  return found.all();
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
    { title: 'Any page', files: { 'mce.c': queue(bound, '', [' //~ unbounded-mc-retry', '']) } },
  ],
  good: [{ title: 'Ten times the same page', files: { 'mce.c': queue(bound, page, ['', '']) } }],
  examine,
});
