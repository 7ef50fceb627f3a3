// Debug sessions through the language server, with the real review and the worker in a thread: the replay is that of the
// text as it is edited. The file is its own worker script.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort } from 'node:worker_threads';
import { URI } from 'vscode-uri';
import type { Diagnostic } from 'vscode-languageserver/node';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { noFolders } from '../shell/folders.ts';
import { createWorkspace } from '../worker/disk.ts';
import { startThread, threadPort } from '../worker/start.ts';
import { serveEngine } from '../worker/thread.ts';
import { methods } from './protocol.ts';
import type { DebugMessage, TraceView } from './protocol.ts';
import { connectClient, fullClient } from './test-client.ts';
import type { TestClient } from './test-client.ts';

const workspace = createWorkspace();
const review = async (): Promise<Review> => createReview(loadGrammars(__dirname), workspace, { name: 'default', defines: new Map(), includePaths: [] });

const path = `${process.cwd()}/test-fixtures/designs/clear-on-ist-early/design.c`;
const uri = URI.file(path).toString();
const rule = 'guard-cleared-on-rewinding-stack';

if (isMainThread) describeSessions();
else if (parentPort !== null) serveEngine(threadPort(parentPort), review, workspace, null);

interface Answer {
  readonly type?: string;
  readonly event?: string;
  readonly command?: string;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: { readonly reason?: string; readonly stackFrames?: readonly { readonly name: string; readonly line: number; readonly source?: { readonly path?: string } }[] };
}

function describeSessions(): void {
  describe('a debug session in the language server', () => {
    const text = readFileSync(path, 'utf8');
    let client: TestClient;
    let messages: Answer[];
    let waiting: { readonly name: string; readonly resolve: (answer: Answer) => void }[];
    let seq = 0;

    beforeEach(async () => {
      messages = [];
      waiting = [];
      client = connectClient({ createReview: review, startWorker: startThread(__filename), workspace, folders: noFolders, patience: 20_000, version: '0' });
      client.connection.onNotification(methods.debugMessage, ({ message }: DebugMessage) => {
        messages.push(message as Answer);
        serve();
      });
      await client.initialize(fullClient, { client: 'entrycheck' });
      await client.open(uri, text);
    });
    afterEach(() => client.stop());

    function serve(): void {
      for (const one of waiting.slice()) {
        const at = messages.findIndex(({ type, event, command }) => (type === 'event' ? event : command) === one.name);
        const [found] = at < 0 ? [] : messages.splice(at, 1);
        if (found === undefined) continue;
        waiting.splice(waiting.indexOf(one), 1);
        one.resolve(found);
      }
    }

    function next(name: string): Promise<Answer> {
      return new Promise((resolve) => {
        waiting.push({ name, resolve });
        serve();
      });
    }

    async function ask(command: string, given: object = {}): Promise<Answer> {
      seq += 1;
      await client.connection.sendNotification(methods.debugMessage, { session: 'one', message: { seq, type: 'request', command, arguments: given } });
      return next(command);
    }

    const found = (): Promise<readonly Diagnostic[]> => client.diagnostics(uri, (all) => all.some(({ code }) => code === rule));

    async function endOf(launch: object): Promise<Answer> {
      await ask('initialize', { adapterID: 'entrycheck', pathFormat: 'path' });
      const launched = await ask('launch', launch);
      assert.equal(launched.success, true, launched.message);
      await ask('configurationDone');
      assert.equal((await next('stopped')).body?.reason, 'entry');
      await ask('continue', { threadId: 1 });
      assert.equal((await next('stopped')).body?.reason, 'exception');
      return ask('stackTrace', { threadId: 1 });
    }

    it('replays a scenario that the worker runs', async () => {
      const { body } = await endOf({ program: path, scenario: 've-in-task', start: 'kernel' });
      const frame = body?.stackFrames?.find(({ name }) => name.includes('exc_ve: WRITE_ONCE(ve_count'));
      assert.equal(frame?.source?.path, path);
    });

    it('replays a trace that is shown, by the key of its view', async () => {
      await found();
      const [view] = await client.connection.sendRequest<readonly TraceView[]>(methods.trace, { uri, key: null, line: 0 });
      assert.ok(view?.replay !== undefined && 'file' in view.replay);
      const { body } = await endOf(view.replay);
      assert.ok((body?.stackFrames?.length ?? 0) > 2);
    });

    it('replays the text as it is edited, at its lines', async () => {
      const before = await endOf({ program: path, scenario: 've-in-task', start: 'kernel' });
      await client.edit(uri, 2, { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, '\n\n\n');
      await ask('restart', {});
      assert.equal((await next('stopped')).body?.reason, 'entry');
      await ask('continue', { threadId: 1 });
      await next('stopped');
      const after = await ask('stackTrace', { threadId: 1 });
      const lineIn = ({ body }: Answer): number => body?.stackFrames?.find(({ source }) => source?.path === path)?.line ?? 0;
      assert.equal(lineIn(after), lineIn(before) + 3);
    });

    it('says why there is nothing to replay', async () => {
      await ask('initialize', { adapterID: 'entrycheck' });
      assert.match((await ask('launch', { program: path, scenario: 'no-such-scenario' })).message ?? '', /^there is no scenario 'no-such-scenario' here/);
      assert.match((await ask('launch', { program: `${process.cwd()}/docs/nothing.txt`, scenario: 've-in-task' })).message ?? '', /no assembler, C or scenario file is reviewed there$/);
    });
  });
}
