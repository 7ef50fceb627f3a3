// What an editor shows of a text besides findings and contexts: words, symbols, places, expansions.
import type { Origin, Place, Span } from './base/span.ts';

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

/** What the review answers of words and symbols. */
export interface EditorReview {
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
  /** Symbols of the open files, what they include, their units and the indexed files whose names hold the characters of the query in order. */
  readonly workspaceSymbols: (query: string) => readonly WorkspaceSymbolEntry[];
  /** Takes note of what a file of the workspace defines, by its text alone; null where it is gone. */
  readonly indexDefinitions: (file: string, text: string | null) => void;
  /** The function or symbol that an offset lies in, null outside of all. */
  readonly symbolAt: (file: string, offset: number) => string | null;
  /** The stream of a symbol, or null where there is none in view of the file. */
  readonly expansion: (file: string, symbol: string) => Expansion | null;
  /** Symbols of the file that have an expansion. */
  readonly expansions: (file: string) => readonly ExpansionEntry[];
  /** The symbol whose code, name or making macro is at an offset. */
  readonly expansionAt: (file: string, offset: number) => string | null;
}
