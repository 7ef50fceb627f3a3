// XR-STK11: the interrupt stack is entered from its top while an interrupted handler may still be on it.
import { placeIn } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

/** The macros that go to the interrupt stack (up to Linux 5.11 they were functions). */
const switches = ['call_on_irqstack_cond', 'do_softirq_own_stack'];

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const name of switches) {
    const macro = tree.defined(name);
    if (macro === null) continue;
    const at = /\bcall_on_irqstack\(/.exec(macro.body);
    if (at === null) continue;
    const say = (message: string): void => found.place(placeIn(tree, macro.file, { start: macro.start + at.index, end: macro.start + at.index + 'call_on_irqstack'.length }), message);
    const before = macro.body.slice(0, at.index);
    if (name.endsWith('_cond') && !/if \([^{]*stack_inuse\)/.test(before)) say('the interrupt stack is entered at its top whether it is in use or not: an interrupt that arrives while softirqs run on it overwrites their frames; stay on it where it is marked as in use');
    else if (!/stack_inuse, true\)/.test(before)) say('the interrupt stack is entered without being marked as in use: an interrupt that arrives on it enters it again at its top, over the frames that are live; mark it first');
    else if (!/stack_inuse, false\)/.test(macro.body.slice(at.index))) say('the interrupt stack stays marked as in use: all later interrupts run on the stack of the task, which is not made for them; take the mark back');
  }
  for (const one of tree.functions) {
    for (const step of one.graph().steps) {
      if (step.kind === 'store' && /hardirq_stack_ptr/.test(step.target) && /^\(?(?:void \*\)?)?\w+$/.test(step.value) && !one.graph().steps.some((other) => other.kind === 'store' && other.target === step.value && /\+.*SIZE/.test(other.value))) found.at(step, { function: one, calls: [] }, 'the interrupt stack is given by its lowest address: the first push goes to what lies below it; give the end of the stack');
    }
  }
  return found.all();
}

const macro = (asked: string, mark: string, told: string): string => `#define call_on_irqstack_cond(func, regs, asm_call, constr, c_args...)	\\
{									\\
	if (user_mode(regs)${asked}) {		\\
		func(c_args);						\\
	} else {							\\
${mark}		call_on_irqstack(func, asm_call, constr); /*${told} */	\\
		__this_cpu_write(hardirq_stack_inuse, false);		\\
	}								\\
}

void demo_softirq(void)
{
	count_softirq();
}
`;
const marked = '\t\t__this_cpu_write(hardirq_stack_inuse, true);\t\t\\\n';

export const irqStackReused = treeRule({
  name: 'irq-stack-reused',
  id: 'XR-STK11',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'the interrupt stack is entered from its top while it may be in use',
  why: 'One stack a CPU serves all its interrupts. It is entered from the top by the outermost one alone; those that nest stay on it below. Which of the two it is only its mark tells.',
  instead: 'Ask the mark, set it before the switch, take it back after.',
  falsePositives: ['Interrupts from user mode, whose task stack is empty.'],
  references: ['semantics section 18'],
  bad: [
    { title: 'Not asked', files: { 'irq_stack.c': macro('', marked, '~').replace('/*~ */', '//~ irq-stack-reused') } },
    { title: 'Not marked', files: { 'irq_stack.c': macro(' || __this_cpu_read(hardirq_stack_inuse)', '', '~').replace('/*~ */', '//~ irq-stack-reused') } },
  ],
  good: [{ title: 'Asked and marked', files: { 'irq_stack.c': macro(' || __this_cpu_read(hardirq_stack_inuse)', marked, ' below what is live') } }],
  examine,
});
