// XR-VE08: a failed access was recovered by the exception table, its re-arm is still waiting, and the same context fails
// again: an NMI cannot take the interrupt that would re-arm.
import { vectorTitle } from '../machine/vectors.ts';
import type { Guard, Program } from '../program/program.ts';
import { clears, extableTree, handlerTree, nodesOf } from './call-tree.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { fallbackAccepted, guardPremises, handlerName, handlerOf, placeOf } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'fallback') continue;
    const guard = program.guards[effect.guard];
    const inner = before.frames.at(-1);
    if (guard === undefined || guard.machineBit !== null || inner === undefined || fallbackAccepted(program, effect.fallback)) continue;
    if (before.frames.some((frame) => frame.vector === guard.vector)) continue;
    if (!before.pending.some((pending) => pending.kind === 'irq')) continue;
    if (!program.code.extable.some((entry) => entry.fault === node.id)) continue;
    const handler = handlerOf(program, guard.vector);
    if (handler === null) continue;
    const recovery = [...handlerTree(program, handler)].flatMap((symbol) => nodesOf(program, symbol)).find((one) => one.kind === 'operation' && one.operation.kind === 'call' && one.operation.name === 'fixup_exception');
    if (recovery === undefined || rearmsInTable(program, guard)) continue;
    out.push({
      place: placeOf(recovery),
      message: `${handlerName(handler)} recovers by the exception table and leaves ${guard.name} set until an interrupt: ${node.symbol}() fails again in the same ${vectorTitle(inner.vector)}, and that is ${effect.fallback === 'vmexit' ? 'a VM exit' : effect.fallback}; re-arm at the landing pad, or say fallback-ok ${effect.fallback} with a reason`,
      premises: guardPremises(program, guard),
      related: [{ place: placeOf(node), message: 'the access that fails again' }],
    });
  }
  return out;
}

/** A re-arm by the exception table itself is XR-VE09's, or in order. */
function rearmsInTable(program: Program, guard: Guard): boolean {
  return [...extableTree(program)].some((symbol) => nodesOf(program, symbol).some((node) => clears(node, guard)));
}

function twice(reason: string, mark: string): string {
  return `${guardedWord('deferred')}
/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
${reason} */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
	if (!user_mode(regs))
		fixup_exception(regs, 20, 0, 0);${mark}
}

/*
 * xctx: handler vector=NMI
 * xctx: never-in gap vectors=NMI,VE -- not what this is about
 */
void demo_nmi(struct pt_regs *regs)
{
	u64 value;

	__get_user(value, (u64 __user *)regs->bp);
	__get_user(value, (u64 __user *)regs->bp);
}
${rearmInterrupt}`;
}

export const extableRecoveryWithoutRearm: Rule = {
  name: 'extable-recovery-without-rearm',
  id: 'XR-VE08',
  group: 'Re-entrancy and #VE',
  severity: 'warning',
  summary: 'after a recovery by the exception table the guard stays set for the rest of the interrupted context',
  why: 'A perf NMI reads user memory through a frame pointer, fails, recovers, and meets the same page again with the next counter. The interrupt that re-arms cannot be taken before the NMI ends, so the second failure in the same NMI takes the fallback.',
  instead: 'Re-arm at the landing pad, which runs after the event return and off the IST stack; or, where the host resolves the VM exit, say fallback-ok vmexit with the reason.',
  falsePositives: ['Faults from user mode have no exception-table entry.', 'A guard that is never re-armed is guard-never-rearmed.'],
  references: ['semantics VE-25, VE-26, EXT-01, IF-01'],
  bad: [{ title: 'Two user accesses in one NMI, re-armed by an interrupt', files: { 'design.c': twice('', ' //~ extable-recovery-without-rearm') } }],
  good: [{ title: 'The VM exit is accepted', files: { 'design.c': twice(' * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back\n', '') } }],
  judge,
  inspect: null,
  fix: null,
};
