// What the review answers of words and symbols: each question with the scope of its file and, where it has one, the unit.
import type { EditorReview, HoverText } from '../editor-types.ts';
import { createDefinitionIndex } from '../syntax/definition-index.ts';
import { acceptedAt } from './accepted.ts';
import { hoverAsBefore } from './as-before.ts';
import { codeSymbols, expansionOfSymbol, symbolAt } from './editor-expansion.ts';
import { definitionsAt, linksOf, referencesAt, workspaceSymbolsOf } from './editor-navigate.ts';
import { renamingAt } from './editor-rename.ts';
import type { Scope } from './editor-scope.ts';
import { inactiveOf, tokensOf } from './editor-tokens.ts';
import { nameAt } from './editor-words.ts';
import { completionsOf, foldsOf, hoverOf, symbolsOf } from './editor.ts';
import type { FrontEnd } from './front-end.ts';
import type { Scopes } from './scopes.ts';
import type { LinkedUnit } from './unit.ts';
import type { Units } from './units.ts';

/** Open files that symbols of the workspace are looked for in. */
const OPEN_SCOPES = 12;

export function createEditorReview({ documents, texts, streams, outline }: FrontEnd, units: Units, scopes: Scopes): EditorReview {
  const definitions = createDefinitionIndex();

  /** What is asked of a scope; `otherwise` where a file has none. */
  function inScope<T>(file: string, otherwise: T, answer: (scope: Scope) => T): T {
    const scope = scopes.of(file);
    return scope === null ? otherwise : answer(scope);
  }

  const linkedOf = (file: string): LinkedUnit | null => units.edited(file)?.linked ?? null;

  function hoverAt(file: string, offset: number): HoverText | null {
    const text = texts.read(file);
    if (text === null) return null;
    const { root } = streams.chosen(file);
    const known = root === null ? null : acceptedAt(file, file.slice(root.length), text, offset, outline);
    const word = hoverOfCode(file, text, offset) ?? inScope<HoverText | null>(file, null, (scope) => hoverOf(linkedOf(file), scope, offset));
    return known === null || word === null ? (known ?? word) : { markdown: `${known.markdown}\n\n---\n\n${word.markdown}`, span: word.span };
  }

  /** Where nothing but comments was edited since a file was read, the rest means what it meant and is not read again. */
  function hoverOfCode(file: string, text: string, offset: number): HoverText | null {
    const scope = scopes.ofCode(file);
    if (scope === undefined || scope.text === text) return null;
    if (scope.root !== null) return text.includes('xctx:') ? null : hoverAsBefore(scope, null, text, offset);
    const linked = units.ofCode(file)?.linked;
    return linked?.reads.get(file) === scope.text ? hoverAsBefore(scope, linked, text, offset) : null;
  }

  return {
    hover: hoverAt,
    complete: (file, offset) => inScope(file, [], (scope) => completionsOf(linkedOf(file), scope, offset)),
    symbols: (file) => {
      const text = texts.read(file);
      return text === null ? [] : symbolsOf(linkedOf(file), file, documents.items(file), text);
    },
    folds: (file) => (texts.read(file) === null ? [] : foldsOf(documents.items(file))),
    definition: (file, offset) => inScope(file, [], (scope) => definitionsAt(scope, offset)),
    references: (file, offset) => inScope(file, [], (scope) => referencesAt(scope, offset)),
    rename: (file, offset, newName) => {
      const scope = scopes.of(file);
      return scope === null ? { kind: 'refused', reason: 'this file is not analysed' } : renamingAt(scope, offset, newName, documents.parse);
    },
    links: (file) => inScope(file, [], linksOf),
    semanticTokens: (file) => inScope(file, [], tokensOf),
    inactive: (file) => {
      const text = texts.read(file);
      return text === null ? [] : inactiveOf(file, text, streams);
    },
    workspaceSymbols: (query) => workspaceSymbolsOf(documents.opened().slice(0, OPEN_SCOPES).flatMap((file) => scopes.of(file) ?? []), definitions, query),
    indexDefinitions: (file, text) => (text === null ? definitions.remove(file) : definitions.update(file, text)),
    symbolAt: (file, offset) => outline.at(file, offset)?.name ?? null,
    expansion: (file, symbol) => inScope(file, null, (scope) => expansionOfSymbol(scope, symbol)),
    expansions: (file) => {
      const stream = scopes.of(file)?.own[0]?.stream ?? null;
      return stream === null ? [] : codeSymbols(stream);
    },
    expansionAt: (file, offset) => inScope(file, null, (scope) => symbolAt(scope, file, offset, nameAt(file, scope.text, offset)?.word ?? null)),
  };
}
