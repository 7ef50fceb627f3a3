// Wires the features to a connection: every request is answered, every handler's error is caught and logged, and what
// arrives before the review is ready waits in order.
import { CodeLensRefreshRequest, DiagnosticSeverity, DidChangeConfigurationNotification, DidChangeWatchedFilesNotification, MessageType, RenameRequest, ShowMessageNotification, TextDocumentSyncKind } from 'vscode-languageserver/node';
import type { CancellationToken, ClientCapabilities, CodeAction, CodeLens, Connection, Diagnostic, Hover, InitializeParams, InitializeResult } from 'vscode-languageserver/node';
import type { ConfigurationChoice, Review } from '../core/review-types.ts';
import type { HostWorkspace } from '../worker/disk.ts';
import { createOwner } from '../worker/owner.ts';
import type { StartWorker } from '../worker/owner.ts';
import type { ToWorker } from '../worker/messages.ts';
import { actionsAt } from './actions.ts';
import { createBehind } from './behind.ts';
import type { Behind } from './behind.ts';
import { diagnosticOf, fileNotice, findingKeys } from './diagnostics.ts';
import type { DiagnosticAbilities } from './diagnostics.ts';
import { offsetOf, reviewedText } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import type { EntryFiles } from './entry-files.ts';
import { createWorkspaceDefinitions } from './workspace-definitions.ts';
import { assemblerDocuments, inactiveDiagnostics, linksIn, referencesTo, renameRange, renameTo, semanticTokensOf, tokenLegend, workspaceSymbolsFor } from './editing.ts';
import { expansionChoices, expansionView } from './expansion.ts';
import { createLenses, raiseActions, raiseEvents } from './events.ts';
import { createFunctionContexts, incomingCalls, outgoingCalls, prepareHierarchy } from './hierarchy.ts';
import type { FunctionContexts } from './hierarchy.ts';
import { hoverAt } from './hover.ts';
import { createKernelContexts } from './kernel-contexts.ts';
import type { KernelContexts } from './kernel-contexts.ts';
import { completionsAt, definitionsAt, foldsOf, symbolsOf } from './navigation.ts';
import { pathOfUri } from './paths.ts';
import { defaultSettings, methods } from './protocol.ts';
import type { CompareParams, ExpansionChoice, ExpansionChoiceParams, ExpansionParams, ExpansionView, HostFilesParams, RaiseParams, RuleEntry, RulePageParams, RunParams, RunResult, ScenariosParams, Settings, StatusParams, TraceParams, TraceView } from './protocol.ts';
import { compareDesigns, listScenarios, locateIn, runScenario } from './runs.ts';
import type { RunParts } from './runs.ts';
import { createSession } from './session.ts';
import type { Session } from './session.ts';
import { readSettings } from './settings.ts';
import { viewOfFinding } from './views.ts';

export interface ServerParts {
  readonly createReview: () => Promise<Review>;
  readonly startWorker: StartWorker;
  readonly workspace: Pick<HostWorkspace, 'give' | 'forget'>;
  readonly findEntryFiles: EntryFiles;
  /** Milliseconds without a word from a busy worker after which it is restarted. */
  readonly patience: number;
  readonly version: string;
}

interface Abilities extends DiagnosticAbilities {
  /** Diagnostics are asked for, and the client can be told to ask again. */
  readonly pull: boolean;
  readonly watchFiles: boolean;
  readonly configuration: boolean;
  /** Renaming can be offered for some documents only. */
  readonly registerRename: boolean;
  readonly commands: boolean;
  readonly status: boolean;
  readonly refreshLenses: boolean;
}

const watched = ['**/*.{S,s,c,h,inc}', '**/*.xctx-scenario.{yaml,yml,json}', '**/.xctx.yaml', '**/.config'];

