// The server of one connection: its review, its settings and folders, and the documents that the client tells of. What
// arrives before the review is ready waits in order.
import { DidChangeConfigurationNotification, DidChangeWatchedFilesNotification, MessageType, RenameRequest, ShowMessageNotification } from 'vscode-languageserver';
import type { Connection, InitializeParams, InitializeResult } from 'vscode-languageserver/node';
import type { ConfigurationChoice, Review } from '../core/review-types.ts';
import type { Folders } from '../shell/folders.ts';
import type { HostAnswer, HostPaths, HostWorkspace } from '../worker/host-files.ts';
import type { ToWorker } from '../worker/messages.ts';
import { createOwner } from '../worker/owner.ts';
import type { StartWorker } from '../worker/owner.ts';
import { abilitiesOf, capabilitiesFor } from './abilities.ts';
import { answeringWhole, createAnswering, messageOf } from './answering.ts';
import { createBehind } from './behind.ts';
import type { Behind } from './behind.ts';
import { wallClock } from './clock.ts';
import { reviewedText } from './documents.ts';
import { assemblerDocuments } from './editing.ts';
import { findEntryFiles } from './entry-files.ts';
import { askHost, withHostFolders } from './host-folders.ts';
import { answerLanguageRequests } from './language-requests.ts';
import { answerOwnRequests } from './own-requests.ts';
import { folderOf, pathOfUri } from './paths.ts';
import { defaultSettings, methods } from './protocol.ts';
import type { Settings, StatusParams } from './protocol.ts';
import { createPublishing, send } from './publishing.ts';
import { createReading } from './reading.ts';
import { createSession } from './session.ts';
import type { Session } from './session.ts';
import { readSettings } from './settings.ts';
import { wholeFindings } from './whole-findings.ts';
import { createWorkspaceDefinitions } from './workspace-definitions.ts';

export interface ServerParts {
  readonly createReview: () => Promise<Review>;
  readonly startWorker: StartWorker;
  readonly workspace: HostWorkspace;
  /** Where there is a disk, its folders. */
  readonly folders: Folders;
  /** Milliseconds without a word from a busy worker after which it is restarted. */
  readonly patience: number;
  readonly version: string;
}

const watched = ['**/*.{S,s,c,h,inc}', '**/*.xctx-scenario.{yaml,yml,json}', '**/.xctx.yaml', '**/.config'];

export function serve(connection: Connection, parts: ServerParts): void {
  let abilities = abilitiesOf({}, undefined);
  let settings: Settings = defaultSettings;
  let folders: readonly string[] = [];
  const ask = (paths: HostPaths): Promise<HostAnswer> => (abilities.readsFiles ? askHost(connection, paths) : Promise.resolve({ files: [], folders: [] }));
  const walked = withHostFolders(parts.folders, parts.workspace.isVirtual, ask);
  const definitions = createWorkspaceDefinitions(walked);
  const publishing = createPublishing(connection, () => abilities);
  let startWith: (() => void) | null = null;

  const log = (message: string): void => connection.console.error(message);
  const started = new Promise<void>((resolve) => {
    startWith = resolve;
  });
  let owner: Behind | null = null;
  let begun: Session | null = null;
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
    const made: Behind = createBehind(createOwner({ start: parts.startWorker, snapshot, log, wanted: reading.want, patience: parts.patience }));
    owner = made;
    review.configure(choiceOf(settings));
    const session: Session = createSession(wholeFindings(review, reading.isWaiting), made, { changed: (files, cause) => publishing.publish(session, files, cause), status, log, forget: parts.workspace.forget }, wallClock, settings);
    function snapshot(): readonly ToWorker[] {
      return [
        { kind: 'limit', maxStates: settings.maxStates },
        { kind: 'configuration', choice: choiceOf(settings) },
        { kind: 'host-files', answer: parts.workspace.given() },
        ...session.documents().map((document) => ({ kind: 'set', file: document.file, text: made.heldText(document.file) ?? reviewedText(document) }) as const),
      ];
    }
    begun = session;
    return session;
  }

  /** What is still being read was not explored. */
  function status(now: StatusParams): void {
    const told: StatusParams = reading.isWaiting() && now.state !== 'failed' ? { ...now, state: 'exploring' } : now;
    if (abilities.status) send(() => connection.sendNotification(methods.status, told));
  }

  const opened = new Set<string>();
  const reading = createReading(parts.workspace, {
    ask,
    roots: () => [...folders, ...opened],
    given: (answer) => {
      for (const path of [...answer.files.map(({ file }) => file), ...answer.folders.map(({ folder }) => folder)]) begun?.review.fileChanged(path);
      owner?.tell({ kind: 'host-files', answer });
    },
    whole: () => begun?.restart(),
    log,
    say: (message) => send(() => connection.sendNotification(ShowMessageNotification.type, { type: MessageType.Warning, message })),
  });
  /** What arrives waits for it: the review takes the files that are in a folder for all that there are. */
  let foldersKnown = Promise.resolve();

  function folderOfOpened(file: string): void {
    const folder = folderOf(file);
    opened.add(folder);
    const before = foldersKnown;
    if (parts.workspace.isVirtual(file)) foldersKnown = ready.then(() => before).then(() => reading.folder(folder));
  }

  const answering = createAnswering({ ready: () => ready.then((session) => foldersKnown.then(() => session)), owner: () => owner, log }, { folders: () => folders, abilities: () => abilities, settings: () => settings });
  const { answer } = answering;

  connection.onInitialize((params): InitializeResult => {
    abilities = abilitiesOf(params.capabilities, params.initializationOptions);
    settings = readSettings(params.initializationOptions, defaultSettings);
    folders = foldersOf(params);
    startWith?.();
    return {
      serverInfo: { name: 'entrycheck', version: parts.version },
      capabilities: capabilitiesFor(abilities),
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

  connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => {
    folderOfOpened(pathOfUri(uri));
    return answer('didOpen', undefined, (session) => session.open(uri, languageId, version, text));
  });
  connection.onDidChangeTextDocument(({ textDocument, contentChanges }) => answer('didChange', undefined, (session) => session.change(textDocument.uri, textDocument.version, contentChanges)));
  connection.onDidCloseTextDocument(({ textDocument }) => answer('didClose', undefined, (session) => session.close(textDocument.uri)));
  connection.onDidSaveTextDocument(({ textDocument }) => answer('didSave', undefined, (session) => session.saved(textDocument.uri)));
  connection.onDidChangeWatchedFiles(({ changes }) => answer('watched files', undefined, (session) => {
    definitions.changed(changes.map(({ uri }) => pathOfUri(uri)));
    session.filesChanged(changes.map(({ uri }) => uri));
  }));

  const whole = answeringWhole(answering, reading);
  answerLanguageRequests(connection, whole, publishing, definitions);
  answerOwnRequests(connection, whole, (among) => findEntryFiles(walked, among));

  connection.onShutdown(() => answer('shutdown', undefined, (session) => session.stop()));

  connection.listen();
}

function choiceOf({ configuration, defines }: Settings): ConfigurationChoice {
  return { configuration, defines };
}

function foldersOf(params: InitializeParams): readonly string[] {
  const uris = params.workspaceFolders?.map((folder) => folder.uri) ?? [];
  return uris.map(pathOfUri);
}
