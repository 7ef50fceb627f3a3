// Where a browser refuses a worker in a worker, explorations run in the thread of the server, and that is said once.
import assert from 'node:assert/strict';
import { loadGrammars } from '../shell/grammars.ts';
import { isRead, startBrowserWorker } from './browser.ts';
import type { BrowserWorker } from './browser.ts';
import type { FromWorker } from './messages.ts';

const sketch = 'name: two\nhandlers:\n  ve:\n    ist: VE\n    ops: [read-info, {clear: ve.busy}, iret]\n  nmi:\n    ist: NMI\n    ops: [{access: user_frame}, iret]\nexpect:\n  - {never: live-frame-overwritten, rule: XR-VE01}\n';

function explored(make: () => BrowserWorker): Promise<{ readonly result: FromWorker; readonly refused: readonly string[] }> {
  const refused: string[] = [];
  return new Promise((resolve, reject) => {
    const start = startBrowserWorker(make, loadGrammars(__dirname), (why) => void refused.push(why));
    const thread = start({
      message: (message) => {
        if (message.kind === 'wanted') thread.post({ kind: 'host-files', answer: { files: message.files.map((file) => ({ file, text: null })), folders: message.folders.map((folder) => ({ folder, names: ['a.xctx-scenario.yaml'], below: [] })) } });
        if (message.kind === 'result' || message.kind === 'failed') {
          thread.terminate();
          resolve({ result: message, refused });
        }
      },
      gone: (reason) => reject(new Error(reason)),
    });
    thread.post({ kind: 'set', file: 'vscode-vfs://host/d/a.xctx-scenario.yaml', text: sketch });
    thread.post({ kind: 'job', id: 1, job: { kind: 'explore', folder: 'vscode-vfs://host/d' }, background: true });
  });
}

describe('the exploration worker in a browser', () => {
  const rules = (message: FromWorker): readonly string[] => (message.kind === 'result' ? message.result.findings.map(({ rule }) => rule) : [message.kind]);

  it('that is refused at once runs in the own thread', async () => {
    const { result, refused } = await explored(() => {
      throw new Error('no worker here');
    });
    assert.deepEqual(refused, ['no worker here']);
    assert.ok(rules(result).includes('guard-cleared-on-rewinding-stack'), rules(result).join());
  });

  it('that fails before it is ready runs in the own thread, with all that it was told', async () => {
    const { result, refused } = await explored(() => {
      const worker: BrowserWorker = { onmessage: null, onerror: null, postMessage: () => undefined, terminate: () => undefined };
      setTimeout(() => worker.onerror?.({ message: 'blocked by the policy of the page' }), 5);
      return worker;
    });
    assert.deepEqual(refused, ['blocked by the policy of the page']);
    assert.ok(rules(result).includes('guard-cleared-on-rewinding-stack'), rules(result).join());
  });

  it('reads everything but what is saved nowhere', () => {
    assert.deepEqual(['/a/b.S', 'vscode-vfs://host/a.S', 'vscode-remote://host/a.S', 'untitled:/a.S', 'untitled:a', 'include/linux/kconfig.h'].map(isRead), [true, true, true, false, false, false]);
  });
});
