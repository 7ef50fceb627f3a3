// What a run judges step by step whatever its scenario asks: each can stop a debugger.
import type { Invariant } from '../playback-types.ts';
import type { ScenarioProperty } from '../scenarios/scenario.ts';

interface Judged extends Invariant {
  readonly property: ScenarioProperty;
}

function named(name: (ScenarioProperty & { readonly kind: 'named' })['name'], title: string, why: string): Judged {
  return { name, title, why, property: { kind: 'named', name } };
}

export const INVARIANTS: readonly Judged[] = [
  named('live-frame-overwritten', 'Live frame overwritten', 'A frame that a handler still returns through is written over, or an event return goes to another context'),
  named('guard-busy-at-quiescence', 'Guard busy for ever', 'Nothing is left to run, and the reentrancy word is still set'),
  named('word-consumed-by-nested', 'Word consumed by a nested event', 'The reentrancy word was set for another event than the one that reads it'),
  named('frame-on-user-stack', 'Frame on a stack of user space', 'A frame is pushed where user space chose the stack pointer'),
  named('double-fault', 'Double fault', 'Delivery of an event meets a fault itself'),
  named('shutdown', 'Shutdown', 'The processor shuts down'),
];
