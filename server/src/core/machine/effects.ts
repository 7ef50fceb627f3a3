// What a transition of the machine did, in words that rules judge and traces tell. No effect is a verdict.
import type { NodeId } from './code.ts';
import type { Frame } from './state.ts';

export type Effect =
  | { readonly kind: 'deliver'; readonly vector: number; readonly frame: Frame; readonly stack: string; readonly rewinding: boolean }
  /** A delivery or store wrote over a live frame of which no intact copy is left. */
  | { readonly kind: 'frame-overwritten'; readonly frame: Frame; readonly byVector: number | null; readonly guard: number | null }
  /** A delivery pushed its frame where user space chose RSP. */
  | { readonly kind: 'frame-on-user-stack'; readonly vector: number }
  | { readonly kind: 'return'; readonly frame: Frame | null; readonly toUser: boolean }
  /** An event return whose stack pointer is not the one that its event interrupted. */
  | { readonly kind: 'wrong-return'; readonly expected: string; readonly found: string }
  | { readonly kind: 'guard-set'; readonly guard: number }
  | { readonly kind: 'guard-cleared'; readonly guard: number; readonly live: boolean; readonly rewinding: boolean }
  /** An event that the guard turned into its fallback. */
  | { readonly kind: 'fallback'; readonly guard: number; readonly vector: number; readonly fallback: string }
  /** Nothing left to do, and the guard is still set: the event is disarmed for ever. */
  | { readonly kind: 'guard-busy-at-quiescence'; readonly guard: number }
  /** A one-slot word read and cleared by an instance that belongs to another event. */
  | { readonly kind: 'guard-stolen'; readonly guard: number; readonly owner: Frame }
  | { readonly kind: 'info-read'; readonly guard: number; readonly afterClear: boolean }
  | { readonly kind: 'irqs-enabled'; readonly liveRewinding: boolean; readonly nmiBlocked: boolean }
  | { readonly kind: 'stack-switch'; readonly from: string; readonly to: string; readonly userChosen: boolean }
  | { readonly kind: 'pending'; readonly vector: number; readonly via: string }
  /** An NMI waits in the latch, or is lost because one waits already (PRI-03). */
  | { readonly kind: 'nmi-latched'; readonly lost: boolean }
  /** Delivery of a vector met a fault itself: what came of both (DF-01), or the interrupt that is gone (DF-03). */
  | { readonly kind: 'delivery-fault'; readonly vector: number; readonly fault: number; readonly becomes: number | 'shutdown'; readonly lost: boolean }
  /** MC-04: the machine check is signalled to the other processors as well. */
  | { readonly kind: 'broadcast'; readonly vector: number }
  /** A system management interrupt came and went. */
  | { readonly kind: 'smi' }
  | { readonly kind: 'nmi-unblocked'; readonly inNmi: boolean }
  | { readonly kind: 'fixup'; readonly type: string; readonly at: NodeId }
  | { readonly kind: 'store'; readonly address: string; readonly value: string }
  /** The kernel is entered by an instruction: nothing was pushed. */
  | { readonly kind: 'entered'; readonly what: string }
  | { readonly kind: 'ended'; readonly why: string }
  | { readonly kind: 'unknown'; readonly what: string }
  | { readonly kind: 'feature'; readonly name: string; readonly present: boolean };
