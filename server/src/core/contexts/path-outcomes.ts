// One step of an entry path: what the code at a state does, with calls out of view taken by the rows of the kernel's
// functions. Features are chosen by the state or go both ways; no event arrives.
import { entryCall, isRoutine } from '../kernel/entry-calls.ts';
import type { MachineSetup } from '../machine/config.ts';
import { changeCpu, draftOf, finish } from '../machine/draft.ts';
import type { Effect } from '../machine/effects.ts';
import { successors } from '../machine/machine.ts';
import { featureOf } from '../machine/recording.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { callOutside, outsideName } from './outside.ts';

export interface PathOutcome {
  readonly label: string;
  readonly effects: readonly Effect[];
  readonly state: State;
  readonly calls: string | null;
  /** What the call runs in, for those that want to interrupt it. */
  readonly inside: State | null;
}

/** All that may happen at a state of a path, without any event. */
export function pathOutcomes(program: Program, setup: MachineSetup, state: State): readonly PathOutcome[] {
  const node = program.code.nodes[state.node];
  if (node === undefined || node.kind === 'interrupted' || state.ended !== null) return [];
  if (node.kind === 'feature') {
    const fixed = featureOf(state, node.feature);
    const arms = fixed === null ? [node.absent, node.present] : [fixed ? node.present : node.absent];
    return [...new Set(arms)].map((target) => {
      const draft = draftOf(state);
      draft.node = target;
      return { label: '', effects: [], state: finish(draft), calls: null, inside: null };
    });
  }
  const name = node.kind === 'instruction' ? outsideName(node) : null;
  if (node.kind === 'instruction' && name !== null && (node.mnemonic === 'call' || node.mnemonic === 'jmp')) {
    const called = callOutside(program, setup, state, node, name, program.contexts.get('inside C') ?? 0);
    return called.after.map((draft) => ({ label: '', effects: draft.effects, state: finish(draft), calls: name, inside: called.inside }));
  }
  return successors(setup, state).steps.map((step) => ({ label: step.label, effects: step.effects, state: step.state, calls: null, inside: null }));
}

/**
 * The outcomes that a path takes. A fault or breakpoint in C code returns with IRET, which unblocks NMIs: behind a call
 * that an NMI stub makes they are blocked or not.
 */
export function pathChoices(program: Program, setup: MachineSetup, state: State): readonly PathOutcome[] {
  const outcomes = pathOutcomes(program, setup, state);
  if (setup.delivery !== 'idt' || !state.cpu.nmiBlocked) return outcomes;
  const unblocked = outcomes.flatMap((outcome): readonly PathOutcome[] => {
    if (!entersC(outcome) || outcome.inside === null) return [];
    return [{ ...outcome, label: 'a fault in the C code returns', state: withoutBlocking(outcome.state), inside: withoutBlocking(outcome.inside) }];
  });
  return unblocked.length === 0 ? outcomes : [...outcomes, ...unblocked];
}

function withoutBlocking(state: State): State {
  const draft = draftOf(state);
  changeCpu(draft, { nmiBlocked: false });
  return finish(draft);
}

/** Whether the outcome is a call of C code that events may interrupt in a context worth telling. */
export function entersC(outcome: PathOutcome): boolean {
  return outcome.inside !== null && outcome.calls !== null && !entryCall(outcome.calls).anyStack && !isRoutine(outcome.calls);
}