export function serve(connection: Connection, parts: ServerParts): void {
  let abilities = abilitiesOf({}, undefined);
  let settings: Settings = defaultSettings;
  let folders: readonly string[] = [];
  const lenses = createLenses();
  const definitions = createWorkspaceDefinitions();
  const hostFiles = new Map<string, string>();
  const pushed = new Set<string>();
  let refreshQueued = false;
  let startWith: (() => void) | null = null;
  let ofKernel: KernelContexts | null = null;
  let ofFunctions: FunctionContexts | null = null;

  const log = (message: string): void => connection.console.error(message);
  const started = new Promise<void>((resolve) => {
    startWith = resolve;
  });
  let owner: Behind | null = null;
  // Grammars load while the client still introduces itself.
  const creating = parts.createReview();
  creating.catch(() => undefined);
  /** null where the review could not be created; the server stays alive and says so once. */
  const ready: Promise<Session | null> = started.then(() => creating).then(beginSession, (error: unknown) => {
    log(messageOf(error));
    const message = `Entrycheck cannot review anything: ${messageOf(error).split('\n', 1)[0] ?? ''}`;
    send(() => connection.sendNotification(ShowMessageNotification.type, { type: MessageType.Error, message }));
    return null;
  });

  function beginSession(review: Review): Session {
    const made: Behind = createBehind(createOwner({ start: parts.startWorker, snapshot, log, patience: parts.patience }));
    owner = made;
    review.configure(choiceOf(settings));
    const session: Session = createSession(review, made, { changed: (files, cause) => publish(session, files, cause), status, log, forget: parts.workspace.forget }, clock, settings);
    function snapshot(): readonly ToWorker[] {
      return [
        { kind: 'limit', maxStates: settings.maxStates },
        { kind: 'configuration', choice: choiceOf(settings) },
        { kind: 'host-files', files: [...hostFiles].map(([file, text]) => ({ file, text })) },
        ...session.documents().map((document) => ({ kind: 'set', file: document.file, text: made.heldText(document.file) ?? reviewedText(document) }) as const),
      ];
    }
    return session;
  }

  /** A client that is gone can be told nothing: the transport throws or rejects then, and the server is about to end. */
  function send(work: () => Promise<void>): void {
    new Promise<void>((resolve) => resolve(work())).catch(() => undefined);
  }

  function status(now: StatusParams): void {
    if (abilities.status) send(() => connection.sendNotification(methods.status, now));
  }

  function diagnosticsOf(session: Session, file: string): Diagnostic[] {
    const { findings, notices } = session.findings(file);
    const document = session.document(session.locator.uri(file));
    const keys = findingKeys(findings);
    return [
      ...notices.map((notice) => fileNotice(notice, DiagnosticSeverity.Warning)),
      ...findings.map((finding) => diagnosticOf(finding, keys.get(finding) ?? finding.rule, session.locator, abilities)),
      ...(document === null || document.refusal !== null || !abilities.tags ? [] : inactiveDiagnostics(session.review, document)),
    ];
  }

  /** Clients that pull ask for open files themselves after an edit; what exploration adds they must be told to ask for. */
  function publish(session: Session, files: readonly string[], cause: 'edit' | 'explored'): void {
    for (const file of files) {
      const uri = session.locator.uri(file);
      const document = session.document(uri);
      if (abilities.pull && document !== null) {
        if (pushed.delete(uri)) send(() => connection.sendDiagnostics({ uri, diagnostics: [] }));
        continue;
      }
      const diagnostics = diagnosticsOf(session, file);
      if (document === null && diagnostics.length === 0 && !pushed.has(uri)) continue;
      if (diagnostics.length === 0) pushed.delete(uri);
      else pushed.add(uri);
      send(() => connection.sendDiagnostics({ uri, diagnostics, ...(document === null ? {} : { version: document.version }) }));
    }
    if (abilities.pull && cause === 'explored' && !refreshQueued) {
      refreshQueued = true;
      setImmediate(() => {
        refreshQueued = false;
        send(() => connection.languages.diagnostics.refresh());
      });
    }
    if (cause === 'explored' && abilities.refreshLenses) send(() => connection.sendRequest(CodeLensRefreshRequest.type));
  }

  /** Runs a handler on the session; its error is logged and the request answered with `otherwise`. */
  async function answer<T>(name: string, otherwise: T, work: (session: Session) => T | Promise<T>): Promise<T> {
    const session = await ready;
    if (session === null) return otherwise;
    try {
      return await work(session);
    } catch (error) {
      log(`${name}: ${messageOf(error)}`);
      return otherwise;
    }
  }

  function onDocument<T>(name: string, otherwise: T, uri: string, work: (session: Session, document: OpenDocument) => T | Promise<T>): Promise<T> {
    return answer(name, otherwise, (session) => {
      const document = session.document(uri);
      return document === null || document.refusal !== null ? otherwise : work(session, document);
    });
  }

  connection.onInitialize((params): InitializeResult => {
    abilities = abilitiesOf(params.capabilities, params.initializationOptions);
    settings = readSettings(params.initializationOptions, defaultSettings);
    folders = foldersOf(params);
    startWith?.();
    return {
      serverInfo: { name: 'entrycheck', version: parts.version },
      capabilities: {
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
        codeActionProvider: { codeActionKinds: ['quickfix', 'refactor'] },
        ...(abilities.commands ? { codeLensProvider: { resolveProvider: false } } : {}),
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
        ...(abilities.pull ? { diagnosticProvider: { identifier: 'entrycheck', interFileDependencies: true, workspaceDiagnostics: false } } : {}),
      },
    };
  });

  connection.onInitialized(() => {
    const register = (work: Promise<unknown>): void => void work.then(undefined, (error: unknown) => log(`registration: ${messageOf(error)}`));
    if (abilities.watchFiles) {
      register(connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: watched.map((globPattern) => ({ globPattern })) }));
    }
    if (abilities.registerRename) register(connection.client.register(RenameRequest.type, { documentSelector: assemblerDocuments, prepareProvider: true }));
    if (abilities.configuration) {
      register(connection.client.register(DidChangeConfigurationNotification.type, { section: 'entrycheck' }));
      register(applySettings());
    }
  });

  async function applySettings(): Promise<void> {
    if (!abilities.configuration) return;
    const read = readSettings(await connection.workspace.getConfiguration('entrycheck'), settings);
    if (JSON.stringify(read) === JSON.stringify(settings)) return;
    const configured = JSON.stringify(choiceOf(read)) !== JSON.stringify(choiceOf(settings));
    settings = read;
    await answer('settings', undefined, (session) => {
      session.settings(read);
      owner?.tell({ kind: 'limit', maxStates: read.maxStates });
      if (configured) {
        session.review.configure(choiceOf(read));
        owner?.tell({ kind: 'configuration', choice: choiceOf(read) });
      }
      session.restart();
    });
  }

  connection.onDidChangeConfiguration(() => void applySettings().then(undefined, (error: unknown) => log(`settings: ${messageOf(error)}`)));
  connection.onNotification('workspace/didChangeWorkspaceFolders', (params: { readonly event: { readonly added: readonly { readonly uri: string }[]; readonly removed: readonly { readonly uri: string }[] } }) => {
    const removed = new Set(params.event.removed.map(({ uri }) => pathOfUri(uri)));
    folders = [...folders.filter((folder) => !removed.has(folder)), ...params.event.added.map(({ uri }) => pathOfUri(uri))];
  });

  connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => answer('didOpen', undefined, (session) => session.open(uri, languageId, version, text)));
  connection.onDidChangeTextDocument(({ textDocument, contentChanges }) => answer('didChange', undefined, (session) => session.change(textDocument.uri, textDocument.version, contentChanges)));
  connection.onDidCloseTextDocument(({ textDocument }) => answer('didClose', undefined, (session) => session.close(textDocument.uri)));
  connection.onDidSaveTextDocument(({ textDocument }) => answer('didSave', undefined, (session) => session.saved(textDocument.uri)));
  connection.onDidChangeWatchedFiles(({ changes }) => answer('watched files', undefined, (session) => {
    definitions.changed(changes.map(({ uri }) => pathOfUri(uri)));
    session.filesChanged(changes.map(({ uri }) => uri));
  }));

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
    await definitions.ready(session.review, folders);
    return [...workspaceSymbolsFor(session.review, session.locator, query)];
  }));
  connection.languages.semanticTokens.on(({ textDocument }) => onDocument('semantic tokens', { data: [] }, textDocument.uri, (session, document) => semanticTokensOf(session.review, document)));
  connection.onRequest(methods.expansionChoice, ({ uri, line, character }: ExpansionChoiceParams) =>
    onDocument<ExpansionChoice>('expansion', { here: null, symbols: [] }, uri, (session, document) => expansionChoices(session.review, document.file, offsetOf(document.lines, { line, character }))),
  );
  connection.onRequest(methods.expansion, ({ uri, symbol }: ExpansionParams) =>
    answer<ExpansionView | null>('expansion', null, (session) => expansionView(session.review, session.locator, locateIn(session, folders), pathOfUri(uri), symbol)),
  );
  connection.onCodeAction((params) =>
    onDocument<CodeAction[]>('code actions', [], params.textDocument.uri, async (session, document) => [
      ...actionsAt(session.review, session.findings(document.file).findings, session.locator, document, params, abilities),
      ...(abilities.commands ? await raiseActions(partsOf(session), document, params) : []),
    ]),
  );
  connection.onCodeLens(({ textDocument }) =>
    onDocument<CodeLens[]>('lenses', [], textDocument.uri, async (session, document) => (abilities.commands && settings.codeLens ? [...(await lenses.of(partsOf(session), document))] : [])),
  );
  connection.onRequest(methods.raise, (params: RaiseParams, token: CancellationToken) =>
    onDocument<RunResult>('raise', { problem: 'the file is not open, or is not analysed', design: '', runs: [], stopped: null }, params.uri, (session, document) =>
      withProgress(params, 'Raising events', (report) => raiseEvents(partsOf(session), document, params, report, token)),
    ),
  );
  connection.languages.diagnostics.on(({ textDocument }) => answer('diagnostics', { kind: 'full', items: [] }, (session) => ({ kind: 'full', items: diagnosticsOf(session, pathOfUri(textDocument.uri)) })));

  connection.onRequest(methods.scenarios, ({ uri }: ScenariosParams) => answer('scenarios', { problem: unavailable, design: '', scenarios: [] }, (session) => listScenarios(session, uri)));
  connection.onRequest(methods.run, (params: RunParams, token: CancellationToken) =>
    answer('run', { problem: unavailable, design: '', runs: [], stopped: null }, (session) =>
      withProgress(params, 'Running scenarios', (report) => runScenario(partsOf(session), params, report, token)),
    ),
  );
  connection.onRequest(methods.compare, (params: CompareParams, token: CancellationToken) =>
    answer('compare', { rows: [], notes: [unavailable] }, (session) =>
      withProgress(params, 'Comparing designs', (report) => compareDesigns(partsOf(session), parts.findEntryFiles, params, report, token)),
    ),
  );
  connection.onRequest(methods.trace, (params: TraceParams) => answer<readonly TraceView[]>('trace', [], (session) => tracesAt(session, folders, params)));
  connection.onRequest(methods.rules, () => answer<readonly RuleEntry[]>('rules', [], (session) => session.review.rules().map(({ name, id, summary }) => ({ name, id, summary }))));
  connection.onRequest(methods.rulePage, ({ name }: RulePageParams) =>
    answer<string | null>('rule page', null, (session) => session.review.rules().find((rule) => rule.name === name || rule.id === name)?.markdown ?? null),
  );
  connection.onNotification(methods.hostFiles, ({ files }: HostFilesParams) =>
    answer('host files', undefined, (session) => {
      const given = files.map(({ uri, text }) => ({ file: pathOfUri(uri), text }));
      for (const { file, text } of given) hostFiles.set(file, text);
      parts.workspace.give(given);
      for (const { file } of given) session.review.fileChanged(file);
      owner?.tell({ kind: 'host-files', files: given });
      session.restart();
    }),
  );

  connection.onShutdown(() => answer('shutdown', undefined, (session) => session.stop()));

  function kernelContexts(session: Session): KernelContexts {
    return (ofKernel ??= createKernelContexts(session.contexts));
  }

  function functionContexts(session: Session): FunctionContexts {
    return (ofFunctions ??= createFunctionContexts(session.contexts.revision));
  }

  function partsOf(session: Session): RunParts {
    if (owner === null) throw new Error('a run was asked for before the session began');
    return { session, owner, folders };
  }

  async function withProgress<T>(params: { readonly workDoneToken?: string | number }, title: string, work: (report: (message: string) => void) => Promise<T>): Promise<T> {
    const progress = connection.window.attachWorkDoneProgress(params.workDoneToken);
    progress.begin(title, undefined, undefined, true);
    try {
      return await work((message) => progress.report(message));
    } finally {
      progress.done();
    }
  }

  connection.listen();
}

