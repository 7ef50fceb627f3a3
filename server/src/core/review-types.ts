// The shape of the one API of the language server, the command line, the worker and the tests: files in, findings,
// contexts and verdicts out. Knows nothing of protocols, disks or clocks.
import type { Place, Span } from './base/span.ts';
import type { ContextReview } from './context-types.ts';
import type { Coverage, PathCoverage } from './coverage-types.ts';
import type { EditorReview } from './editor-types.ts';
import type { EventReview } from './event-types.ts';
import type { HierarchyReview } from './hierarchy-types.ts';
import type { Invariant, Playback } from './playback-types.ts';
import type { ProgramUnknown } from './program/unknown.ts';
import type { Finding, Fix, RunReport, Severity, Trace } from './rules/finding.ts';
import type { Divergence } from './review/divergence.ts';
import type { EntryPrograms } from './review/path-divergence.ts';
import type { Scenario } from './scenarios/scenario.ts';

export type { ContextChange, ContextInfo, ContextRow, Interrupter, KnownContext } from './context-types.ts';
export type { Coverage, PathCoverage } from './coverage-types.ts';
export type { CompletionEntry, ExpandedLine, Expansion, HoverText, Renaming, SymbolEntry, WorkspaceSymbolEntry } from './editor-types.ts';
export type { EventCount, EventRow, EventRun, EventSurveyResult } from './event-types.ts';
export type { HierarchyCall, HierarchyItem } from './hierarchy-types.ts';
export type { Caller, CodePoint, Done, Invariant, Playback, Row, StackRows, Watch } from './playback-types.ts';
export type { Change, Finding, Fix, RunReport, Severity, Trace, TraceStep, Verdict } from './rules/finding.ts';
export type { Divergence } from './review/divergence.ts';
export type { Scenario } from './scenarios/scenario.ts';

export interface TextEdit {
  /** Span in the text before this edit; edits of one call apply in order, each to the result of the one before. */
  readonly span: Span;
  readonly newText: string;
}

/** What the review may read; paths are those of the files handed to it, `/`-separated, or URIs. */
export interface Workspace {
  /** Text of a file, or null. Open documents win over the disk. */
  readonly read: (path: string) => string | null;
  /** Names of the plain files in a folder; empty where there is none. */
  readonly list: (folder: string) => readonly string[];
  /** The date as `2027-01-31`, for what is accepted until a day; without it no day ever comes. */
  readonly today?: () => string;
}

/** How the settings choose a configuration; without one, each file has that of its tree. */
export interface ConfigurationChoice {
  /** A preset's name (`6.12`, `6.12:minimal`) or the path of a `.config`. */
  readonly configuration: string | null;
  /** `NAME` or `NAME=VALUE`. */
  readonly defines: readonly string[];
}

/** Files that are reviewed together: the assembler, C, scenario and sidecar files of one folder. */
export interface Unit {
  /** The folder, the key of every call below. */
  readonly folder: string;
  readonly name: string;
  readonly files: readonly string[];
}

/** A finding that an annotation or a line of a sidecar file takes out. */
export interface AcceptedFinding {
  readonly finding: Finding;
  /** Where that is written. */
  readonly place: Place;
  readonly reason: string | null;
}

/** What the tool does not know, or takes for granted: what it says of the rest is worth so much less. */
export type Unknown =
  | ProgramUnknown
  /** Runs that came to these bounds, each with its design and start. */
  | { readonly kind: 'unfinished'; readonly runs: readonly string[]; readonly bounds: readonly string[] }
  /** Entry code that nothing ties to an event: the first, and how many more there are. */
  | { readonly kind: 'not-judged'; readonly first: string; readonly others: number }
  /** C that the front end does not understand. */
  | { readonly kind: 'unread'; readonly place: Place; readonly message: string };

export interface RulePage {
  readonly name: string;
  readonly id: string;
  readonly group: string;
  readonly severity: Severity;
  readonly summary: string;
  /** The whole page, also generated into docs/rules/<name>.md. */
  readonly markdown: string;
}

export interface Progress {
  readonly scenario: string;
  readonly start: string;
  readonly states: number;
  readonly depth: number;
  readonly done: boolean;
}

/** An exploration under way; the caller decides when the next slice runs, and may drop it between slices. */
export interface Exploration {
  /** Explores up to `states` further states and tells how far it is. */
  readonly run: (states: number) => Progress;
  /** Reports of the runs that are complete. */
  readonly reports: () => readonly RunReport[];
}

/** With what it covers, once it has run to its end. */
export interface ShareExploration extends Exploration {
  readonly coverage: () => readonly PathCoverage[];
}

