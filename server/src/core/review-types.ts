// The shape of the one API of the language server, the command line, the worker and the tests: files in, findings,
// contexts and verdicts out. Knows nothing of protocols, disks or clocks.
import type { Origin, Place, Span } from './base/span.ts';
import type { Finding, Fix, RunReport, Severity, Trace } from './rules/finding.ts';
import type { Scenario } from './scenarios/scenario.ts';

export type { Change, Finding, Fix, RunReport, Severity, Trace, TraceStep, Verdict } from './rules/finding.ts';
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

/** What was judged, so that silence is not taken for blindness. */
export interface Coverage {
  /** Folder of the kernel tree or of the design. */
  readonly subject: string;
  /** C code, by configuration. */
  readonly c: readonly CCoverage[];
  /** Assembler code, by configuration. */
  readonly paths: readonly PathCoverage[];
}

export interface CCoverage {
  readonly configuration: string;
  readonly files: number;
  readonly functions: number;
  /** Functions in which the parser lost a place, as `file:name`: they are read in part. */
  readonly unreadable: readonly string[];
  /** `known` calls have a row, `unresolved` ones are of functions or through pointers that nothing is known of. */
  readonly calls: { readonly inView: number; readonly known: number; readonly unresolved: number };
  /** Which bound was hit, or null. */
  readonly cap: string | null;
}

export interface PathCoverage {
  readonly configuration: string;
  readonly instructions: number;
  /** Instructions that some entry path reaches. */
  readonly reached: number;
  /** The others, by why no path reaches them; the reason is null where nobody knows. */
  readonly unreached: readonly { readonly reason: string | null; readonly instructions: number }[];
  /** Kinds of CPU that the paths were run on. */
  readonly cpus: readonly string[];
}

/** A node of the call hierarchy. */
export interface HierarchyItem {
  /** What its callers and callees are asked for with; survives edits. */
  readonly key: string;
  /** `event`: a gate or an instruction that enters; `context`: code outside the entry set; `unresolved`: not in view. */
  readonly kind: 'function' | 'handler' | 'stub' | 'event' | 'instruction' | 'context' | 'unresolved';
  readonly name: string;
  /** What is known of the contexts in which it runs. */
  readonly detail: string;
  readonly place: Place;
  /** In the file of `place`. */
  readonly nameSpan: Span;
}

export interface HierarchyCall {
  /** The caller, or the callee. */
  readonly item: HierarchyItem;
  /** Where the calls are, in the file of the caller. */
  readonly spans: readonly Span[];
}

export interface SymbolEntry {
  readonly name: string;
  readonly detail: string;
  readonly kind: 'entry' | 'function' | 'label' | 'macro' | 'variable' | 'guard' | 'handler';
  readonly span: Span;
  readonly nameSpan: Span;
  readonly children: readonly SymbolEntry[];
}

export interface CompletionEntry {
  readonly label: string;
  readonly detail: string;
  readonly documentation: string;
  readonly insert: string;
  /** Text to be replaced. */
  readonly span: Span;
  /** A keyword where nothing is said. */
  readonly kind?: 'keyword' | 'macro' | 'label' | 'register' | 'instruction';
}

export interface HoverText {
  readonly markdown: string;
  readonly span: Span;
}

/** One line of an expansion: an instruction, or what an alternative puts in the place of those before it. */
export interface ExpandedLine {
  readonly kind: 'label' | 'instruction' | 'data' | 'arm' | 'replacement';
  readonly text: string;
  readonly origin: Origin | null;
  /** Names of the macros of `origin.uses`. */
  readonly through: readonly string[];
}

export interface Expansion {
  readonly symbol: string;
  /** The file that was expanded. */
  readonly file: string;
  readonly configuration: string;
  readonly lines: readonly ExpandedLine[];
}

export interface ExpansionEntry {
  readonly symbol: string;
  readonly instructions: number;
  readonly section: string;
}

export interface WorkspaceSymbolEntry {
  readonly name: string;
  readonly kind: SymbolEntry['kind'] | 'type' | 'constant';
  /** The file it is in, for people. */
  readonly container: string;
  readonly place: Place;
}

/** A renaming, or why there is none. */
export type Renaming =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'edits'; readonly span: Span; readonly name: string; readonly edits: readonly { readonly place: Place; readonly newText: string }[] };

export interface SemanticToken {
  readonly span: Span;
  readonly kind: 'macro' | 'label' | 'parameter';
  readonly definition: boolean;
}

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

export interface Review {
  readonly setFile: (file: string, text: string) => void;
  readonly editFile: (file: string, edits: readonly TextEdit[]) => void;
  /** Forgets an open document: the workspace's text counts again. */
  readonly closeFile: (file: string) => void;
  /** The workspace says that a file changed or went on disk. */
  readonly fileChanged: (file: string) => void;
  readonly text: (file: string) => string | null;

  readonly unitOf: (file: string) => Unit | null;
  readonly scenarios: (folder: string) => readonly Scenario[];

