// Contexts as they are told: what can hold at a place of entry code, and how it is asked for.
import type { Place, Span } from './base/span.ts';

export type GuardState = 'armed' | 'busy' | 'unknown';

export interface Interrupter {
  readonly event: string;
  readonly can: 'yes' | 'no' | 'unknown';
  /** `blocked: an NMI handler runs and no IRET was executed`. */
  readonly reason: string;
}

/** One way to be at an instruction or statement: what is true of the machine before it runs. */
export interface ContextRow {
  /** Live frames, outermost first: `kernel, IF=1 > #VE`. */
  readonly path: string;
  readonly stack: string;
  readonly rewinding: boolean;
  readonly cpl: number;
  readonly gs: string;
  readonly cr3: string;
  readonly interruptFlag: string;
  readonly nmiBlocked: string;
  readonly liveFrames: readonly string[];
  readonly guards: readonly { readonly name: string; readonly state: GuardState }[];
  readonly interrupters: readonly Interrupter[];
  /** Steps from the entry to here, as places. */
  readonly way: readonly { readonly place: Place; readonly title: string }[];
}

export interface ContextInfo {
  readonly symbol: string;
  readonly text: string;
  readonly place: Place;
  readonly rows: readonly ContextRow[];
  /** `unknown: needs ...` sentences; non-empty where the tool does not know. */
  readonly unknown: readonly string[];
  /** Why there is no row: `not reached from any entry point of this unit`. */
  readonly silence: string | null;
}

/** What is known of the contexts at an offset without exploring further. */
export interface KnownContext {
  readonly info: ContextInfo | null;
  /** Offsets with the same answer, the last included. */
  readonly span: Span;
  /** Nothing that is still to be explored adds to it. */
  readonly finished: boolean;
}

/** What is otherwise behind a statement than before it. */
export interface ContextChange {
  /** The end of the statement, or of a label behind it. */
  readonly offset: number;
  /** `GS kernel`, `stack task, IF 1`. */
  readonly text: string;
  /** A line for each of them with what was before: `GS: user or kernel -> kernel`. */
  readonly tip: string;
}

/** What the review answers of contexts. */
export interface ContextReview {
  /** Contexts from what was explored so far; `prepareContexts` explores the rest. */
  readonly contextAt: (file: string, offset: number) => ContextInfo | null;
  /** Contexts of entry code in a kernel tree as far as they are explored now; null elsewhere, or where nothing was read yet. */
  readonly knownContext: (file: string, offset: number) => KnownContext | null;
  /** Where contexts change within a span of entry code that is run by its paths; null elsewhere, and until these are explored. */
  readonly contextChanges: (file: string, span: Span) => readonly ContextChange[] | null;
  /** Explores up to `states` further states for the contexts of a file's unit; true when nothing is left. */
  readonly prepareContexts: (file: string, states: number) => boolean;
  /** Whether contexts of a file come from the entry paths of a whole kernel tree, which take seconds. Links nothing. */
  readonly inKernelTree: (file: string) => boolean;
}
