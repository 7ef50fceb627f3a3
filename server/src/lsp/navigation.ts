// Completion, document symbols, folding and definition: answers of the review in the shapes of the protocol.
import { CompletionItemKind, FoldingRangeKind, InsertTextFormat, SymbolKind } from 'vscode-languageserver';
import type { CompletionItem, DocumentSymbol, FoldingRange, Location } from 'vscode-languageserver/node';
import { unreachable } from '../core/base/unreachable.ts';
import type { CompletionEntry, Review, SymbolEntry, WorkspaceSymbolEntry } from '../core/review-types.ts';
import { rangeOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import type { Locator } from './locate.ts';

export function completionsAt(review: Review, document: OpenDocument, offset: number): readonly CompletionItem[] {
  return review.complete(document.file, offset).map((entry, index) => ({
    label: entry.label,
    kind: completionKind(entry.kind ?? 'keyword'),
    detail: entry.detail,
    documentation: { kind: 'markdown', value: entry.documentation },
    insertTextFormat: InsertTextFormat.PlainText,
    textEdit: { range: rangeOf(document.lines, entry.span), newText: entry.insert },
    filterText: entry.label,
    sortText: String(index).padStart(4, '0'),
  }));
}

function completionKind(kind: NonNullable<CompletionEntry['kind']>): CompletionItemKind {
  switch (kind) {
    case 'keyword':
      return CompletionItemKind.Keyword;
    case 'macro':
      return CompletionItemKind.Constant;
    case 'label':
      return CompletionItemKind.Reference;
    case 'register':
      return CompletionItemKind.Variable;
    case 'instruction':
      return CompletionItemKind.Function;
    default:
      return unreachable(kind);
  }
}

export function symbolsOf(review: Review, document: OpenDocument): readonly DocumentSymbol[] {
  return review.symbols(document.file).map((entry) => symbolOf(document, entry));
}

/** The protocol wants the name inside the whole; a client drops the outline otherwise. */
function symbolOf(document: OpenDocument, entry: SymbolEntry): DocumentSymbol {
  const whole = { start: Math.min(entry.span.start, entry.nameSpan.start), end: Math.max(entry.span.end, entry.nameSpan.end) };
  return {
    name: entry.name === '' ? '(no name)' : entry.name,
    detail: entry.detail,
    kind: symbolKind(entry.kind),
    range: rangeOf(document.lines, whole),
    selectionRange: rangeOf(document.lines, entry.nameSpan),
    children: entry.children.map((child) => symbolOf(document, child)),
  };
}

export function symbolKind(kind: WorkspaceSymbolEntry['kind']): SymbolKind {
  switch (kind) {
    case 'type':
      return SymbolKind.Struct;
    case 'constant':
      return SymbolKind.EnumMember;
    case 'entry':
      return SymbolKind.Event;
    case 'handler':
      return SymbolKind.Interface;
    case 'function':
      return SymbolKind.Function;
    case 'label':
      return SymbolKind.Key;
    case 'macro':
      return SymbolKind.Constant;
    case 'variable':
      return SymbolKind.Variable;
    case 'guard':
      return SymbolKind.Boolean;
    default:
      return unreachable(kind);
  }
}

export function foldsOf(review: Review, document: OpenDocument): readonly FoldingRange[] {
  return review.folds(document.file).flatMap((span) => {
    const range = rangeOf(document.lines, span);
    if (range.end.line <= range.start.line) return [];
    const comment = /^\s*(?:\/\*|\/\/|#\s)/.test(document.text.slice(span.start, span.start + 80));
    return [{ startLine: range.start.line, endLine: range.end.line, ...(comment ? { kind: FoldingRangeKind.Comment } : {}) }];
  });
}

export function definitionsAt(review: Review, locator: Locator, document: OpenDocument, offset: number): readonly Location[] {
  return review.definition(document.file, offset).map((place) => locator.location(place));
}
