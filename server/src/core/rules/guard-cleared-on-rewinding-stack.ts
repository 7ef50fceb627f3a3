// XR-VE01: the word that keeps a vector from coming again is cleared while the vector's frame is live on a stack that
// rewinds. Judged at the delivery that uses it, and reported at the store.
import { vectorTitle } from '../machine/vectors.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { guardOf, guardPremises, nodeAt, placeOf, stackName } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    const lost = effect.kind === 'frame-overwritten' ? effect.frame : effect.kind === 'wrong-return' ? (before.frames.at(-1) ?? null) : null;
    if (lost === null) continue;
    const index = program.guards.findIndex((guard) => guard.vector === lost.vector && guard.protects.includes('stack'));
    const guard = guardOf(program, index < 0 ? null : index);
    const ghost = before.ghosts[index];
    if (guard === null || ghost === undefined || ghost.clearedAt === null || ghost.aboveFrame) continue;
    const store = nodeAt(program, ghost.clearedAt);
    if (store === null || store.symbol.startsWith('ex_handler')) continue;
    const by = effect.kind === 'frame-overwritten' && effect.byVector !== null ? vectorTitle(effect.byVector) : vectorTitle(lost.vector);
    out.push({
      place: placeOf(store),
      message: `reentrancy word cleared on IST stack: ${store.symbol}() clears ${guard.name} while the ${vectorTitle(lost.vector)} frame on the ${stackName(program, lost)} stack is live; the next ${by} before IRET rewinds the stack and overwrites it; re-arm after the frame is dead`,
      premises: guardPremises(program, guard),
    });
  }
  return out;
}

export const guardClearedOnRewindingStack: Rule = {
  name: 'guard-cleared-on-rewinding-stack',
  id: 'XR-VE01',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a re-entrancy word is cleared while the frame it protects is live on an IST stack',
  why: 'An IST stack starts over at its top at every delivery: there is no nesting counter. The word is all that keeps a second event from landing on the frame of the first. Once it is zero, any access that fails before IRET, or an NMI or #MC whose handler makes one, rewinds the stack and overwrites the saved RIP and RSP.',
  instead: 'Arm a deferral (irq_work, self-IPI) that clears the word when the frame is dead, clear it at the landing pad of the exception table, or move the frame off the IST stack first.',
  falsePositives: [
    'A vector without IST only nests on a growing stack; nothing is overwritten.',
    'A handler that has moved its frame to another stack, as from user mode, may clear the word.',
    'The machine-check handler clears MCIP on its IST stack because the hardware offers nothing better.',
  ],
  references: ['SDM vol. 3C, "Virtualization Exceptions"', 'SDM vol. 3A, "Interrupt Stack Table"', 'semantics VE-21, VE-22, IDT-04'],
  bad: [],
  good: [],
  judge,
  inspect: null,
  fix: null,
};
