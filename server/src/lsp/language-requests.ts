// The requests of the Language Server Protocol that are about a document or the workspace, each handed to its feature.
import type { CodeAction, CodeLens, Connection, Hover, InlayHint } from 'vscode-languageserver/node';
import { actionsAt } from './actions.ts';
import type { Answering } from './answering.ts';
import { offsetOf } from './documents.ts';
import { linksIn, referencesTo, renameRange, renameTo, semanticTokensOf, workspaceSymbolsFor } from './editing.ts';
import { createLenses, raiseActions } from './events.ts';
import { createFunctionContexts, incomingCalls, outgoingCalls, prepareHierarchy } from './hierarchy.ts';
import type { FunctionContexts } from './hierarchy.ts';
import { createHints } from './hints.ts';
import { hoverAt } from './hover.ts';
import { createKernelContexts } from './kernel-contexts.ts';
import type { KernelContexts } from './kernel-contexts.ts';
import { completionsAt, definitionsAt, foldsOf, symbolsOf } from './navigation.ts';
import { pathOfUri } from './paths.ts';
import type { Publishing } from './publishing.ts';
import type { Session } from './session.ts';
import type { WorkspaceDefinitions } from './workspace-definitions.ts';

export function answerLanguageRequests(connection: Connection, { answer, onDocument, partsOf, folders, abilities, settings }: Answering, publishing: Publishing, definitions: WorkspaceDefinitions): void {
  const lenses = createLenses();
  const hints = createHints();
  let ofKernel: KernelContexts | null = null;
  let ofFunctions: FunctionContexts | null = null;

  connection.onHover(({ textDocument, position }) =>
    onDocument<Hover | null>('hover', null, textDocument.uri, async (session, document) => {
      const offset = offsetOf(document.lines, position);
      const context = session.review.inKernelTree(document.file) ? await kernelContexts(session).at(partsOf(session).owner, document, offset) : session.review.contextAt(document.file, offset);
      return hoverAt(session.review, session.locator, document, offset, context, await functionContexts(session).at(partsOf(session).owner, document, offset));
    }),
  );
  connection.onCompletion(({ textDocument, position }) => onDocument('completion', [], textDocument.uri, (session, document) => [...completionsAt(session.review, document, offsetOf(document.lines, position))]));
  connection.onDocumentSymbol(({ textDocument }) => onDocument('symbols', [], textDocument.uri, (session, document) => [...symbolsOf(session.review, document)]));
  connection.onFoldingRanges(({ textDocument }) => onDocument('folding', [], textDocument.uri, (session, document) => [...foldsOf(session.review, document)]));
  connection.onDefinition(({ textDocument, position }) => onDocument('definition', [], textDocument.uri, (session, document) => [...definitionsAt(session.review, session.locator, document, offsetOf(document.lines, position))]));
  connection.onReferences(({ textDocument, position, context }) =>
    onDocument('references', [], textDocument.uri, (session, document) => [...referencesTo(session.review, session.locator, document, offsetOf(document.lines, position), context.includeDeclaration)]),
  );
  connection.languages.callHierarchy.onPrepare(({ textDocument, position }) =>
    onDocument('call hierarchy', null, textDocument.uri, (session, document) => prepareHierarchy(partsOf(session).owner, session.locator, document, offsetOf(document.lines, position))),
  );
  connection.languages.callHierarchy.onIncomingCalls(({ item }) => answer('incoming calls', [], (session) => incomingCalls(partsOf(session).owner, session.locator, item)));
  connection.languages.callHierarchy.onOutgoingCalls(({ item }) => answer('outgoing calls', [], (session) => outgoingCalls(partsOf(session).owner, session.locator, item, pathOfUri(item.uri))));
  connection.onPrepareRename(({ textDocument, position }) => onDocument('rename', null, textDocument.uri, (session, document) => renameRange(session.review, document, offsetOf(document.lines, position))));
  connection.onRenameRequest(({ textDocument, position, newName }) =>
    onDocument('rename', null, textDocument.uri, (session, document) => renameTo(session.review, session.locator, document, offsetOf(document.lines, position), newName)),
  );
  connection.onDocumentLinks(({ textDocument }) => onDocument('links', [], textDocument.uri, (session, document) => [...linksIn(session.review, document)]));
  connection.onWorkspaceSymbol(({ query }) => answer('workspace symbols', [], async (session) => {
    await definitions.ready(session.review, folders());
    return [...workspaceSymbolsFor(session.review, session.locator, query)];
  }));
  connection.languages.semanticTokens.on(({ textDocument }) => onDocument('semantic tokens', { data: [] }, textDocument.uri, (session, document) => semanticTokensOf(session.review, document)));
  connection.onCodeAction((params) =>
    onDocument<CodeAction[]>('code actions', [], params.textDocument.uri, async (session, document) => [
      ...actionsAt(session.review, session.findings(document.file).findings, session.locator, document, params, abilities()),
      ...(abilities().commands ? await raiseActions(partsOf(session), document, params) : []),
    ]),
  );
  connection.onCodeLens(({ textDocument }) =>
    onDocument<CodeLens[]>('lenses', [], textDocument.uri, async (session, document) => (abilities().commands && settings().codeLens ? [...(await lenses.of(partsOf(session), document))] : [])),
  );
  connection.languages.inlayHint.on(({ textDocument, range }) =>
    onDocument<InlayHint[] | null>('hints', null, textDocument.uri, async (session, document) => (settings().inlayHints ? [...(await hints.of(partsOf(session), document, range))] : [])),
  );
  connection.languages.diagnostics.on(({ textDocument }) => answer('diagnostics', { kind: 'full', items: [] }, (session) => ({ kind: 'full', items: publishing.of(session, pathOfUri(textDocument.uri)) })));

  function kernelContexts(session: Session): KernelContexts {
    return (ofKernel ??= createKernelContexts(session.contexts));
  }

  function functionContexts(session: Session): FunctionContexts {
    return (ofFunctions ??= createFunctionContexts(session.contexts.revision));
  }
}
