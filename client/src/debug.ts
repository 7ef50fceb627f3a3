// The debugger's side in the extension: what a launch is made of where nobody wrote one, and the sessions themselves,
// whose messages go to the adapter in the language server.
import { DebugAdapterInlineImplementation, Disposable, EventEmitter, debug, window, workspace } from 'vscode';
import type { DebugAdapter, DebugConfiguration, DebugConfigurationProvider, DebugProtocolMessage, WorkspaceFolder } from 'vscode';
import { State } from 'vscode-languageclient';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { debugType, methods } from '../../server/src/lsp/protocol.ts';
import type { DebugMessage, ReplayKey, TraceView } from '../../server/src/lsp/protocol.ts';
import { activeUri, chooseScenario } from './asking.ts';

export function registerDebugging(client: BaseLanguageClient): Disposable {
  const sessions = new Map<string, (message: DebugMessage['message']) => void>();
  return Disposable.from(
    debug.registerDebugAdapterDescriptorFactory(debugType, {
      createDebugAdapterDescriptor: ({ id }) => new DebugAdapterInlineImplementation(createAdapter(client, id, sessions)),
    }),
    debug.registerDebugConfigurationProvider(debugType, configurations(client)),
    client.onNotification(methods.debugMessage, ({ session, message }: DebugMessage) => sessions.get(session)?.(message)),
    // A server that is gone answers nothing: its sessions end where they are.
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) for (const send of sessions.values()) send({ seq: 0, type: 'event', event: 'terminated' });
    }),
  );
}

/** Messages of one session, which the server answers in their order. */
function createAdapter(client: BaseLanguageClient, session: string, sessions: Map<string, (message: DebugMessage['message']) => void>): DebugAdapter {
  const sent = new EventEmitter<DebugProtocolMessage>();
  sessions.set(session, (message) => sent.fire(message));
  return {
    onDidSendMessage: sent.event,
    handleMessage: (message) => {
      client.sendNotification(methods.debugMessage, { session, message }).catch((error: unknown) => client.error('debug session', error));
    },
    dispose: () => {
      sessions.delete(session);
      sent.dispose();
      client.sendNotification(methods.debugEnd, { session }).catch(() => undefined);
    },
  };
}

function configurations(client: BaseLanguageClient): DebugConfigurationProvider {
  return {
    /** Without a launch.json the design of the active editor, with a scenario that is asked for. */
    resolveDebugConfiguration: async (_folder: WorkspaceFolder | undefined, given: DebugConfiguration): Promise<DebugConfiguration | undefined> => {
      if (isComplete(given)) return given;
      const uri = textOf(given['program']) ?? activeUri();
      if (uri === null) return undefined;
      const scenario = textOf(given['scenario']) ?? (await chooseScenario(client, uri));
      return scenario === null ? undefined : { ...given, ...named(scenario), program: uri, scenario };
    },
  };
}

function isComplete(given: DebugConfiguration): boolean {
  return textOf(given['file']) !== null || given['choices'] !== undefined || (textOf(given['program']) !== null && textOf(given['scenario']) !== null);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function named(name: string): Pick<DebugConfiguration, 'type' | 'request' | 'name'> {
  return { type: debugType, request: 'launch', name: `Entrycheck: ${name}` };
}

/** A trace that is given, else that of the finding at the cursor, else that of a scenario which is asked for. */
export async function debugTrace(client: BaseLanguageClient, given: ReplayKey | null): Promise<void> {
  const key = given ?? (await chooseTrace(client));
  if (key === 'dismissed') return;
  if (key !== null) return start(nameOf(key), key);
  const uri = activeUri();
  const scenario = uri === null ? null : await chooseScenario(client, uri);
  if (uri !== null && scenario !== null) await start(scenario, { program: uri, scenario });
}

async function chooseTrace(client: BaseLanguageClient): Promise<ReplayKey | null | 'dismissed'> {
  const editor = window.activeTextEditor;
  if (editor === undefined) return null;
  const line = editor.selection.active.line;
  const found = await client.sendRequest<readonly TraceView[]>(methods.trace, { uri: editor.document.uri.toString(), key: null, line });
  const items = found.flatMap(({ replay, message, rule, scenario, start: from }) => (replay === undefined ? [] : [{ label: rule ?? scenario, description: `${scenario} from ${from}`, detail: message ?? '', replay }]));
  if (items.length < 2) return items[0]?.replay ?? null;
  const chosen = await window.showQuickPick(items, { placeHolder: 'Trace to replay in the debugger', matchOnDescription: true, matchOnDetail: true });
  return chosen?.replay ?? 'dismissed';
}

function nameOf(key: ReplayKey): string {
  return 'file' in key ? key.rule : key.scenario;
}

async function start(name: string, attributes: object): Promise<void> {
  const folder = workspace.workspaceFolders?.[0];
  await debug.startDebugging(folder, { ...named(name), ...attributes });
}
