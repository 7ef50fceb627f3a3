// A small language client over stdio, the same for every server: requests, notifications, and when diagnostics of a
// document arrived.
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { peakMemory } from './measure.ts';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly initializationOptions?: unknown;
}

export interface LanguageClient {
  readonly request: (method: string, params: unknown) => Promise<unknown>;
  readonly notify: (method: string, params: unknown) => void;
  /** The next publication of diagnostics for a document. */
  readonly diagnostics: (uri: string) => Promise<void>;
  /** The next notification of a method for which `wanted` is true. */
  readonly notification: (method: string, wanted: (params: unknown) => boolean) => Promise<unknown>;
  readonly memory: () => number;
  readonly stop: () => Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly method: string;
  readonly wanted: (params: unknown) => boolean;
  readonly resolve: (params: unknown) => void;
}

export function startClient(server: ServerCommand, cwd: string): LanguageClient {
  const child = spawn(server.command, [...server.args], { cwd, env: { ...process.env, ...server.env }, stdio: ['pipe', 'pipe', 'pipe'] }) as ChildProcessWithoutNullStreams;
  const pending = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  let waiting: Waiting[] = [];
  let complaints = '';
  let next = 1;
  let ended: Error | null = null;
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = `${complaints}${chunk.toString()}`.slice(-2000);
  });
  const ends = (why: string): void => {
    ended = new Error(`${server.command} ${why}: ${complaints}`);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  child.on('error', (error) => ends(error.message));
  child.on('exit', (code) => ends(`ended with ${code}`));

  function send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  function receive(message: Message): void {
    if (message.method === undefined) {
      const request = pending.get(message.id ?? 0);
      pending.delete(message.id ?? 0);
      if (message.error !== undefined) request?.reject(new Error(message.error.message));
      else request?.resolve(message.result);
      return;
    }
    // Whatever a server asks for, it gets nothing.
    if (message.id !== undefined) send({ id: message.id, result: message.method === 'workspace/configuration' ? ((message.params as { readonly items: readonly unknown[] }).items ?? []).map(() => null) : null });
    const { method, params } = message;
    const served = waiting.filter((one) => one.method === method && one.wanted(params));
    waiting = waiting.filter((one) => !served.includes(one));
    for (const one of served) one.resolve(params);
  }

  let buffered: Buffer = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    for (;;) {
      const end = buffered.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(buffered.toString('latin1', 0, end))?.[1] ?? 0);
      if (buffered.length < end + 4 + length) return;
      const text = buffered.toString('utf8', end + 4, end + 4 + length);
      buffered = buffered.subarray(end + 4 + length);
      receive(JSON.parse(text) as Message);
    }
  });

  const request = (method: string, params: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== null) {
        reject(ended);
        return;
      }
      const id = next;
      next += 1;
      pending.set(id, { resolve, reject });
      send({ id, method, params });
    });

  const notification = (method: string, wanted: (params: unknown) => boolean): Promise<unknown> => new Promise((resolve) => waiting.push({ method, wanted, resolve }));
  return {
    request,
    notify: (method, params) => send({ method, params }),
    diagnostics: async (uri) => {
      await notification('textDocument/publishDiagnostics', (params) => (params as { readonly uri: string }).uri === uri);
    },
    notification,
    memory: () => peakMemory(child.pid ?? 0),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      await request('shutdown', null).catch(() => null);
      send({ method: 'exit' });
      const killed = setTimeout(() => child.kill('SIGKILL'), 3000);
      await gone;
      clearTimeout(killed);
    },
  };
}

/** What an ordinary editor says of itself. */
export function initializeParams(root: string, options: unknown): object {
  const uri = pathToFileURL(root).href;
  return {
    processId: process.pid,
    clientInfo: { name: 'bench' },
    rootUri: uri,
    workspaceFolders: [{ uri, name: 'bench' }],
    initializationOptions: options ?? {},
    capabilities: {
      workspace: { configuration: true, workspaceFolders: true, didChangeConfiguration: {}, didChangeWatchedFiles: { dynamicRegistration: true } },
      window: { workDoneProgress: true },
      textDocument: {
        synchronization: { didSave: true },
        publishDiagnostics: { relatedInformation: true, versionSupport: true },
        hover: { contentFormat: ['markdown', 'plaintext'] },
        definition: { linkSupport: true },
        documentSymbol: { hierarchicalDocumentSymbolSupport: true },
      },
    },
  };
}
