// XR-INS07: a function that may not be traced calls one that may, outside of a range that allows it.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, isCall, treeRule } from './tree-entries.ts';

/** The macros whose function, and not a wrapper of it, is the text that follows them: noinstr by their own definition. */
const BARE = /^DEFINE_(?:IDTENTRY_(?:RAW\w*|IST\w*|NOIST\w*|DF|NMI|MCE\w*|DEBUG\w*|VC\w*|XENCB)|FREDENTRY_\w+)$/;

/** Whether all of a function lies in the section that tracers keep out of. */
export function isNoinstr({ attributes, definedBy }: TreeFunction): boolean {
  return attributes.includes('noinstr') || (definedBy !== null && BARE.test(definedBy));
}

/** Functions of the kernel outside of the code in view that are no entry code in any release. */
const traced = /^(?:pr_(?:emerg|alert|crit|err|warn|notice|info)|_?printk|notify_die|force_sig(?:_fault|_info)?|send_sig|report_bug|show_regs|schedule|cond_resched|task_work_add|irq_work_queue|kfree|kmalloc|kzalloc|mutex_lock|memory_failure)$/;

/** What keeps a function out of the reach of tracers, or what may make it part of its caller. */
const kept = /noinstr|inline|__cpuidle|__section|__init|_text$/;

function isInstrumentable(tree: Tree, name: string, file: string): boolean {
  const callee = tree.resolve(name, file);
  if (callee === null) return traced.test(name);
  return callee.whole && callee.definedBy === null && !callee.attributes.some((word) => kept.test(word)) && tree.functions.every((one) => one.name !== name || one === callee || !one.attributes.some((word) => kept.test(word)));
}

/** Releases whose builds objtool checks as a whole: in older ones parts of the #MC handler are noinstr by name only. */
function keepsDiscipline(tree: Tree): boolean {
  return tree.design || tree.functions.some(({ name }) => name === 'ct_nmi_enter') || tree.functions.some((one) => one.graph().steps.some((step) => isCall(step, /^ct_nmi_enter$/)));
}

function examine(tree: Tree): readonly Judgement[] {
  if (!keepsDiscipline(tree)) return [];
  const found = findings(tree);
  const entries = new Map(entriesOf(tree).map((entry) => [entry.function, entry] as const));
  for (const one of tree.functions) {
    if (!isNoinstr(one)) continue;
    const entry = entries.get(one);
    // A sketch that has no such range leaves them out; of its entries instrumentable-before-state speaks.
    if (tree.design && (entry !== undefined || !/\binstrumentation_begin\b/.test(tree.active(one.file) ?? ''))) continue;
    watch<'out' | 'in'>(
      tree,
      one,
      'out',
      {
        follow: (callee, state) => state === 'out' && callee.attributes.includes('__always_inline'),
        step: (step, state, where) => {
          if (step.kind !== 'call') return state;
          if (step.name === 'instrumentation_begin') return 'in';
          if (step.name === 'instrumentation_end') return 'out';
          if (state === 'in' || step.indirect || !isInstrumentable(tree, step.name, where.function.file)) return state;
          found.at(step, where, `${step.name}() may be traced and is called by ${one.name}(), which may not, outside of a range between instrumentation_begin() and instrumentation_end(): a probe or a tracer then runs where RCU need not watch, or within its own entry; call it in such a range, behind the entry helper`);
          return state;
        },
      },
      entry === undefined ? new Map() : factsOf(entry),
    );
  }
  return found.all();
}

const handler = (begin: string, mark: string, end: string): string => `static void note_event(struct pt_regs *regs)
{
	count_event(regs->ip);
}

noinstr void leave_event(struct pt_regs *regs)
{
	instrumentation_begin();
	note_event(regs);
	instrumentation_end();
}

noinstr void handle_event(struct pt_regs *regs)
{
	irqentry_state_t state = irqentry_nmi_enter(regs);

${begin}	note_event(regs);${mark}
${end}	irqentry_nmi_exit(regs, state);
}
`;

export const instrumentableCall = treeRule({
  name: 'instrumentable-call',
  id: 'XR-INS07',
  group: 'Entry state',
  severity: 'error',
  summary: 'a noinstr function calls one that may be traced, outside of an instrumentable range',
  why: 'Entry code is noinstr so that no probe, breakpoint or tracer runs before RCU watches and the context is counted, nor in the handlers of the very exceptions that such tools raise. A call of an ordinary function lets them in. objtool finds it in a build; this rule finds it before there is one.',
  instead: 'Mark the callee noinstr or __always_inline, or put the call between instrumentation_begin() and instrumentation_end(), behind the entry helper.',
  falsePositives: ['Sketches without any such range.', 'Functions whose definition is not in view and that are not known by name.', 'Plain inline functions, which most compilers make part of the caller.'],
  references: ['Linux, Documentation/core-api/entry.rst', 'semantics ENT-03'],
  bad: [{ title: 'Outside of the range', files: { 'demo.c': handler('', ' //~ instrumentable-call', '') } }],
  good: [{ title: 'Within it', files: { 'demo.c': handler('\tinstrumentation_begin();\n', '', '\tinstrumentation_end();\n') } }],
  examine,
  only64: true,
});
