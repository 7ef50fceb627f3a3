// Requests and notifications of Entrycheck beside those of LSP, shared by server and client: names and plain shapes.
// Must import nothing at run time, so that the client's bundle holds no part of the server.

export interface ViewRange {
  readonly uri: string;
  readonly startLine: number;
  readonly startCharacter: number;
  readonly endLine: number;
  readonly endCharacter: number;
}

export interface ViewStep {
  readonly title: string;
  readonly at: ViewRange | null;
  readonly symbol: string;
  /** Live frames, outermost first. */
  readonly lane: readonly string[];
  readonly changed: readonly { readonly field: string; readonly from: string; readonly to: string }[];
  /** Machine steps merged into this one. */
  readonly merged: number;
}

export type ViewVerdict = 'holds' | 'violated' | 'vacuous' | 'inconclusive';

/** How the replay of a trace is launched in the debugger: the attributes of a configuration of type `entrycheck`. */
export type ReplayKey =
  | { readonly program: string; readonly scenario: string; readonly start: string; readonly choices: readonly number[]; readonly message: string; readonly rule: string }
  | { readonly file: string; readonly line: number; readonly rule: string; readonly key?: string };

/** One run of one scenario, or the witness of one finding: what the trace panel shows. */
export interface TraceView {
  /** The design and the scenario, or the rule's message. */
  readonly title: string;
  readonly rule: string | null;
  readonly message: string | null;
  readonly design: string;
  readonly scenario: string;
  readonly start: string;
  readonly verdict: ViewVerdict | null;
  readonly states: number | null;
  readonly transitions: number | null;
  readonly depth: number | null;
  readonly variant: readonly string[];
  readonly bounds: readonly string[];
  readonly boundsHit: readonly string[];
  /** What a run that holds says beyond its bounds. */
  readonly beyond: readonly string[];
  readonly assumptions: readonly string[];
  readonly remarks: readonly string[];
  readonly steps: readonly ViewStep[];
  /** The same as text of at most 72 columns, ready for a mail. */
  readonly text: string;
  /** Missing where the debugger has nothing to replay. */
  readonly replay?: ReplayKey;
}

export interface ScenarioEntry {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  /** Written in the workspace, not built in. */
  readonly own: boolean;
}

export interface ScenariosParams {
  readonly uri: string;
}

export interface ScenariosResult {
  /** Why there is none, or null. */
  readonly problem: string | null;
  readonly design: string;
  readonly scenarios: readonly ScenarioEntry[];
}

export interface RunParams {
  readonly uri: string;
  /** null for all scenarios of the unit. */
  readonly scenario: string | null;
  readonly workDoneToken?: string | number;
}

export interface RunResult {
  readonly problem: string | null;
  readonly design: string;
  readonly runs: readonly TraceView[];
  /** Why exploration ended before it was complete, or null. */
  readonly stopped: string | null;
}

/** A scenario as a test of the Test Explorer. */
export interface TestEntry {
  readonly scenario: string;
  readonly title: string;
  /** That of a known bug awaits that the bug shows. */
  readonly knownBug: boolean;
  /** Where a file writes it; null for a built-in one. */
  readonly at: ViewRange | null;
}

export interface TestDesign {
  readonly design: string;
  /** Of the folder. */
  readonly uri: string;
  /** A file of the design. */
  readonly file: string;
  readonly tests: readonly TestEntry[];
}

