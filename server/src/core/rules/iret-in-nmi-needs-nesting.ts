// XR-NMI02: an event inside the NMI handler returns by IRET, that unblocks NMIs, and the next NMI overwrites the frame
// of the first.
import { guardedWord, rearmInterrupt } from './example-text.ts';
import { lossesOf } from './overwritten.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { handlerOf, stackName, stubPlace } from './vocabulary.ts';

const NMI = 2;

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  const handler = handlerOf(program, NMI);
  const place = handler === null ? null : stubPlace(program, handler);
  if (place === null) return [];
  return lossesOf(observation)
    .filter(({ cause }) => cause.kind === 'nested-nmi')
    .map(({ lost }) => ({
      place,
      message: `an event in the NMI handler returns by IRET and so unblocks NMIs: the next NMI arrives in the first and overwrites its frame on the ${stackName(program, lost)} stack; keep a marker and copies of the frame, or a latch`,
      premises: [],
    }));
}

function design(body: string, mark: string): string {
  return `${guardedWord('deferred')}
/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
	fixup_exception(regs, 20, 0, 0);
}

/* xctx: handler vector=NMI ist=NMI */
void demo_nmi(struct pt_regs *regs)${mark}
{
	u64 value;

	${body}
}
${rearmInterrupt}`;
}

export const iretInNmiNeedsNesting: Rule = {
  name: 'iret-in-nmi-needs-nesting',
  id: 'XR-NMI02',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'an IRET inside the NMI handler lets the next NMI in, and the entry does not tolerate it',
  why: 'The CPU blocks NMIs from delivery to the next IRET, whichever that is. A user access in the NMI handler that faults ends with an IRET of the fault, so from there on NMIs nest, on an IST stack that starts over at its top.',
  instead: 'From kernel mode: a marker word and copies of the frame, and a nested NMI that only asks for a repeat. From user mode: run on the task stack with a latch of three states. Or FRED, where only the return from an NMI unblocks NMIs.',
  falsePositives: ['An NMI handler in which nothing can fault and no breakpoint or machine check can arrive.', 'Without an IST stack a nested NMI adds a frame below the first.'],
  references: ['SDM vol. 3A, "Handling Multiple NMIs"', 'semantics NMI-02, NMI-06'],
  bad: [{ title: 'A user access in an NMI on an IST stack', files: { 'design.c': design('__get_user(value, (u64 __user *)regs->bp);', ' //~ iret-in-nmi-needs-nesting') } }],
  good: [{ title: 'No access that can fault', files: { 'design.c': design('value = regs->bp;', '') } }],
  judge,
  inspect: null,
  fix: null,
};