const unavailable = 'the review is not available, see the log';

const clock = {
  now: () => performance.now(),
  after: (milliseconds: number, next: () => void) => {
    const timer = setTimeout(next, milliseconds);
    return () => clearTimeout(timer);
  },
};

function choiceOf({ configuration, defines }: Settings): ConfigurationChoice {
  return { configuration, defines };
}

/** The witness named by its key, else those at the line, else all of the file. */
function tracesAt(session: Session, folders: readonly string[], { uri, key, line }: TraceParams): readonly TraceView[] {
  const file = pathOfUri(uri);
  const { findings } = session.findings(file);
  const keys = findingKeys(findings);
  const traced = findings.filter((finding) => finding.trace !== null);
  const named = traced.filter((finding) => key !== null && keys.get(finding) === key);
  const here = traced.filter((finding) => {
    const range = session.locator.viewRange(finding.place);
    return range.startLine <= line && line <= range.endLine;
  });
  const chosen = [named, here, traced].find((candidates) => candidates.length > 0) ?? [];
  const locate = locateIn(session, folders);
  return chosen.map((finding) => viewOfFinding(finding, session.review.unitOf(file)?.name ?? '', session.locator, locate));
}

function abilitiesOf(capabilities: ClientCapabilities, options: unknown): Abilities {
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
  };
}

function foldersOf(params: InitializeParams): readonly string[] {
  const uris = params.workspaceFolders?.map((folder) => folder.uri) ?? [];
  return uris.map(pathOfUri);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
