// XR-NMI07: an NMI handler returns after the first source that had something, although one NMI may stand for several.
import type { Step, Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { successorsOf } from '../tree/paths.ts';
import { visitContexts } from './tree-contexts.ts';
import { findings, treeRule } from './tree-entries.ts';

const asksSource = /^(?!user_mode|in_nmi|cpu_|boot_cpu|this_cpu|IS_|READ_ONCE|test_bit|\w*trylock)(?:\w+)\(.*\)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const seen = new Set<Step>();
  visitContexts(tree, (step, context, where, entry) => {
    if (context !== 'nmi' || entry.vector !== 'NMI' || step.kind !== 'call' || seen.has(step)) return;
    seen.add(step);
    const { steps } = where.function.graph();
    const test = steps[step.next];
    if (test?.kind !== 'test' || test.text !== step.text || !asksSource.test(test.text)) return;
    const handled = steps[test.yes];
    if (handled?.kind === 'return' && asksAgain(steps, test.no)) {
      found.at(handled, where, `the handler returns after ${step.name}() had something to do and does not ask the other sources: two NMIs that arrive together are delivered as one, and the other source waits for ever; ask all of them`);
    }
  });
  return found.all();
}

/** Whether another source is asked on the way to the end. */
function asksAgain(steps: readonly Step[], from: number): boolean {
  const seen = new Set<number>();
  const waiting = [from];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const step = steps[at];
    if (seen.has(at) || step === undefined) continue;
    seen.add(at);
    if (step.kind === 'test' && asksSource.test(step.text)) return true;
    waiting.push(...successorsOf(step));
  }
  return false;
}

const handler = (body: string): string => `static void poll_sources(struct pt_regs *regs)
{
${body}}

DEFINE_IDTENTRY_RAW(exc_nmi)
{
	unsigned long cr2 = read_cr2();
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	poll_sources(regs);
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
	if (read_cr2() != cr2)
		write_cr2(cr2);
}
`;

export const edgeCoalescingIgnored = treeRule({
  name: 'edge-coalescing-ignored',
  id: 'XR-NMI07',
  group: 'NMI nesting',
  severity: 'info',
  designsOnly: true,
  summary: 'the NMI handler does not ask every source',
  why: 'NMIs are edges, and the processor keeps one of them while another is handled. Two sources that raise NMIs at the same time are delivered once.',
  instead: 'Ask all sources in each NMI and count what they had.',
  falsePositives: ['Kernel trees, where back-to-back detection makes up for it: this rule is for designs.'],
  references: ['SDM vol. 3A, "Handling Multiple NMIs"', 'semantics PRI-03'],
  bad: [{ title: 'The first one only', files: { 'nmi.c': handler('\tif (poll_counters(regs))\n\t\treturn; //~ edge-coalescing-ignored\n\tif (poll_watchdog(regs))\n\t\tnote_watchdog();\n') } }],
  good: [{ title: 'All', files: { 'nmi.c': handler('\tint handled = poll_counters(regs);\n\n\thandled += poll_watchdog(regs);\n\tcount_sources(handled);\n') } }],
  examine,
});
