// Events that are raised at an instruction, or at all of a file, and what comes of them.
import type { Place, Span } from './base/span.ts';
import type { ContextRow } from './context-types.ts';
import type { Finding, Trace } from './rules/finding.ts';

/** What comes of events that are raised at an instruction, from one context that reaches it. */
export interface EventRow {
  readonly context: ContextRow;
  /** `cannot`: the first event does not arrive here. */
  readonly answer: 'holds' | 'violated' | 'inconclusive' | 'cannot';
  /** Why it cannot arrive, or which bound was hit. */
  readonly reason: string | null;
  /** What became of later events: `#VE: blocked ...`. */
  readonly notes: readonly string[];
  /** CPUs on which it is so, where there are others on which it is not. */
  readonly cpus: string | null;
  readonly steps: number;
  readonly findings: readonly Finding[];
  /** From the instruction on to where the interrupted path ends; of a violation the whole way. */
  readonly trace: Trace | null;
}

export interface EventRun {
  readonly symbol: string;
  readonly text: string;
  readonly place: Place;
  readonly configuration: string;
  readonly events: readonly string[];
  readonly rows: readonly EventRow[];
  /** Why there is no row. */
  readonly silence: string | null;
}

export interface EventCount {
  /** `NMI`, `#MC, NMI`. */
  readonly events: string;
  readonly contexts: number;
  readonly holds: number;
  readonly violated: number;
  readonly inconclusive: number;
  readonly cannot: number;
  /** Why events could not arrive and what stayed open, with how often. */
  readonly reasons: readonly { readonly reason: string; readonly contexts: number }[];
}

/** Events raised at all instructions of a file, under way. */
export interface EventSurvey {
  /** Goes on for some instructions; true when nothing is left. */
  readonly advance: (instructions: number) => boolean;
  readonly result: () => EventSurveyResult;
}

export interface EventSurveyResult {
  readonly configurations: readonly string[];
  readonly instructions: number;
  readonly done: number;
  /** Instructions that no path reaches, by symbol. */
  readonly unreached: readonly { readonly symbol: string; readonly instructions: number }[];
  readonly counts: readonly EventCount[];
  /** Each violation once, with its shortest trace. */
  readonly findings: readonly Finding[];
}

/** What the review answers of events. */
export interface EventReview {
  /**
   * Explores about `steps` further steps of the entry paths that contexts at an offset need, with entries for the events,
   * or of all paths that are about the file; true when that is all.
   */
  readonly prepareAt: (file: string, offset: number | null, events: readonly string[], steps: number) => boolean;
  /** Raises events at the instruction at an offset; null where entry paths have none there. Explore all contexts first. */
  readonly raise: (file: string, offset: number, events: readonly string[]) => EventRun | null;
  /** Raises each sequence of events at every instruction of a file; null where entry paths have none in it. */
  readonly survey: (file: string, events: readonly (readonly string[])[]) => EventSurvey | null;
  /** Events that may arrive at an offset in some context known so far; null where none is known. */
  readonly eventsAt: (file: string, offset: number) => readonly string[] | null;
  /** The first instruction of a text that entry paths are known to reach, with the events that may arrive there. */
  readonly entryIn: (file: string, span: Span) => { readonly offset: number; readonly events: readonly string[] } | null;
  /** The name of an event as it is written here, or null with what it may have been meant for. */
  readonly eventNamed: (name: string) => { readonly name: string | null; readonly names: readonly string[] };
}
