// The server's script for browsers as it is built, run with what a browser's worker has and nothing of Node: it says of a
// design that the editor reads for it what the server on Node says of the disk.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createReview } from '../core/review.ts';
import type { Finding } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import type { BrowserStart } from './browser-start.ts';
import { methods } from './protocol.ts';
import type { ReadParams, ReadResult } from './read-protocol.ts';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

const script = (function find(folder: string): string {
  const at = join(folder, 'browser-server.js');
  return existsSync(at) ? at : find(dirname(folder));
})(__dirname);

/** What a worker of a browser has, made of what a thread of Node has; the rest of Node is gone before the script runs. */
const scope = `
  const { parentPort, Worker, workerData } = require('node:worker_threads');
  const { runInThisContext } = require('node:vm');
  let listener = null;
  const define = (name, value) => Object.defineProperty(globalThis, name, value);
  define('self', { value: globalThis });
  define('onmessage', { get: () => listener, set: (next) => { listener = next; } });
  define('postMessage', { value: (data) => parentPort.postMessage(data) });
  define('addEventListener', { value: () => undefined });
  define('Worker', { value: class {
    constructor() {
      this.thread = new Worker(workerData.scope, { eval: true, workerData });
      this.thread.on('message', (data) => this.onmessage({ data }));
      this.thread.on('error', (error) => this.onerror({ message: String(error) }));
    }
    postMessage(data) { this.thread.postMessage(data); }
    terminate() { void this.thread.terminate(); }
  } });
  parentPort.on('message', (data) => listener({ data }));
  for (const name of ['process', 'Buffer', 'setImmediate', 'clearImmediate', 'global', 'require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[name];
  runInThisContext(workerData.script);
`;

function startWorker(receive: (data: unknown) => void): Worker {
  const worker = new Worker(scope, { eval: true, workerData: { scope, script: readFileSync(script, 'utf8') } });
  worker.on('message', receive);
  return worker;
}

/** The findings that the server publishes of a file, as the editor at `base` reads the disk for it. */
async function published(base: string, name: string, fits: (rules: readonly string[]) => boolean): Promise<{ readonly rules: readonly string[]; readonly asked: readonly string[]; readonly related: number }> {
  const folder = process.cwd();
  const onDisk = (uri: string): string => folder + uri.slice(base.length);
  const asked: string[] = [];
  return new Promise((resolve, reject) => {
    const end = (how: () => void): void => {
      clearTimeout(late);
      void worker.terminate().then(how);
    };
    const late = setTimeout(() => end(() => reject(new Error(`no such findings; asked for ${asked.join('\n')}`))), 30_000);
    const worker = startWorker((data) => {
      const message = data as Message;
      if (message.method === methods.read) worker.postMessage({ jsonrpc: '2.0', id: message.id, result: answer(message.params as ReadParams) });
      else if (message.method === 'textDocument/publishDiagnostics') {
        const { uri, diagnostics } = message.params as { readonly uri: string; readonly diagnostics: readonly { readonly code: string; readonly relatedInformation?: readonly unknown[] }[] };
        const rules = diagnostics.map(({ code }) => code);
        if (uri !== base + name || !fits(rules)) return;
        end(() => resolve({ rules, asked, related: diagnostics.reduce((sum, { relatedInformation }) => sum + (relatedInformation?.length ?? 0), 0) }));
      } else if (message.id !== undefined && message.method !== undefined) worker.postMessage({ jsonrpc: '2.0', id: message.id, result: null });
      else if (message.id === 1) {
        worker.postMessage({ jsonrpc: '2.0', method: 'initialized', params: {} });
        worker.postMessage({ jsonrpc: '2.0', method: 'textDocument/didOpen', params: { textDocument: { uri: base + name, languageId: 'c', version: 1, text: readFileSync(onDisk(base + name), 'utf8') } } });
      }
    });
    worker.on('error', (error) => end(() => reject(error)));
    const start: BrowserStart = { role: 'server', script: '', grammars: loadGrammars(__dirname) };
    worker.postMessage(start);
    const capabilities = { textDocument: { publishDiagnostics: { relatedInformation: true } } };
    worker.postMessage({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { processId: null, rootUri: null, workspaceFolders: [{ uri: base, name: 'tree' }], capabilities, initializationOptions: { client: 'entrycheck', readsFiles: true } } });
  });

  function answer({ files, folders }: ReadParams): ReadResult {
    asked.push(...files, ...folders);
    const parents = [...new Set([...folders, ...files.map((file) => file.slice(0, file.lastIndexOf('/')))])];
    const entries = parents.map((uri) => ({ uri, entries: existsSync(onDisk(uri)) ? readdirSync(onDisk(uri), { withFileTypes: true }) : [] }));
    return {
      files: files.map((uri) => ({ uri, text: existsSync(onDisk(uri)) ? readFileSync(onDisk(uri), 'utf8') : null })),
      folders: entries.map((folder) => ({ uri: folder.uri, names: folder.entries.filter((entry) => entry.isFile()).map((entry) => entry.name), below: folder.entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name) })),
    };
  }
}

describe('the server for browsers', () => {
  const name = '/test-fixtures/designs/clear-on-ist-early/design.c';

  it('finds in a design of a repository what is found on a disk, with its trace, and reads no more than it needs', async () => {
    const review = await createReview(loadGrammars(__dirname), createNodeWorkspace(process.cwd()), null);
    const folder = dirname(name).slice(1);
    const exploration = review.explore(folder);
    while (exploration?.run(10_000).done === false);
    const findings: readonly Finding[] = [...review.findings(folder, exploration?.reports() ?? []), ...review.quickFindings(name.slice(1))];
    const wanted = findings.filter(({ place }) => place.file === name.slice(1)).map(({ rule }) => rule).sort();
    assert.ok(wanted.length > 0);
    const { rules, asked, related } = await published('vscode-vfs://github/o/r', name, (all) => wanted.every((rule) => all.includes(rule)));
    assert.deepEqual([...rules].sort(), wanted);
    assert.ok(related > 2, `${related} steps`);
    assert.ok(asked.every((uri) => uri.startsWith('vscode-vfs://github/o/r/')), asked.join('\n'));
    assert.equal(new Set(asked).size, asked.length, 'nothing is asked for twice');
  });

  it('holds nothing of Node', () => {
    const text = readFileSync(script, 'utf8');
    assert.deepEqual([...text.matchAll(/\brequire\(\s*["'](?!\.)[^"']*["']|["']node:[^"']*["']/g)].map(([found]) => found), []);
  });
});