/** What the review is told of texts. */
export interface TextReview {
  readonly setFile: (file: string, text: string) => void;
  readonly editFile: (file: string, edits: readonly TextEdit[]) => void;
  /** Forgets an open document: the workspace's text counts again. */
  readonly closeFile: (file: string) => void;
  /** The workspace says that a file changed or went on disk. */
  readonly fileChanged: (file: string) => void;
  readonly text: (file: string) => string | null;
  /** Whether a text of a file differs from another in nothing but comments that say nothing here. */
  readonly sameCode: (file: string, before: string, after: string) => boolean;
  /** Reads every file with another configuration from now on. */
  readonly configure: (choice: ConfigurationChoice) => void;
  /** Name of the configuration that a file is read with. */
  readonly configurationOf: (file: string) => string;
  readonly release: () => void;
}

/** What the review answers of explorations. */
export interface ExplorationReview {
  /** Everything for the diagnostics of a unit: all scenarios that apply. */
  readonly explore: (folder: string) => Exploration;
  /**
   * In how many shares the entry paths of a kernel tree can be explored, each by a review of its own of the same texts;
   * null where there is no such tree. What is left for this review is `exploreRest`: the reports of the shares in their
   * order behind its own are those of `explore`.
   */
  readonly shares: (folder: string) => { readonly tree: string; readonly count: number } | null;
  readonly exploreShare: (folder: string, share: number) => ShareExploration;
  readonly exploreRest: (folder: string) => Exploration;
  /** One scenario (all its starts), with its verdicts. null where there is no such scenario or unit. */
  readonly run: (folder: string, scenario: string) => Exploration | null;
  /** The same within the bounds alone: what holds is not explored for any number of events. */
  readonly test: (folder: string, scenario: string) => Exploration | null;
  /** Steps of a trace from its replay key. */
  readonly replay: (folder: string, scenario: string, start: string, choices: readonly number[]) => Trace | null;
  /** Every machine step of a trace, for a debugger; null where the trace is not of this review and not by its choices of a scenario. */
  readonly playback: (folder: string, trace: Trace) => Playback | null;
  /** What runs judge at each step, whatever their scenario. */
  readonly invariants: () => readonly Invariant[];
}

/** What the review answers of two designs side by side. */
export interface ComparisonReview {
  /** Where the way of a run in the design of `folder` is no longer that in another one; null where it is to its end. */
  readonly divergence: (folder: string, other: string, scenario: string, start: string, choices: readonly number[]) => Divergence | null;
  /** What is run by its paths there, for `followedIn`: of the kernel tree that a folder belongs to, or the stubs of its unit. */
  readonly entryPrograms: (folder: string) => EntryPrograms;
}

/** What the review answers of findings. */
export interface FindingReview {
  /** What of `quickFindings` the grammar tells of an assembler file of a kernel tree, before anything that it includes is read; null for other files. */
  readonly syntaxFindings: (file: string) => readonly Finding[] | null;
  /** Typing tier: syntax, annotations, scenario files and rules that need no exploration. */
  readonly quickFindings: (file: string) => readonly Finding[];
  /** Findings of the explored tier, merged by root cause over the reports, for all files of the unit. */
  readonly findings: (folder: string, reports: readonly RunReport[]) => readonly Finding[];
  /** The findings of the folder that somebody accepts, which are none of `findings`. */
  readonly accepted: (folder: string, reports: readonly RunReport[]) => readonly AcceptedFinding[];
  /** The fix of a finding where a review of the edited texts no longer shows it and shows no error; may take a second. */
  readonly verifiedFix: (folder: string, finding: Finding) => Fix | null;
  /** Whether a finding of a run still has the code that it points at: false means that it is void at once. */
  readonly stands: (folder: string, finding: Finding) => boolean;
  /** What the tool did not know in this unit; `render/unknown.ts` tells it. */
  readonly unknown: (folder: string) => readonly Unknown[];
}

export interface Review extends TextReview, ExplorationReview, ComparisonReview, FindingReview, ContextReview, EventReview, HierarchyReview, EditorReview {
  readonly unitOf: (file: string) => Unit | null;
  readonly scenarios: (folder: string) => readonly Scenario[];
  readonly rules: () => readonly RulePage[];
  /**
   * What was judged in a folder or file and the tree it belongs to; explore it first. `shared` is what shares of the tree
   * cover where those were explored in its place. null where nothing is judged.
   */
  readonly coverage: (folder: string, shared: readonly PathCoverage[] | null) => Coverage | null;
  /** Folder that the paths of a new sidecar file for this file count from: the tree's root, or the design. */
  readonly sidecarFolder: (file: string) => string;
  /** Whether a unit says which code handles which event. Reads all of it. */
  readonly hasEntries: (folder: string) => boolean;
  /** A unit of a kernel tree has entries, which its texts alone do not show: its files are told of as parts of it. */
  readonly readWhole: (folder: string) => void;
}
