// What a rule puts out, and the trace that proves it. Places are offsets; the shells turn them into lines.
import type { Place } from '../base/span.ts';
import type { PathKey } from '../contexts/path-keys.ts';

export type Severity = 'error' | 'warning' | 'info' | 'hint';

/** One field of the machine that a step changed, in the words of the hover: 'stack', 'guard ve_page.busy', 'IF'. */
export interface Change {
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** A key step of a trace: an event, a store that matters, a switch, the violation. Plain steps in between are merged. */
export interface TraceStep {
  /** `NMI delivered on the NMI stack, frame at top-0x28`, one sentence without a full stop. */
  readonly title: string;
  readonly place: Place | null;
  /** Function or stub of the step. */
  readonly symbol: string;
  /** Live frames and stack at this step, innermost last: `task > NMI > VE`. */
  readonly lane: readonly string[];
  readonly changed: readonly Change[];
  /** Machine steps merged into this one. */
  readonly steps: number;
}

export interface Trace {
  readonly steps: readonly TraceStep[];
  /** The replay key: the choice taken at each machine step. */
  readonly choices: readonly number[];
  /** Name of the scenario and start context the trace belongs to. */
  readonly scenario: string;
  readonly start: string;
  /** Features chosen on the way: `FSGSBASE`, `!PTI`. */
  readonly variant: readonly string[];
  /** Of an entry path: what it is found again by, in this program and in others. */
  readonly way?: EntryWay;
}

/** An entry path by names: the configuration it was found in, and its key there. */
export interface EntryWay extends PathKey {
  readonly configuration: string;
}

/** A fact that the finding rests on, with where it comes from; `assumed` ones lower the severity by one step. */
export interface Premise {
  readonly fact: string;
  readonly place: Place | null;
  readonly assumed: boolean;
}

/** Text edits in files, offered as a quick fix after it was re-verified. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly place: Place; readonly newText: string }[];
}

export interface Finding {
  /** Name of the rule, the diagnostic's code. */
  readonly rule: string;
  readonly severity: Severity;
  readonly place: Place;
  readonly message: string;
  readonly premises: readonly Premise[];
  readonly trace: Trace | null;
  readonly related: readonly { readonly place: Place; readonly message: string }[];
  readonly fix: Fix | null;
  /** Scenarios or variants in which the same root cause shows. */
  readonly variants: readonly string[];
}

export type Verdict = 'holds' | 'violated' | 'vacuous' | 'inconclusive';

/** What a run that holds within its budgets says beyond them. */
export interface AnyNumber {
  /** `holds`: whatever the number of events; `open`: that was not explored to its end. */
  readonly verdict: 'holds' | 'violated' | 'open';
  /** `any number of #VE and NMI`. */
  readonly bound: string;
  readonly states: number;
  /** What breaks it, or why it is open; null where it holds. */
  readonly why: string | null;
}

/** The result of one scenario on one design. */
export interface RunReport {
  readonly scenario: string;
  readonly design: string;
  readonly start: string;
  readonly verdict: Verdict;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Bounds in force, and of those the ones that were hit: `NMI at most 1`, `nesting at most 6`. */
  readonly bounds: readonly string[];
  readonly boundsHit: readonly string[];
  readonly assumptions: readonly string[];
  readonly findings: readonly Finding[];
  /** What happened short of a violation, with counts: `VM exit because ve_page.busy was set`. */
  readonly remarks: readonly string[];
  /** Shortest trace to the violation, or null. */
  readonly trace: Trace | null;
  /** Null or missing where nobody asked, or the run does not hold. */
  readonly anyNumber?: AnyNumber | null;
}
