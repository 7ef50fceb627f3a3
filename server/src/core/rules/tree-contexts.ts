// In which context each step of the C entry code can run: task, hard interrupt or NMI-like, joined over the entries
// that reach it (SEM 18).
import { stateHelpers } from '../tree/primitives.ts';
import type { Step, Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Where } from '../tree/watch.ts';
import { entriesWithPlain, factsOf, isNmiLike } from './tree-entries.ts';
import type { Entry } from './tree-entries.ts';

/** `stub`: NMI-like, before its state helper; `unknown`: behind a test that asked for the context itself. */
export type Context = 'task' | 'hardirq' | 'nmi' | 'stub' | 'unknown';

/** Tests by which code finds out what it may do. */
const asks = /\b(?:in_interrupt|in_atomic|in_task|in_hardirq|in_nmi|in_softirq|irqs_disabled|preemptible|faulthandler_disabled|preempt_count|oops_in_progress|panic_in_progress)\b/;
/** That the event came from user mode, and so runs on the task stack: kernel code has no selectors of the LDT. */
const user = /^user_mode\(|^v8086_mode\(|\bcs & 3\) == 3$|== SEGMENT_LDT$/;
/** Nothing is concluded from what a dying kernel does. */
const dying = /panic|^(?:die|__die|oops|show|dump|print|bug|handle_bug|report_bug|bad_area|no_context|pgtable_bad|page_fault_oops|kernelmode_fixup|sev_es_terminate|early_)|oops$/;

interface Visit {
  readonly step: Step;
  readonly context: Context;
  readonly where: Where;
  readonly entry: Entry;
}

const kept = new WeakMap<Tree, readonly Visit[]>();

/** Visits every call that an entry reaches, once a context. */
export function visitContexts(tree: Tree, visit: (step: Step, context: Context, where: Where, entry: Entry) => void): void {
  const visits = kept.get(tree) ?? visitsOf(tree);
  kept.set(tree, visits);
  for (const { step, context, where, entry } of visits) visit(step, context, where, entry);
}

/** Whether a function has a state helper of its own: then what is in front of it is the stub's. */
function callsHelper(entry: Entry): boolean {
  return entry.function.graph().steps.some((step) => step.kind === 'call' && stateHelpers.has(step.name));
}

function visitsOf(tree: Tree): readonly Visit[] {
  const visits: Visit[] = [];
  for (const entry of entriesWithPlain(tree)) {
    const nmi = entry.vector === 'NMI';
    const start: Context = entry.interrupt ? 'hardirq' : isNmiLike(entry) ? (entry.plain && !callsHelper(entry) ? 'nmi' : 'stub') : 'task';
    if (start === 'task') continue;
    watch<Context>(
      tree,
      entry.function,
      start,
      {
        acrossLeftOut: true,
        follow: (callee) => !stateHelpers.has(callee.name) && !dying.test(callee.name) && (callee.definedBy === null || callee === entry.function),
        step: (step, context, where) => {
          if (step.kind === 'call') visits.push({ step, context, where, entry });
          const helper = step.kind === 'call' ? stateHelpers.get(step.name) : undefined;
          if (helper?.role === 'enter') return helper.state === 'nmi' ? 'nmi' : helper.state === 'irq' && context === 'stub' ? 'stub' : 'task';
          if (helper?.role === 'exit') return context === 'nmi' ? 'stub' : context;
          return context;
        },
        branch: (test, holds, context) => {
          if (asks.test(test.text)) return 'unknown';
          return holds && !nmi && (context === 'nmi' || context === 'stub') && user.test(test.text) ? 'task' : context;
        },
      },
      factsOf(entry),
    );
  }
  return visits;
}

export const contextNames: Readonly<Record<Context, string>> = { task: 'task context', hardirq: 'a hard interrupt', nmi: 'NMI-like context', stub: 'NMI-like context', unknown: 'an unknown context' };
