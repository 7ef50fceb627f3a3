// The shape of a replayed trace for a debugger: positions between machine steps, and what the machine is at each. Knows
// nothing of the debugger's protocol.
import type { Place } from './base/span.ts';

/** A step of the code as a reader finds it. */
export interface CodePoint {
  readonly node: number;
  readonly symbol: string;
  readonly text: string;
  /** Where the statement is written; null for what has no text: user mode, kernel code out of view. */
  readonly written: Place | null;
  /** In an expansion, the use of the macro in the file under review. */
  readonly use: Place | null;
}

/** Who waits for the code at a position: a call that has not returned, or what a live event interrupted. */
export interface Caller {
  readonly kind: 'call' | 'event';
  /** Vector of the event, as `#VE`; '' for a call. */
  readonly event: string;
  /** Where the event's frame lies, as `VE stack top-0x28`; '' for a call. */
  readonly frame: string;
  readonly code: CodePoint;
}

/** What a value can be watched by: memory by its address, or a register by its name. */
export type Watch = { readonly kind: 'memory'; readonly address: bigint; readonly size: 1 | 2 | 4 | 8 } | { readonly kind: 'register'; readonly name: string };

export interface Row {
  readonly name: string;
  readonly value: string;
  readonly watch: Watch | null;
}

/** A stack with words on it: the row of each slot, the top of the stack last written first. */
export interface StackRows {
  readonly name: string;
  /** `RSP is here, rewinds`. */
  readonly detail: string;
  readonly slots: readonly Row[];
}

/** What the step that led to a position did. */
export interface Done {
  /** Vectors that were delivered, as `NMI`. */
  readonly arrived: readonly string[];
  /** Invariants that it broke, by the names of `invariants`. */
  readonly broken: readonly string[];
  /** What rules say of it. */
  readonly judged: readonly { readonly rule: string; readonly message: string }[];
  /** One sentence, null where the step did nothing that a trace tells. */
  readonly told: string | null;
}

/** Something that a run judges and a debugger can stop at. */
export interface Invariant {
  readonly name: string;
  readonly title: string;
  readonly why: string;
}

/**
 * Position 0 lies before the first machine step, `steps` behind the last. What costs more than a look is made when it is
 * asked for, for one position. `frame` counts from 0, the code that runs, over the callers outwards.
 */
export interface Playback {
  readonly scenario: string;
  readonly start: string;
  readonly variant: readonly string[];
  readonly steps: number;
  /** Calls and live events that wait at a position. */
  readonly depth: (position: number) => number;
  readonly node: (position: number) => number;
  /** What was done last where nothing runs behind it, else what runs next. */
  readonly codeAt: (position: number) => CodePoint;
  /** Innermost first; the last is what ran before any event. */
  readonly callers: (position: number) => readonly Caller[];
  readonly done: (position: number) => Done;
  readonly registers: (position: number) => readonly Row[];
  readonly control: (position: number) => readonly Row[];
  readonly stacks: (position: number) => readonly StackRows[];
  readonly words: (position: number) => readonly Row[];
  /** Arguments and locals of a C function; empty in assembler. */
  readonly locals: (position: number, frame: number) => readonly Row[];
  /** What the return to an interrupted frame must find again; empty where a call waits. */
  readonly saved: (position: number, frame: number) => readonly Row[];
  /** What the step that led to a position changed, with what it was: `0 -> 1`. */
  readonly changed: (position: number) => readonly Row[];
  /** A value by its name: `%rsp`, `eax`, `IF`, `ve_page.busy`, `NMI stack top-0x28`; null where it is no name of anything. */
  readonly find: (position: number, frame: number, name: string) => Row | null;
  /** Whether the step that led to a position changed a watched value. */
  readonly changes: (position: number, watch: Watch) => boolean;
  /** How a watched value is called, as `NMI stack top-0x28`. */
  readonly nameOf: (watch: Watch) => string;
  /** All code of a file, by where it is written and by the uses of macros that it came through. */
  readonly codeIn: (file: string) => readonly { readonly node: number; readonly place: Place }[];
  readonly files: () => readonly string[];
  /** First step of a function or stub. */
  readonly entryOf: (symbol: string) => number | null;
}
