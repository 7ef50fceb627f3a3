// XR-INS01: code that may be traced runs before the entry helper. For designs: objtool finds it in a kernel that builds.
import { isKnown, stateHelpers } from '../tree/primitives.ts';
import type { Tree } from '../tree/tree.ts';
import { mayReturnBehind } from '../tree/paths.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, treeRule } from './tree-entries.ts';

const traced = /^(?:pr_\w+|printk\w*|_printk|trace_\w+|WARN\w*|notify_die)$/;
const inlined = /^(?:noinstr|__always_inline)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const entry of entriesOf(tree)) {
    if (entry.wrapped) continue;
    watch<'before' | 'behind'>(
      tree,
      entry.function,
      'before',
      {
        follow: (callee, state) => state === 'before' && callee.attributes.some((word) => inlined.test(word)) && !stateHelpers.has(callee.name),
        step: (step, state, where) => {
          if (step.kind !== 'call') return state;
          const helper = stateHelpers.get(step.name);
          if (helper !== undefined) return helper.role === 'enter' ? 'behind' : 'before';
          if (state === 'behind' || !mayReturnBehind(where.function, step)) return state;
          const callee = step.indirect ? null : tree.resolve(step.name, where.function.file);
          const instrumentable = callee === null ? traced.test(step.name) || (!isKnown(step.name) && step.indirect) : callee.definedBy === null && !callee.attributes.some((word) => inlined.test(word));
          if (instrumentable) found.at(step, where, `${step.name}() may be traced and runs before the entry helper: the tracer finds no RCU and a context that is not counted; call it between instrumentation_begin() and instrumentation_end(), behind the helper`);
          return state;
        },
      },
      factsOf(entry),
    );
  }
  return found.all();
}

const handler = (before: string, behind: string): string => `static void note_event(struct pt_regs *regs)
{
	pr_info("event at %lx\\n", regs->ip);
}

DEFINE_IDTENTRY_RAW(exc_demo)
{
	irqentry_state_t state;

${before}	state = irqentry_enter(regs);
	instrumentation_begin();
${behind}	instrumentation_end();
	irqentry_exit(regs, state);
}
`;

export const instrumentableBeforeState = treeRule({
  name: 'instrumentable-before-state',
  id: 'XR-INS01',
  group: 'Entry state',
  severity: 'error',
  designsOnly: true,
  summary: 'code that may be traced runs before the state of the entry is set up',
  why: 'Tracers, kprobes and static keys run code of their own wherever they are placed. Before the entry helper RCU does not watch, and what they do there is not protected by it.',
  instead: 'noinstr and __always_inline functions up to the entry helper; everything else behind it, in an instrumentable range.',
  falsePositives: ['Kernel trees: objtool checks their build, so this rule is for designs that have none.'],
  references: ['semantics ENT-03'],
  bad: [{ title: 'A message first', files: { 'demo.c': handler('\tnote_event(regs); //~ instrumentable-before-state\n', '') } }],
  good: [{ title: 'Behind the helper', files: { 'demo.c': handler('', '\tnote_event(regs);\n') } }],
  examine,
});