export interface TestsResult {
  readonly designs: readonly TestDesign[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** A scenario file with errors, a server without a review: no outcome. */
export interface TestResult {
  readonly problem: string | null;
  readonly outcome: 'passed' | 'failed' | 'undecided' | null;
  readonly message: string;
  /** Those that decide come first. */
  readonly runs: readonly TraceView[];
}

export interface RaiseParams {
  readonly uri: string;
  readonly line: number;
  readonly character: number;
  /** `NMI`, `#VE`; each but the first arrives in the handler of the one before it. */
  readonly events: readonly string[];
  readonly workDoneToken?: string | number;
}

export interface CompareParams {
  /** Folders of the workspace; empty for those the client opened. */
  readonly folders: readonly string[];
  readonly workDoneToken?: string | number;
}

export interface CompareRow {
  readonly design: string;
  readonly folder: string;
  /** A file of the design to open. */
  readonly uri: string;
  readonly runs: readonly TraceView[];
  readonly stopped: string | null;
}

export interface CompareResult {
  readonly rows: readonly CompareRow[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export interface TraceParams {
  readonly uri: string;
  /** Key of a finding from its diagnostic's `data`, or null for those at the position. */
  readonly key: string | null;
  readonly line: number;
}

export interface RulePageParams {
  readonly name: string;
}

export interface RuleEntry {
  readonly name: string;
  readonly id: string;
  readonly summary: string;
}

export interface ExpansionParams {
  readonly uri: string;
  readonly symbol: string;
}

export interface ExpansionChoiceParams {
  readonly uri: string;
  readonly line: number;
  readonly character: number;
}

/** What can be expanded: the symbol at the cursor, and all of the file. */
export interface ExpansionChoice {
  readonly here: string | null;
  readonly symbols: readonly { readonly symbol: string; readonly detail: string }[];
}

/** An expansion as a text; each line with where it was written, and the use in the file under review that it came through. */
export interface ExpansionView {
  readonly text: string;
  readonly lines: readonly ({ readonly at: ViewRange; readonly use: ViewRange | null } | null)[];
}

/** State of the exploration, for the status bar. */
export interface StatusParams {
  readonly state: 'idle' | 'waiting' | 'exploring' | 'failed';
  readonly states: number;
  readonly depth: number;
  readonly scenario: string;
  /** Findings in the open files. */
  readonly problems: number;
  /** Designs with an open file; where there is none the server has nothing to say. */
  readonly units: number;
  readonly message: string | null;
}

/** A suppression that lacks its reason: `before`, the reason, `after` go in at the start of a line. */
export interface SuppressionDraft {
  readonly rule: string;
  readonly uri: string;
  /** The file does not exist yet. */
  readonly create: boolean;
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** How the reason is to be written. */
  readonly form: 'comment' | 'yaml';
}

/** A message of the Debug Adapter Protocol, to the adapter in the server or from it. */
export interface DebugMessage {
  /** The editor's name of the session. */
  readonly session: string;
  readonly message: { readonly seq: number; readonly type: string; readonly command?: string; readonly [field: string]: unknown };
}

export interface DebugEndParams {
  readonly session: string;
}

export const debugType = 'entrycheck';

export const methods = {
  scenarios: 'entrycheck/scenarios',
  run: 'entrycheck/run',
  tests: 'entrycheck/tests',
  test: 'entrycheck/test',
  raise: 'entrycheck/raise',
  compare: 'entrycheck/compare',
  trace: 'entrycheck/trace',
  rules: 'entrycheck/rules',
  rulePage: 'entrycheck/rulePage',
  status: 'entrycheck/status',
  read: 'entrycheck/read',
  expansion: 'entrycheck/expansion',
  expansionChoice: 'entrycheck/expansionChoice',
  debugMessage: 'entrycheck/debugMessage',
  debugEnd: 'entrycheck/debugEnd',
} as const;

/** Settings of the section `entrycheck`, also accepted as initialization options. */
export interface Settings {
  /** States explored for one unit before exploration is stopped and said to be. */
  readonly maxStates: number;
  readonly exploreOnIdle: boolean;
  /** Lenses that raise events at the first instruction of a stub. */
  readonly codeLens: boolean;
  /** Hints where the context changes. */
  readonly inlayHints: boolean;
  /** A preset or the path of a `.config`; null for that of each file's tree. */
  readonly configuration: string | null;
  /** `NAME` or `NAME=VALUE`. */
  readonly defines: readonly string[];
}

export const defaultSettings: Settings = { maxStates: 2_000_000, exploreOnIdle: true, codeLens: true, inlayHints: true, configuration: null, defines: [] };

/** `entrycheck-rule:/NAME.md`, served by the client. */
export const ruleScheme = 'entrycheck-rule';

/** `entrycheck-expansion:/SYMBOL.S?URI`, served by the client. */
export const expansionScheme = 'entrycheck-expansion';

export function ruleUri(name: string): string {
  return `${ruleScheme}:/${encodeURIComponent(name)}.md`;
}

/** Commands of the client that the server's code actions name. */
export const commands = {
  showTrace: 'entrycheck.showTrace',
  explainRule: 'entrycheck.explainRule',
  raiseHere: 'entrycheck.raiseHere',
  suppress: 'entrycheck.suppress',
  debugTrace: 'entrycheck.debugTrace',
} as const;
