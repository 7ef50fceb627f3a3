// XR-VE02: a guard that its annotation leaves to a deferral is cleared by the handler itself, on a stack where that does
// not yet lose a frame. On the rewinding stack it is XR-VE01.
import { vectorTitle } from '../machine/vectors.ts';
import { deferralFor } from './deferral-fix.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { spokenName, guardPremises, handlerOf, placeOf } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'guard-cleared' || !effect.live || effect.rewinding) continue;
    const guard = program.guards[effect.guard];
    if (guard === undefined || guard.clears !== 'deferred' || before.frames.at(-1)?.vector !== guard.vector) continue;
    // Kernel-mode events run the same store on the IST stack, which is XR-VE01's.
    if (handlerOf(program, guard.vector)?.ist.value !== null && before.frames.at(-1)?.cpl === 3) continue;
    out.push({
      place: placeOf(node),
      message: `${spokenName(node)} clears ${guard.name} itself, but its guard says clears=deferred: a second ${vectorTitle(guard.vector)} nests before the first is handled; leave the store to the deferral, or declare clears=immediate`,
      premises: guardPremises(program, guard),
    });
  }
  return out;
}

export const guardClearedInHandler: Rule = {
  name: 'guard-cleared-in-handler',
  id: 'XR-VE02',
  group: 'Re-entrancy and #VE',
  severity: 'warning',
  summary: 'a handler clears the guard that its annotation leaves to a deferral',
  why: 'Whether a handler may clear the word depends on the stack it happens to run on, and that is decided elsewhere, in the IDT and in the stub. A design that says clears=deferred has one place that re-arms; a second one in the call tree of the handler is the first to break when a gate gets an IST stack.',
  instead: 'Clear the word only in the function that the deferral runs; where clearing at once is meant, say clears=immediate or clears=after-frame-move.',
  falsePositives: ['Speaks only where a guard annotation says clears=deferred.', 'On a rewinding stack the same store is guard-cleared-on-rewinding-stack, and reported once.'],
  references: ['SDM vol. 3C, "Virtualization Exceptions"', 'semantics VE-03, VE-22'],
  bad: [
    {
      title: 'The handler re-arms at once',
      files: {
        'design.c': `${guardedWord('deferred', 'info')}
static void ve_finish(void)
{
	this_cpu_write(ve_page.busy, 0); //~ guard-cleared-in-handler
}

/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- the host never takes entry text or stacks away
 * xctx: defers-to ve_rearm via=self-ipi
 */
void demo_ve(struct pt_regs *regs)
{
	ve_finish();
}
${rearmInterrupt}`,
      },
    },
  ],
  good: [
    {
      title: 'Only the interrupt clears',
      files: {
        'design.c': `${guardedWord('deferred', 'info')}
/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- the host never takes entry text or stacks away
 * xctx: defers-to ve_rearm via=self-ipi
 */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
}
${rearmInterrupt}`,
      },
    },
  ],
  judge,
  inspect: null,
  fix: deferralFor,
};
