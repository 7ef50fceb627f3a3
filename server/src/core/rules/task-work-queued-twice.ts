// XR-MC05: a task_work node that lives in the task is added again while it may still be in the list.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { placeIn } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import { boundsOf, handlesMachineChecks, queuedBy, queuesPersistentNode, retryCounter } from './mc-retry.ts';
import type { RetryCounter } from './mc-retry.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    if (!handlesMachineChecks(tree, one) || !one.graph().steps.some(queuesPersistentNode)) continue;
    const counter = retryCounter(one);
    watch<'any' | 'first'>(tree, one, 'any', {
      follow: () => false,
      step: (step, state, where) => {
        if (queuesPersistentNode(step) && state !== 'first') {
          found.at(step, where, 'the task_work node may still be queued from an earlier event when it is added again: the list of the task becomes a loop; add it only for the first of several events, which a counter or a flag of the task tells');
        }
        return state;
      },
      branch: (test, holds, state) => {
        if (holds && /^(?:test_and_set_bit|xchg|cmpxchg)\(/.test(test.text)) return state;
        if (!holds && /^(?:test_and_set_bit|xchg|cmpxchg|\w*task_work_pending)\(/.test(test.text)) return 'first';
        const bounds = counter === null ? null : boundsOf(counter, test.text, holds);
        return bounds !== null && bounds.most <= 1 ? 'first' : state;
      },
    });
    if (counter !== null) {
      resets(tree, one, counter.field, found);
      details(tree, one, counter, found);
    }
  }
  return found.all();
}

/** What the queued function works with is that of the event for which it was queued: a later one may be another. */
function details(tree: Tree, one: TreeFunction, counter: RetryCounter, found: Findings): void {
  const owner = /^(\w+)->/.exec(counter.names.find((name) => name.includes('->')) ?? '')?.[1];
  if (owner === undefined) return;
  watch<'any' | 'first'>(tree, one, 'any', {
    follow: () => false,
    step: (step, state, where) => {
      const kept = step.kind === 'store' && step.operator === '=' && step.target.startsWith(`${owner}->`) && !step.target.endsWith(`->${counter.field}`) && !/\b\d+\b/.test(step.value);
      if (kept && state === 'any') found.once(step, where, `${step.target.replace(/^.*->/, '')} of the task is written for every event, not for the first alone: the work that is queued already then treats what a later event reported, and the page of the first one stays in use; write it only where ${counter.field} is 1`);
      return state;
    },
    branch: (test, holds, state) => ((boundsOf(counter, test.text, holds)?.most ?? 2) <= 1 ? 'first' : state),
  });
}

/** Each function that is queued must take the counter back: else no later event is queued. */
function resets(tree: Tree, queue: TreeFunction, field: string, found: Findings): void {
  const callbacks = queuedBy(tree, queue);
  for (const callback of callbacks) {
    if (!callback.whole) continue;
    watch<'counted' | 'reset'>(tree, callback, 'counted', {
      follow: (callee) => callee.file === callback.file,
      step: (step, state, where) => {
        if (step.kind === 'store' && step.target.endsWith(`->${field}`) && step.value === '0') return 'reset';
        if (step.kind === 'return' && where.calls.length === 0 && state === 'counted') {
          found.place(placeIn(tree, callback.file, callback.nameSpan), `${callback.name}() ends without setting ${field} back to 0: the next event of this task counts as a repetition and is not queued; reset it first`);
        }
        return state;
      },
    });
  }
}

const queue = (guard: string, mark: string): string => `static void queue_kill(struct mce *m, void (*func)(struct callback_head *))
{
	int count = ++current->mce_count;

	if (count == 1)
		current->mce_addr = m->addr;
	if (count > 10)
		mce_panic("too many", m);
	if (count > 1 && current->mce_addr != m->addr)
		mce_panic("different pages", m);
${guard}	task_work_add(current, &current->mce_kill_me, TWA_RESUME);${mark}
}
`;

export const taskWorkQueuedTwice = treeRule({
  name: 'task-work-queued-twice',
  id: 'XR-MC05',
  group: '#MC',
  severity: 'error',
  summary: 'a task_work node of the task may be queued a second time before it ran',
  why: 'task_work_add() links the node into a list without a test. The same error can be reported several times before the task returns to user mode, where the list is run: the second addition makes the node its own successor, and the walk over the list never ends.',
  instead: 'Count the events in the task, add the node for the first one only, and set the count back in the function that is queued.',
  falsePositives: ['A node that was allocated for this event.'],
  references: ['Linux 81065b35e248', 'semantics MC-06'],
  bad: [{ title: 'Every time', files: { 'mce.c': queue('', ' //~ task-work-queued-twice') } }],
  good: [{ title: 'The first time', files: { 'mce.c': queue('\tif (count > 1)\n\t\treturn;\n', '') } }],
  examine,
  besideRuns: true,
});
