// What a debug session asks of the shell that it runs in: the trace of a launch, and the names of files. Knows nothing of
// the protocol.
import type { Invariant, Playback } from '../core/review-types.ts';
import type { Wanted } from './launch.ts';

/** A trace to step through, and what it proves. */
export interface Found {
  readonly kind: 'found';
  readonly playback: Playback;
  /** `clear-on-ist-early: nmi-user-copy from user`. */
  readonly title: string;
  /** The finding's sentence, or what the scenario says must never be. */
  readonly message: string;
  /** Name of the rule, or of the scenario where no rule speaks. */
  readonly rule: string;
  /** Facts told at the start: what it was chosen from, bounds. */
  readonly notes: readonly string[];
}

export interface Refused {
  readonly kind: 'refused';
  /** One sentence. */
  readonly message: string;
}

export interface Looking {
  readonly report: (message: string) => void;
  /** The client has gone or no longer wants it. */
  readonly cancelled: () => boolean;
}

export interface DebugHost {
  readonly find: (wanted: Wanted, looking: Looking) => Promise<Found | Refused>;
  readonly invariants: () => readonly Invariant[];
  readonly text: (file: string) => string | null;
  /** A file of the review as the client names it: a path of the disk, or a URI. */
  readonly pathOf: (file: string) => string;
  readonly fileOf: (path: string) => string;
}

export function refused(message: string): Refused {
  return { kind: 'refused', message };
}
