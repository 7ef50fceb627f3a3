// XR-VE17: a word that the host wrote is read and not cleared, or cleared too late.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { isKnown, stateHelpers } from '../tree/primitives.ts';
import { watch } from '../tree/watch.ts';
import { clearOf, handOverAreas, readOf } from './hand-over-word.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const areas = handOverAreas(tree);
  if (areas.size === 0) return [];
  /** Functions that take a reason, with the word. */
  const takers = new Map<TreeFunction, string>();
  for (const one of tree.functions) {
    const word = one.graph().steps.map((step) => clearOf(step, areas)).find((cleared) => cleared?.endsWith('.flags') === true);
    if (typeof word === 'string') takers.set(one, word);
  }
  for (const one of tree.functions) {
    const { steps } = one.graph();
    const takes = (step: Step): string | undefined => {
      const callee = step.kind === 'call' && !step.indirect ? tree.resolve(step.name, one.file) : null;
      return callee === null ? undefined : takers.get(callee);
    };
    if (steps.some((step) => takes(step) !== undefined)) {
      watch<'before' | 'entered'>(tree, one, 'before', {
        follow: () => false,
        step: (step, state, where) => {
          const word = takes(step);
          if (word !== undefined && state === 'entered') found.at(step, where, `${word} is taken behind the entry helper: a page fault in what that runs, a tracer for instance, finds the word and is taken for one of the host; take it first`);
          const role = step.kind === 'call' ? stateHelpers.get(step.name)?.role : undefined;
          return role === 'enter' ? 'entered' : role === 'exit' ? 'before' : state;
        },
      });
    }
    // Who keeps the value consumes it; who only tests it peeks.
    const words = new Set(steps.flatMap((step) => {
      const value = step.kind === 'store' ? /^(?:raw_|__)*this_cpu_read\((\w+\.\w+)\)$/.exec(step.value)?.[1] : undefined;
      return value !== undefined && areas.has(value.split('.')[0] ?? '') && !value.endsWith('.enabled') ? [value] : [];
    }));
    for (const word of words) {
      watch<'idle' | 'read' | 'cleared'>(tree, one, 'idle', {
        follow: () => false,
        step: (step, state, where) => {
          if (readOf(step, areas) === word) return 'read';
          if (clearOf(step, areas) === word) return 'cleared';
          if (state !== 'read') return state;
          if (isCall(step, /wrmsr/) && (step.arguments[0] ?? '').endsWith('_ACK')) found.at(step, where, `the host is told that ${word} was taken before it is cleared: it may write the next one, which the clear then loses; clear first`);
          else if (word.endsWith('.flags') && step.kind === 'call' && !isKnown(step.name)) found.at(step, where, `${step.name}() may take a page fault while ${word} still says that the next one comes from the host; clear the word first`);
          else if (step.kind === 'return') found.at(step, where, `${word} is read and not cleared: the next ordinary event is taken for one of the host; write 0 right after the read`);
          return state;
        },
      });
    }
  }
  return found.all();
}

const handler = (first: string, second: string): string => `${consumer('\tthis_cpu_write(demo_area.flags, 0);\n', '')}
noinstr bool demo_page_fault(struct pt_regs *regs)
{
	irqentry_state_t state;
	u32 flags;

${first}${second}	instrumentation_begin();
	demo_wait(flags);
	instrumentation_end();
	irqentry_exit(regs, state);
	return true;
}
`;

const consumer = (clear: string, mark: string): string => `static DEFINE_PER_CPU(struct demo_area, demo_area);

void demo_register(void)
{
	wrmsrl(MSR_DEMO, slow_virt_to_phys(this_cpu_ptr(&demo_area)));
}

noinstr u32 demo_read_and_reset(void)
{
	u32 flags = this_cpu_read(demo_area.flags);

${clear}	return flags;${mark}
}
`;

export const handOverWordNotCleared = treeRule({
  name: 'hand-over-word-not-cleared',
  id: 'XR-VE17',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a word through which the host hands over an event is not cleared before the next event can come',
  why: 'The host writes a reason into shared memory and raises an event that has other causes too. The handler tells them apart by the word alone: until it is cleared, every page fault looks like one of the host, and a token that is acknowledged before it is cleared is lost.',
  instead: 'Clear the word right after it was read, before anything that may fault, and before the acknowledgement.',
  falsePositives: ['Code that only looks whether something is pending.'],
  references: ['semantics APF-02, APF-04'],
  bad: [
    { title: 'Never', files: { 'kvm.c': consumer('', ' //~ hand-over-word-not-cleared') } },
    { title: 'Behind the entry helper', files: { 'kvm.c': handler('\tstate = irqentry_enter(regs);\n', '\tflags = demo_read_and_reset(); //~ hand-over-word-not-cleared\n') } },
  ],
  good: [
    { title: 'At once', files: { 'kvm.c': consumer('\tthis_cpu_write(demo_area.flags, 0);\n', '') } },
    { title: 'Before the entry helper', files: { 'kvm.c': handler('\tflags = demo_read_and_reset();\n', '\tstate = irqentry_enter(regs);\n') } },
  ],
  examine,
});