  /** Typing tier: syntax, annotations, scenario files and rules that need no exploration. */
  readonly quickFindings: (file: string) => readonly Finding[];
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
  /** Findings of the explored tier, merged by root cause over the reports, for all files of the unit. */
  readonly findings: (folder: string, reports: readonly RunReport[]) => readonly Finding[];
  /** The fix of a finding where a review of the edited texts no longer shows it and shows no error; may take a second. */
  readonly verifiedFix: (folder: string, finding: Finding) => Fix | null;
  /** Steps of a trace from its replay key. */
  readonly replay: (folder: string, scenario: string, start: string, choices: readonly number[]) => Trace | null;

  /** Contexts from what was explored so far; `prepareContexts` explores the rest. */
  readonly contextAt: (file: string, offset: number) => ContextInfo | null;
  /** Contexts of entry code in a kernel tree as far as they are explored now; null elsewhere, or where nothing was read yet. */
  readonly knownContext: (file: string, offset: number) => KnownContext | null;
  /** Whether a text of a file differs from another in nothing but comments that say nothing here. */
  readonly sameCode: (file: string, before: string, after: string) => boolean;
  /** Explores up to `states` further states for the contexts of a file's unit; true when nothing is left. */
  readonly prepareContexts: (file: string, states: number) => boolean;
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
  /** The function or stub at an offset as the root of a call hierarchy. */
  readonly hierarchyAt: (file: string, offset: number) => HierarchyItem | null;
  /** Callers of an item, exceptions included; `file` is one of the code it was found from. */
  readonly incoming: (file: string, key: string) => readonly HierarchyCall[];
  readonly outgoing: (file: string, key: string) => readonly HierarchyCall[];
  /** Runs about `steps` further steps of what callers of an item rest on; true when that is all. */
  readonly prepareHierarchy: (file: string, key: string, steps: number) => boolean;
  /** The name of an event as it is written here, or null with what it may have been meant for. */
  readonly eventNamed: (name: string) => { readonly name: string | null; readonly names: readonly string[] };
  /** Whether contexts of a file come from the entry paths of a whole kernel tree, which take seconds. Links nothing. */
  readonly inKernelTree: (file: string) => boolean;
  /** Whether a finding of a run still has the code that it points at: false means that it is void at once. */
  readonly stands: (folder: string, finding: Finding) => boolean;
  /** Annotation words, rule names in `allow`, instructions and macros: everything but the context. */
  readonly hover: (file: string, offset: number) => HoverText | null;
  readonly complete: (file: string, offset: number) => readonly CompletionEntry[];
  readonly symbols: (file: string) => readonly SymbolEntry[];
  readonly folds: (file: string) => readonly Span[];
  readonly definition: (file: string, offset: number) => readonly Place[];
  /** In the open files, what they include and the file's unit; the definition first. */
  readonly references: (file: string, offset: number) => readonly Place[];
  /** A renaming of the label at an offset; with its old name for `newName` it changes nothing. */
  readonly rename: (file: string, offset: number, newName: string | null) => Renaming;
  readonly links: (file: string) => readonly { readonly span: Span; readonly target: string }[];
  readonly semanticTokens: (file: string) => readonly SemanticToken[];
  /** Text of the file that its configuration leaves out. */
  readonly inactive: (file: string) => readonly Span[];
  /** Symbols of the open files, what they include and their units whose names hold the characters of the query in order. */
  /** Of open files, and of those that were indexed. */
  readonly workspaceSymbols: (query: string) => readonly WorkspaceSymbolEntry[];
  /** Takes note of what a file of the workspace defines, by its text alone; null where it is gone. */
  readonly indexDefinitions: (file: string, text: string | null) => void;
  /** The stream of a symbol, or null where there is none in view of the file. */
  readonly expansion: (file: string, symbol: string) => Expansion | null;
  /** Symbols of the file that have an expansion. */
  readonly expansions: (file: string) => readonly ExpansionEntry[];
  /** The symbol whose code, name or making macro is at an offset. */
  readonly expansionAt: (file: string, offset: number) => string | null;

  readonly rules: () => readonly RulePage[];
  /** Reads every file with another configuration from now on. */
  readonly configure: (choice: ConfigurationChoice) => void;
  /** Name of the configuration that a file is read with. */
  readonly configurationOf: (file: string) => string;
  /**
   * What was judged in a folder or file and the tree it belongs to; explore it first. `shared` is what shares of the tree
   * cover where those were explored in its place. null where nothing is judged.
   */
  readonly coverage: (folder: string, shared: readonly PathCoverage[] | null) => Coverage | null;
  /** The function or symbol that an offset lies in, null outside of all. */
  readonly symbolAt: (file: string, offset: number) => string | null;
  /** Folder that the paths of a new sidecar file for this file count from: the tree's root, or the design. */
  readonly sidecarFolder: (file: string) => string;
  /** Whether a unit says which code handles which event. Reads all of it. */
  readonly hasEntries: (folder: string) => boolean;
  /** A unit of a kernel tree has entries, which its texts alone do not show: its files are told of as parts of it. */
  readonly readWhole: (folder: string) => void;
  /** What the tool did not know in this unit: `call of trace_thing() not in view`. */
  readonly unknown: (folder: string) => readonly string[];
  readonly release: () => void;
}
