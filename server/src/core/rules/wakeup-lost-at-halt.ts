// XR-FLG06: a CPU enables interrupts and goes to sleep in two steps, so that the interrupt that is to wake it may come in
// between.
import type { Step, Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

const enables = (step: Step): boolean => (step.kind === 'call' && /(?:^|_)irq_enable$/.test(step.name)) || (step.kind === 'asm' && /\bsti\b/.test(step.template) && !/\bhlt\b/.test(step.template));
const disables = (step: Step): boolean => step.kind === 'call' && /(?:^|_)irq_disable$/.test(step.name);
/** STI holds interrupts back for one more instruction, which is HLT where both are in one statement (SDM vol. 2, STI). */
const sleeps = (step: Step): boolean => (step.kind === 'call' && /(?:^|_)halt$/.test(step.name)) || (step.kind === 'asm' && /\bhlt\b/.test(step.template) && !/\bsti\s*(?:;|\\n|\n)\s*(?:\\t|\t)*\s*hlt\b/.test(step.template));

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    if (!one.name.endsWith('safe_halt')) continue;
    watch<'off' | 'on'>(tree, one, 'off', {
      follow: () => false,
      step: (step, state, where) => {
        if (sleeps(step) && state === 'on') found.at(step, where, 'interrupts are on before this: one that comes in between and has work for the idle loop is over when the CPU goes to sleep, and the work waits for the next interrupt, if there is one; enable and halt in one step (STI directly before HLT), or let the hypervisor do it');
        return enables(step) ? 'on' : disables(step) ? 'off' : state;
      },
    });
  }
  return found.all();
}

const halt = (lines: string): string => `static __always_inline void demo_safe_halt(void)
{
	clear_buffers();
${lines}}
`;

export const wakeupLostAtHalt = treeRule({
  name: 'wakeup-lost-at-halt',
  id: 'XR-FLG06',
  group: 'Flags',
  severity: 'error',
  summary: 'interrupts are enabled a step before the CPU halts: the one that should wake it may come in between',
  why: 'The idle loop looks for work with interrupts off and then sleeps. STI takes effect behind the instruction that follows it, so that STI and HLT together leave no place for an interrupt; with anything between the two an interrupt that brings work is handled there, and the CPU sleeps over it.',
  instead: 'One statement with STI directly before HLT; for a hypervisor, its call for halting with interrupts off on this side.',
  falsePositives: ['Halts that nothing is to end.'],
  references: ['SDM vol. 2, "STI - Set Interrupt Flag"', 'semantics IF-01'],
  bad: [{ title: 'In two steps', files: { 'irqflags.c': halt('\tnative_irq_enable();\n\tasm volatile("hlt" : : : "memory"); //~ wakeup-lost-at-halt\n') } }],
  good: [{ title: 'In one', files: { 'irqflags.c': halt('\tasm volatile("sti; hlt" : : : "memory");\n') } }],
  examine,
});
