// What the pages of the panels and the extension say to each other, and what a page keeps while it is hidden.
import type { CompareResult, ReplayKey, TraceView, ViewRange } from '../../../server/src/lsp/protocol.ts';

export type ToPage =
  | { readonly kind: 'show'; readonly runs: readonly TraceView[]; readonly stopped: string | null; readonly selected: number }
  | { readonly kind: 'compare'; readonly result: CompareResult }
  /** The cursor of the editor moved. */
  | { readonly kind: 'cursor'; readonly uri: string; readonly line: number };

export type FromPage =
  | { readonly kind: 'ready' }
  /** `focus`: the editor takes the keyboard; else the page keeps it. */
  | { readonly kind: 'jump'; readonly at: ViewRange; readonly focus: boolean }
  | { readonly kind: 'copy'; readonly text: string }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'debug'; readonly replay: ReplayKey }
  | { readonly kind: 'open'; readonly uri: string }
  | { readonly kind: 'run'; readonly row: number; readonly run: number };

export interface TraceState {
  readonly kind: 'trace';
  readonly runs: readonly TraceView[];
  readonly stopped: string | null;
  readonly run: number;
  readonly step: number;
  readonly filter: string;
  readonly follow: boolean;
  readonly onlyChanges: boolean;
}

export interface CompareState {
  readonly kind: 'compare';
  readonly result: CompareResult;
}
