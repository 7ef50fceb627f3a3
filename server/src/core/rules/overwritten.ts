// Why a live frame was lost: one loss has one root cause, and one rule speaks of it.
import type { CodeNode } from '../machine/code.ts';
import type { Frame } from '../machine/state.ts';
import type { Guard } from '../program/program.ts';
import { extableTree, handlerTree, isExtableHandler } from './call-tree.ts';
import type { Premise } from './finding.ts';
import type { Observation } from './rule.ts';
import { handlerOf, nodeAt } from './vocabulary.ts';

export type LossCause =
  /** The guard was cleared by the handler while the frame was live: XR-VE01. */
  | { readonly kind: 'cleared'; readonly guard: Guard; readonly store: CodeNode }
  /** The same, by code that only fixup_exception() calls: XR-VE09. */
  | { readonly kind: 'cleared-by-extable-handler'; readonly guard: Guard; readonly store: CodeNode }
  /** The guard was cleared by an interrupt taken above the frame: XR-VE04. */
  | { readonly kind: 'cleared-above'; readonly guard: Guard; readonly store: CodeNode }
  /** Nothing keeps the vector from arriving again: XR-VE11. */
  | { readonly kind: 'unguarded' }
  /** Another vector has the same IST stack: XR-VE11. */
  | { readonly kind: 'shared' }
  /** An NMI in an NMI: XR-NMI02. */
  | { readonly kind: 'nested-nmi' }
  /** A guard that nobody declared and that hardware leaves no better way to handle. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'other' };

export interface Loss {
  readonly lost: Frame;
  /** Vector of the delivery that wrote over the frame, null for a store or a return that went wrong. */
  readonly byVector: number | null;
  readonly cause: LossCause;
}

/** Frames that a transition lost. */
export function lossesOf(observation: Observation): readonly Loss[] {
  if (observation.program.stackWrites.length > 0) return [];
  const out: Loss[] = [];
  for (const effect of observation.effects) {
    if (effect.kind === 'frame-overwritten') out.push({ lost: effect.frame, byVector: effect.byVector, cause: causeOf(observation, effect.frame, effect.byVector) });
    else if (effect.kind === 'wrong-return') {
      const lost = observation.before.frames.at(-1);
      if (lost !== undefined) out.push({ lost, byVector: null, cause: causeOf(observation, lost, null) });
    }
  }
  return out;
}

function causeOf(observation: Observation, lost: Frame, byVector: number | null): LossCause {
  const { program, before } = observation;
  if (lost.vector === 2 && byVector === 2) return { kind: 'nested-nmi' };
  if (byVector !== null && byVector !== lost.vector) {
    const own = handlerOf(program, lost.vector)?.ist.value ?? null;
    return own !== null && own === (handlerOf(program, byVector)?.ist.value ?? null) ? { kind: 'shared' } : { kind: 'other' };
  }
  const index = program.guards.findIndex((guard) => guard.vector === lost.vector && guard.protects.includes('stack'));
  const guard = program.guards[index];
  if (guard === undefined) return byVector === null ? { kind: 'other' } : { kind: 'unguarded' };
  if (guard.implicit) return { kind: 'accepted' };
  const ghost = before.ghosts[index];
  const store = nodeAt(program, ghost?.clearedAt ?? null);
  if (store === null || ghost === undefined) return { kind: 'other' };
  if (ghost.aboveFrame) return { kind: 'cleared-above', guard, store };
  return { kind: onlyByExtable(observation, store, guard) ? 'cleared-by-extable-handler' : 'cleared', guard, store };
}

/**
 * A guard that a transition clears while a frame of its vector is live on a rewinding stack, where no NMI handler is in
 * view: a run then shows no event that uses it, and any NMI may bring one. With the cause that a loss would have.
 */
export function exposedBy(observation: Observation): readonly LossCause[] {
  const { program, before, node } = observation;
  if (handlerOf(program, 2) !== null || program.stackWrites.length > 0) return [];
  return observation.effects.flatMap((effect): readonly LossCause[] => {
    const guard = effect.kind === 'guard-cleared' && effect.live && effect.rewinding ? program.guards[effect.guard] : undefined;
    if (guard === undefined || guard.implicit || !guard.protects.includes('stack')) return [];
    if (before.frames.at(-1)?.vector !== guard.vector) return [{ kind: 'cleared-above', guard, store: node }];
    return [{ kind: onlyByExtable(observation, node, guard) ? 'cleared-by-extable-handler' : 'cleared', guard, store: node }];
  });
}

/** The premise of an exposure that no event in view uses. */
export const UNSEEN_NMI: Premise = { fact: 'an NMI, whose handler is not in view, touches memory that raises the event again', place: null, assumed: true };

/** Whether the store runs for the guard's vector only through an exception-table handler. */
function onlyByExtable(observation: Observation, store: CodeNode, guard: Guard): boolean {
  const { program } = observation;
  if (isExtableHandler(store.symbol)) return true;
  if (!extableTree(program).has(store.symbol)) return false;
  const handler = handlerOf(program, guard.vector);
  return handler === null || !handlerTree(program, handler, isExtableHandler).has(store.symbol);
}
