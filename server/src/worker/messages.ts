// What server and worker say to each other: the same text edits that the server's review gets, jobs, and results whose
// traces are replay keys only. Both sides compile against this file; nothing here runs.
import type { Span } from '../core/base/span.ts';
import type { ConfigurationChoice, ContextChange, EventRun, Finding, HierarchyCall, HierarchyItem, KnownContext, Progress, RunReport, TextEdit } from '../core/review-types.ts';
import type { HostAnswer } from './host-files.ts';

export type Job =
  /** Everything for the diagnostics of a unit. */
  | { readonly kind: 'explore'; readonly folder: string }
  /** `beyond`: what holds within the bounds is explored for any number of events as well. */
  | { readonly kind: 'run'; readonly folder: string; readonly scenario: string; readonly beyond: boolean }
  | Question;

/** What is answered from the entry paths that the worker has explored: the server explores none itself. */
export type Question =
  /** Contexts at an offset, as far as they are known now. */
  | { readonly kind: 'context'; readonly folder: string; readonly file: string; readonly offset: number }
  /** Where contexts change in a span, as far as they are known now. */
  | { readonly kind: 'changes'; readonly folder: string; readonly file: string; readonly span: Span }
  /** Events that may arrive at the first reached instruction of each text, as far as is known now. */
  | { readonly kind: 'entries'; readonly folder: string; readonly file: string; readonly spans: readonly Span[] }
  | { readonly kind: 'events'; readonly folder: string; readonly file: string; readonly offset: number }
  /** Events raised at an offset, when all that leads there is explored. */
  | { readonly kind: 'raise'; readonly folder: string; readonly file: string; readonly offset: number; readonly events: readonly string[] }
  | { readonly kind: 'hierarchy'; readonly folder: string; readonly file: string; readonly offset: number }
  /** Callers or callees of an item, when what they rest on is explored. */
  | { readonly kind: 'calls'; readonly folder: string; readonly file: string; readonly key: string; readonly direction: 'incoming' | 'outgoing' };

export type Answer =
  | { readonly kind: 'context'; readonly known: KnownContext | null }
  /** null where nothing is known yet. */
  | { readonly kind: 'changes'; readonly changes: readonly ContextChange[] | null }
  | { readonly kind: 'entries'; readonly entries: readonly ({ readonly offset: number; readonly events: readonly string[] } | null)[] }
  | { readonly kind: 'events'; readonly events: readonly string[] | null }
  | { readonly kind: 'raise'; readonly run: EventRun | null }
  | { readonly kind: 'hierarchy'; readonly item: HierarchyItem | null }
  | { readonly kind: 'calls'; readonly calls: readonly HierarchyCall[] };

export type ToWorker =
  | { readonly kind: 'set'; readonly file: string; readonly text: string }
  | { readonly kind: 'edit'; readonly file: string; readonly edits: readonly TextEdit[] }
  | { readonly kind: 'close'; readonly file: string }
  | { readonly kind: 'changed'; readonly file: string }
  /** What the editor read of a virtual workspace. */
  | { readonly kind: 'host-files'; readonly answer: HostAnswer }
  | { readonly kind: 'configuration'; readonly choice: ConfigurationChoice }
  | { readonly kind: 'limit'; readonly maxStates: number }
  | { readonly kind: 'job'; readonly id: number; readonly job: Job; readonly background: boolean }
  | { readonly kind: 'cancel'; readonly id: number };

/** Reports and findings with traces that hold choices and no steps. */
export interface JobResult {
  readonly reports: readonly RunReport[];
  readonly findings: readonly Finding[];
  readonly milliseconds: number;
  /** Whether the unit says which code handles which event. */
  readonly entries: boolean;
  /** Why exploration ended before it was complete, or null. */
  readonly stopped: string | null;
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** Files and folders of a virtual workspace that jobs wait for. */
  | { readonly kind: 'wanted'; readonly files: readonly string[]; readonly folders: readonly string[] }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress; readonly perSecond: number }
  /** Findings of the runs that are complete, while others go on; sent when there are more of them. */
  | { readonly kind: 'partial'; readonly id: number; readonly findings: readonly Finding[] }
  | { readonly kind: 'result'; readonly id: number; readonly result: JobResult }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'cancelled'; readonly id: number }
  /** There is no such unit or scenario. */
  | { readonly kind: 'absent'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
