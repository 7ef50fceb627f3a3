// What the client says that it can do, and what the server offers to such a client.
import { TextDocumentSyncKind } from 'vscode-languageserver';
import type { ClientCapabilities, ServerCapabilities } from 'vscode-languageserver/node';
import type { DiagnosticAbilities } from './diagnostics.ts';
import { assemblerDocuments, tokenLegend } from './editing.ts';

export interface Abilities extends DiagnosticAbilities {
  /** Diagnostics are asked for, and the client can be told to ask again. */
  readonly pull: boolean;
  readonly watchFiles: boolean;
  readonly configuration: boolean;
  /** Renaming can be offered for some documents only. */
  readonly registerRename: boolean;
  readonly commands: boolean;
  readonly status: boolean;
  readonly refreshLenses: boolean;
  readonly refreshHints: boolean;
  /** The client reads what the server cannot: virtual workspaces, and in a browser all. */
  readonly readsFiles: boolean;
}

export function abilitiesOf(capabilities: ClientCapabilities, options: unknown): Abilities {
  const own = typeof options === 'object' && options !== null && 'client' in options && options.client === 'entrycheck';
  const publish = capabilities.textDocument?.publishDiagnostics;
  return {
    relatedInformation: publish?.relatedInformation === true,
    codeDescription: own && publish?.codeDescriptionSupport === true,
    tags: publish?.tagSupport !== undefined,
    pull: capabilities.textDocument?.diagnostic !== undefined && capabilities.workspace?.diagnostics?.refreshSupport === true,
    watchFiles: capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
    configuration: capabilities.workspace?.configuration === true,
    registerRename: capabilities.textDocument?.rename?.dynamicRegistration === true,
    commands: own,
    status: own,
    refreshLenses: own && capabilities.workspace?.codeLens?.refreshSupport === true,
    refreshHints: capabilities.workspace?.inlayHint?.refreshSupport === true,
    readsFiles: own && 'readsFiles' in options && options.readsFiles === true,
  };
}

export function capabilitiesFor(abilities: Abilities): ServerCapabilities {
  return {
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
    hoverProvider: true,
    completionProvider: { triggerCharacters: [':', ' ', '=', ',', '%', '.'] },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    definitionProvider: true,
    referencesProvider: true,
    workspaceSymbolProvider: true,
    callHierarchyProvider: true,
    documentLinkProvider: { resolveProvider: false },
    ...(abilities.registerRename ? {} : { renameProvider: { prepareProvider: true } }),
    semanticTokensProvider: { legend: tokenLegend, full: true, documentSelector: assemblerDocuments },
    inlayHintProvider: { resolveProvider: false, documentSelector: assemblerDocuments },
    codeActionProvider: { codeActionKinds: ['quickfix', 'refactor'] },
    ...(abilities.commands ? { codeLensProvider: { resolveProvider: false } } : {}),
    workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    ...(abilities.pull ? { diagnosticProvider: { identifier: 'entrycheck', interFileDependencies: true, workspaceDiagnostics: false } } : {}),
  };
}
