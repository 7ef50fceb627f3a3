// XR-CTX05: the handler of an interrupt of the local APIC returns without having acknowledged it, or acknowledges two.
import { placeIn } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, findings, isCall, treeRule } from './tree-entries.ts';

const acknowledges = /eoi$|ack_\w*irq$/i;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const entry of entriesOf(tree)) {
    const { function: one } = entry;
    // A spurious interrupt is in no register of the APIC; a hypervisor may acknowledge its own.
    if (!entry.interrupt || !/_SYSVEC(?:_SIMPLE)?$/.test(one.definedBy ?? '') || /spurious|hyperv|xen/.test(one.name) || !one.whole) continue;
    watch<'owed' | 'done'>(tree, one, 'owed', {
      follow: (callee) => callee.definedBy === null && callee.file === one.file && !acknowledges.test(callee.name) && !callee.name.includes('posted_msi'),
      step: (step, state, where) => {
        if (isCall(step, acknowledges)) {
          if (state === 'done') found.at(step, where, 'a second acknowledgement on this path is one for another interrupt, which the APIC then delivers again while its handler still runs; acknowledge once');
          return 'done';
        }
        if (step.kind === 'return' && where.calls.length === 0 && state === 'owed') {
          const name = placeIn(tree, one.file, one.nameSpan);
          found.place(one.graph().steps.some((other) => isCall(other, acknowledges)) ? placeIn(tree, one.file, step.span) : name, `${one.name}() ends on a path without an acknowledgement: the APIC keeps the vector in service and delivers none of its class or below any more, on this CPU; call apic_eoi()`);
        }
        return state;
      },
    });
  }
  return found.all();
}

const handler = (lines: string, mark: string): string => `DEFINE_IDTENTRY_SYSVEC(sysvec_demo_ipi)
{
	struct pt_regs *old_regs = set_irq_regs(regs);

${lines}	count_demo();
	set_irq_regs(old_regs);
}${mark}
`;

export const interruptNotAcknowledged = treeRule({
  name: 'interrupt-not-acknowledged',
  id: 'XR-CTX05',
  group: 'C context',
  severity: 'error',
  summary: 'the handler of an APIC interrupt does not acknowledge it on every path, or twice on one',
  why: 'The local APIC holds back every interrupt of the same class and below until software writes its EOI register, which takes the highest vector out of service. Without the write timer ticks, IPIs and devices of this CPU stop; with one too many another interrupt counts as handled.',
  instead: 'apic_eoi() once on every path, before anything that may take long.',
  falsePositives: ['Spurious interrupts, which are in no register.', 'Vectors of hypervisors that acknowledge them themselves.', 'Device interrupts, whose chip acknowledges them.'],
  references: ['SDM vol. 3A, "Signaling Interrupt Servicing Completion"'],
  bad: [
    { title: 'Not at all', files: { 'irq.c': handler('', '').replace('sysvec_demo_ipi)', 'sysvec_demo_ipi) //~ interrupt-not-acknowledged') } },
    { title: 'Not always', files: { 'irq.c': handler('\tif (demo_enabled())\n\t\tapic_eoi();\n', ' //~ interrupt-not-acknowledged') } },
  ],
  good: [{ title: 'First', files: { 'irq.c': handler('\tapic_eoi();\n', '') } }],
  examine,
});
