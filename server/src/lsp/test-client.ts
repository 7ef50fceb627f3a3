// A language client for tests: speaks to a server in the same process over streams, collects what the server sends and
// waits for what a test expects.
import { PassThrough } from 'node:stream';
import { createConnection, createProtocolConnection, ProposedFeatures, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import type { ClientCapabilities, Diagnostic, ProtocolConnection, PublishDiagnosticsParams, Range } from 'vscode-languageserver/node';
import { serve } from './server.ts';
import type { ServerParts } from './server.ts';

export interface TestClient {
  readonly connection: ProtocolConnection;
  /** The bytes that the server reads, for malformed input. */
  readonly wire: PassThrough;
  readonly errors: readonly string[];
  readonly initialize: (capabilities: ClientCapabilities, options: object) => Promise<unknown>;
  readonly open: (uri: string, text: string) => Promise<void>;
  readonly edit: (uri: string, version: number, range: Range, text: string) => Promise<void>;
  /** Resolves with the first diagnostics of the file, past or to come, that fit. */
  readonly diagnostics: (uri: string, fits: (diagnostics: readonly Diagnostic[]) => boolean) => Promise<readonly Diagnostic[]>;
  readonly latest: (uri: string) => readonly Diagnostic[];
  readonly stop: () => Promise<void>;
}

export const fullClient: ClientCapabilities = {
  textDocument: { publishDiagnostics: { relatedInformation: true, codeDescriptionSupport: true, tagSupport: { valueSet: [1, 2] } } },
};

const patience = 15_000;

export function connectClient(parts: ServerParts): TestClient {
  const wire = new PassThrough();
  const back = new PassThrough();
  serve(createConnection(ProposedFeatures.all, new StreamMessageReader(wire), new StreamMessageWriter(back)), parts);
  const connection = createProtocolConnection(new StreamMessageReader(back), new StreamMessageWriter(wire));
  const published = new Map<string, readonly Diagnostic[]>();
  const waiting = new Set<() => void>();
  const errors: string[] = [];
  connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }: PublishDiagnosticsParams) => {
    published.set(uri, diagnostics);
    for (const check of waiting) check();
  });
  connection.onNotification('window/logMessage', ({ message }: { readonly message: string }) => void errors.push(message));
  connection.onNotification('window/showMessage', ({ message }: { readonly message: string }) => void errors.push(message));
  connection.onRequest('client/registerCapability', () => null);
  connection.listen();

  return {
    connection,
    wire,
    errors,
    initialize: async (capabilities, options) => {
      const result: unknown = await connection.sendRequest('initialize', { processId: null, rootUri: null, workspaceFolders: null, capabilities, initializationOptions: options });
      await connection.sendNotification('initialized', {});
      return result;
    },
    open: (uri, text) => connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'gas-x86', version: 1, text } }),
    edit: (uri, version, range, text) => connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ range, text }] }),
    diagnostics: (uri, fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`no such diagnostics of ${uri}; the last were ${JSON.stringify(published.get(uri))}; ${errors.join('\n')}`));
        }, patience);
        const check = (): void => {
          const diagnostics = published.get(uri);
          if (diagnostics === undefined || !fits(diagnostics)) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(diagnostics);
        };
        waiting.add(check);
        check();
      }),
    latest: (uri) => published.get(uri) ?? [],
    stop: async () => {
      await connection.sendRequest('shutdown');
      connection.dispose();
      wire.destroy();
      back.destroy();
    },
  };
}
