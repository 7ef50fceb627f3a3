// XR-NMI02: an event inside the NMI handler returns by IRET, that unblocks NMIs, and the next NMI overwrites the frame
// of the first.
import { guardedWord, rearmInterrupt } from './example-text.ts';
import { lossesOf } from './overwritten.ts';
import type { Tree } from '../tree/tree.ts';
import { latchFaults } from './nmi-latch.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { entriesOf, findings } from './tree-entries.ts';
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

/** In a tree: the latch of the handler, where it has one. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'NMI' || entry.delivery !== 'idt') continue;
    for (const { step, message } of latchFaults(entry.function, (name) => tree.resolve(name, entry.function.file))) found.at(step, { function: entry.function, calls: [] }, message);
  }
  return found.all();
}

const latched = (set: string, note: string, again: string): string => `static DEFINE_PER_CPU(int, nmi_busy);

DEFINE_IDTENTRY_RAW(exc_nmi)
{
	unsigned long cr2, dr7;
	irqentry_state_t state;

	if (this_cpu_read(nmi_busy)) {
${note}		return;
	}
${set}again:
	cr2 = read_cr2();
	dr7 = local_db_save();
	state = irqentry_nmi_enter(regs);
	do_sources(regs);
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
	if (read_cr2() != cr2)
		write_cr2(cr2);
${again}`;
const SET = '\tthis_cpu_write(nmi_busy, 1);\n';
const NOTE = '\t\tthis_cpu_write(nmi_busy, 2);\n';
const AGAIN = '\tif (this_cpu_dec_return(nmi_busy))\n\t\tgoto again;\n}\n';

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
  bad: [
    { title: 'A latch that nobody asks at the end', files: { 'nmi.c': latched(SET, NOTE, '\tthis_cpu_write(nmi_busy, 0);\n} //~ iret-in-nmi-needs-nesting\n') } },
    { title: 'A nested NMI that leaves no note', files: { 'nmi.c': latched(SET, '', AGAIN).replace('nmi_busy)) {', 'nmi_busy)) { //~ iret-in-nmi-needs-nesting') } },
    { title: 'A user access in an NMI on an IST stack', files: { 'design.c': design('__get_user(value, (u64 __user *)regs->bp);', ' //~ iret-in-nmi-needs-nesting') } },
  ],
  good: [{ title: 'A latch of three states', files: { 'nmi.c': latched(SET, NOTE, AGAIN) } }, { title: 'No access that can fault', files: { 'design.c': design('value = regs->bp;', '') } }],
  judge,
  inspect: null,
  examine,
  fix: null,
};
