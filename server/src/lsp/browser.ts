// Start of the language server in a worker of the browser, and of the exploration in a worker of that: one script with two
// roles. Everything that belongs to the browser is bound here.
import { BrowserMessageReader, BrowserMessageWriter, createConnection, ProposedFeatures } from 'vscode-languageserver/browser';
import { createReview } from '../core/review.ts';
import { noFolders } from '../shell/folders.ts';
import { exploreFor, isRead, startBrowserWorker } from '../worker/browser.ts';
import type { BrowserWorker } from '../worker/browser.ts';
import { createHostFiles } from '../worker/host-files.ts';
import type { ToWorker } from '../worker/messages.ts';
import type { BrowserStart } from './browser-start.ts';
import { serve } from './server.ts';

type Port = ConstructorParameters<typeof BrowserMessageReader>[0];

interface WorkerScope {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  readonly postMessage: (message: unknown) => void;
}

declare const self: WorkerScope;
declare const Worker: new (script: string, options: { readonly name: string }) => BrowserWorker;

self.onmessage = ({ data }) => {
  const start = data as BrowserStart;
  if (start.role === 'server') serveHere(start);
  else exploreHere(start);
};

function serveHere({ script, grammars }: BrowserStart): void {
  const workspace = createHostFiles(isRead);
  // What else a port has is not used by them.
  const port = self as unknown as Port;
  const connection = createConnection(ProposedFeatures.all, new BrowserMessageReader(port), new BrowserMessageWriter(port));
  const makeWorker = (): BrowserWorker => {
    const worker = new Worker(script, { name: 'Entrycheck exploration' });
    worker.postMessage({ role: 'worker', script, grammars } satisfies BrowserStart);
    return worker;
  };
  serve(connection, {
    createReview: () => createReview(grammars, workspace, null),
    startWorker: startBrowserWorker(makeWorker, grammars, (why) => connection.console.warn(`this browser runs no worker in a worker (${why}): explorations share the thread of what is typed`)),
    workspace,
    folders: noFolders,
    patience: 30_000,
    version: '0.1.0',
  });
}

function exploreHere({ grammars }: BrowserStart): void {
  const waiting: unknown[] = [];
  self.onmessage = ({ data }) => void waiting.push(data);
  exploreFor({
    post: (message) => self.postMessage(message),
    listen: (receive) => {
      self.onmessage = ({ data }) => receive(data as ToWorker);
      for (const message of waiting.splice(0)) receive(message as ToWorker);
    },
  }, grammars);
}
