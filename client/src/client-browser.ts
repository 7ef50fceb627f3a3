// The server as a worker of the browser. It may load nothing itself, so it is handed its own script and the grammars as
// the editor reads them.
import { Uri, workspace } from 'vscode';
import type { ExtensionContext } from 'vscode';
import { BrowserMessageReader, BrowserMessageWriter, LanguageClient } from 'vscode-languageclient/browser';
import type { BrowserStart } from '../../server/src/lsp/browser-start.ts';
import { clientOptions } from './client.ts';

export function createClient(context: ExtensionContext): LanguageClient {
  let running: { readonly worker: Worker; readonly script: string } | null = null;
  /** With its script, by which it starts the exploration too. */
  function end(): void {
    running?.worker.terminate();
    if (running !== null) URL.revokeObjectURL(running.script);
    running = null;
  }

  const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await workspace.fs.readFile(Uri.joinPath(context.extensionUri, 'dist', name)));
  const client = new LanguageClient(
    'entrycheck',
    'Entrycheck',
    async () => {
      end();
      const [program, core, gas, c] = await Promise.all(['browser-server.js', 'web-tree-sitter.wasm', 'tree-sitter-gas.wasm', 'tree-sitter-c.wasm'].map(read));
      if (program === undefined || core === undefined || gas === undefined || c === undefined) throw new Error('the extension is not whole');
      // The worker of an extension that is served from elsewhere may not be loaded by its address.
      const script = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
      const worker = new Worker(script, { name: 'Entrycheck' });
      running = { worker, script };
      const start: BrowserStart = { role: 'server', script, grammars: { core, gas, c } };
      worker.postMessage(start);
      return { reader: new BrowserMessageReader(worker), writer: new BrowserMessageWriter(worker) };
    },
    clientOptions(),
  );
  context.subscriptions.push({ dispose: end });
  return client;
}
