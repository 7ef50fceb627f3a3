// References, renaming, links, symbols of the workspace and semantic tokens: answers of the review in the shapes of the
// protocol. Knows no connection.
import { ErrorCodes, ResponseError } from 'vscode-languageserver';
import type { DocumentLink, DocumentSelector, Location, Range, SemanticTokens, WorkspaceEdit, WorkspaceSymbol } from 'vscode-languageserver/node';
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver';
import type { Diagnostic } from 'vscode-languageserver/node';
import type { Renaming, Review } from '../core/review-types.ts';
import { rangeOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { source } from './diagnostics.ts';
import type { Locator } from './locate.ts';
import { symbolKind } from './navigation.ts';
import { uriOfPath } from './paths.ts';

/** Documents that nobody else knows: in C, other extensions rename and colour. */
export const assemblerDocuments: DocumentSelector = [{ language: 'gas-x86' }, { pattern: '**/*.S' }, { pattern: '**/*.s' }];

export const tokenLegend = { tokenTypes: ['macro', 'label', 'parameter'], tokenModifiers: ['definition'] };

export function referencesTo(review: Review, locator: Locator, document: OpenDocument, offset: number, withDefinition: boolean): readonly Location[] {
  const definitions = withDefinition ? [] : review.definition(document.file, offset);
  const found = review.references(document.file, offset).filter((place) => !definitions.some((one) => one.file === place.file && one.span.start === place.span.start));
  return found.map((place) => locator.location(place));
}

/** The range that is renamed; a refusal is the request's error, which editors show. */
export function renameRange(review: Review, document: OpenDocument, offset: number): { readonly range: Range; readonly placeholder: string } | ResponseError<void> {
  const renaming = review.rename(document.file, offset, null);
  return renaming.kind === 'refused' ? refusal(renaming) : { range: rangeOf(document.lines, renaming.span), placeholder: renaming.name };
}

export function renameTo(review: Review, locator: Locator, document: OpenDocument, offset: number, newName: string): WorkspaceEdit | ResponseError<void> {
  const renaming = review.rename(document.file, offset, newName);
  if (renaming.kind === 'refused') return refusal(renaming);
  const changes: Record<string, { range: Range; newText: string }[]> = {};
  for (const { place, newText } of renaming.edits) {
    const { uri, range } = locator.location(place);
    (changes[uri] ??= []).push({ range, newText });
  }
  return { changes };
}

function refusal({ reason }: Extract<Renaming, { readonly kind: 'refused' }>): ResponseError<void> {
  return new ResponseError(ErrorCodes.InvalidRequest, reason);
}

export function linksIn(review: Review, document: OpenDocument): readonly DocumentLink[] {
  return review.links(document.file).map(({ span, target }) => ({ range: rangeOf(document.lines, span), target: uriOfPath(target) }));
}

export function workspaceSymbolsFor(review: Review, locator: Locator, query: string): readonly WorkspaceSymbol[] {
  return review.workspaceSymbols(query).map((entry) => ({ name: entry.name, kind: symbolKind(entry.kind), containerName: entry.container, location: locator.location(entry.place) }));
}

export function semanticTokensOf(review: Review, document: OpenDocument): SemanticTokens {
  const data: number[] = [];
  let line = 0;
  let character = 0;
  for (const { span, kind, definition } of review.semanticTokens(document.file)) {
    const { start, end } = rangeOf(document.lines, span);
    if (end.line !== start.line || end.character === start.character) continue;
    data.push(start.line - line, start.line === line ? start.character - character : start.character, end.character - start.character, tokenLegend.tokenTypes.indexOf(kind), definition ? 1 : 0);
    line = start.line;
    character = start.character;
  }
  return { data };
}

/** Faded by the editor: text that the configuration leaves out. The lines of the conditionals themselves stay as they are. */
export function inactiveDiagnostics(review: Review, document: OpenDocument): readonly Diagnostic[] {
  const spans = review.inactive(document.file);
  if (spans.length === 0) return [];
  const message = `left out in configuration ${review.configurationOf(document.file)}`;
  return spans.flatMap((span) => {
    const own = document.text.slice(span.start, span.end);
    const start = span.start + (own.length - own.trimStart().length);
    const end = span.start + own.trimEnd().length;
    if (end <= start) return [];
    return [{ range: rangeOf(document.lines, { start, end }), severity: DiagnosticSeverity.Hint, source, code: 'inactive', message, tags: [DiagnosticTag.Unnecessary] }];
  });
}
