// The protocol from outside: a client over streams, the server in this process, the worker in a thread. The file is its
// own worker script, so that the thread runs what the test was built from.
import assert from 'node:assert/strict';
import { isMainThread, parentPort } from 'node:worker_threads';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import type { ClientCapabilities, CodeAction, Diagnostic, Hover } from 'vscode-languageserver/node';
import { noFolders } from '../shell/folders.ts';
import { createWorkspace } from '../worker/disk.ts';
import { startThread, threadPort } from '../worker/start.ts';
import { serveEngine } from '../worker/thread.ts';
import { methods } from './protocol.ts';
import type { CompareResult, RunResult, SuppressionDraft, ScenariosResult, TraceView } from './protocol.ts';
import type { ReadParams, ReadResult } from './read-protocol.ts';
import type { ServerParts } from './server.ts';
import { connectClient, fullClient } from './test-client.ts';
import type { TestClient } from './test-client.ts';
import { createWordReview } from './word-review.ts';

const workspace = createWorkspace();
const uri = 'file:///tree/design/entry.S';

const parts: ServerParts = {
  createReview: async () => createWordReview({ workspace, mortal: false }),
  startWorker: startThread(__filename),
  workspace,
  folders: noFolders,
  patience: 5000,
  version: '0',
};

const has = (rule: string) => (diagnostics: readonly Diagnostic[]) => diagnostics.some(({ code }) => code === rule);
const hasNot = (rule: string) => (diagnostics: readonly Diagnostic[]) => !has(rule)(diagnostics);
const messages = (all: readonly Diagnostic[]): readonly string[] => all.map(({ message }) => (typeof message === 'string' ? message : message.value));
const at = (line: number, from: number, to: number) => ({ start: { line, character: from }, end: { line, character: to } });

if (isMainThread) describeProtocol();
else if (parentPort !== null) serveEngine(threadPort(parentPort), async () => createWordReview({ workspace, mortal: true }), workspace, null);

function describeProtocol(): void {
  describe('language server', () => {
    let client: TestClient;
    const start = async (capabilities: ClientCapabilities = fullClient, options: object = { client: 'entrycheck' }, given: ServerParts = parts): Promise<void> => {
      client = connectClient(given);
      await client.initialize(capabilities, options);
    };
    afterEach(() => client.stop());

    it('publishes what typing finds at once and what exploration finds later, with the trace as related information', async () => {
      await start();
      await client.open(uri, 'entry\n  bad\n  ugly\n');
      await client.diagnostics(uri, (all) => has('bad-word')(all) && !has('ugly-word')(all));
      const all = await client.diagnostics(uri, has('ugly-word'));
      const ugly = all.find(({ code }) => code === 'ugly-word');
      assert.deepEqual(ugly?.range, at(2, 2, 6));
      assert.equal(ugly.codeDescription?.href, 'entrycheck-rule:/ugly-word.md');
      assert.equal(ugly.source, 'entrycheck');
      assert.deepEqual(
        ugly.relatedInformation?.map(({ message, location }) => `${location.range.start.line}: ${message}`),
        [
          '2: trace of walk from user, 2 steps',
          '0: 1. [task > NMI] the walk begins',
          '2: 2. [task > NMI] the word is reached (word: 0 -> 14)',
          '2: assumed: words are visited in order',
        ],
      );
    });

    it('folds the trace into the message for clients without related information', async () => {
      await start({}, {});
      await client.open(uri, 'ugly\n');
      const [ugly] = await client.diagnostics(uri, has('ugly-word'));
      assert.equal(
        ugly?.message,
        'ugly word at 0\n  entry.S:1: trace of walk from user, 2 steps\n  entry.S:1: 1. [task > NMI] the walk begins\n  entry.S:1: 2. [task > NMI] the word is reached (word: 0 -> 0)\n  entry.S:1: assumed: words are visited in order',
      );
      assert.equal(ugly.codeDescription, undefined);
    });

    it('moves explored findings with an edit, drops those whose text was touched, and explores again', async () => {
      await start();
      await client.open(uri, 'ugly\n');
      await client.diagnostics(uri, has('ugly-word'));
      await client.edit(uri, 2, at(0, 0, 0), 'entry\n');
      const moved = await client.diagnostics(uri, (all) => all.some(({ range }) => range.start.line === 1));
      assert.equal(moved[0]?.message, 'ugly word at 0', 'the old finding, moved');
      await client.diagnostics(uri, (all) => all[0]?.message === 'ugly word at 6');
      await client.edit(uri, 3, at(1, 0, 4), '');
      await client.diagnostics(uri, hasNot('ugly-word'));
    });

    it('answers pull diagnostics and asks for a refresh when exploration is done', async () => {
      await start({ textDocument: { ...fullClient.textDocument, diagnostic: {} }, workspace: { diagnostics: { refreshSupport: true } } });
      let refreshed: () => void = () => undefined;
      const refresh = new Promise<void>((resolve) => {
        refreshed = resolve;
      });
      client.connection.onRequest('workspace/diagnostic/refresh', () => {
        refreshed();
        return null;
      });
      await client.open(uri, 'bad ugly\n');
      const pull = () => client.connection.sendRequest<{ readonly items: readonly Diagnostic[] }>('textDocument/diagnostic', { textDocument: { uri } });
      assert.deepEqual((await pull()).items.map(({ code }) => code), ['bad-word']);
      await refresh;
      assert.deepEqual((await pull()).items.map(({ code }) => code), ['bad-word', 'ugly-word']);
      assert.deepEqual(client.latest(uri), [], 'nothing is shown twice');
    });

    it('hovers the context as a table with who can interrupt and the way there', async () => {
      await start();
      await client.open(uri, 'entry\n');
      const hover = await client.connection.sendRequest<Hover>('textDocument/hover', { textDocument: { uri }, position: { line: 0, character: 2 } });
      const text = typeof hover.contents === 'object' && 'value' in hover.contents ? hover.contents.value : '';
      assert.equal(
        text,
        [
          '`entry` in `demo_ve`',
          '',
          '|  | running | stack | GS | CR3 | IF | NMI | live frames | guard ve.busy |',
          '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
          '| 1 | kernel, IF=1 > #VE, CPL 0 | IST VE (rewinds) | kernel | kernel | 0 | no | user > #VE | busy |',
          '',
          '**Can interrupt here:** NMI',
          '',
          '- IRQ cannot: masked: IF is 0',
          '',
          '**The way here:** [entry \\| first](file:///tree/design/entry.S#L1)',
          '',
          '*unknown: needs a linker script*',
        ].join('\n'),
      );
    });

    it('completes, outlines, folds and jumps', async () => {
      await start();
      await client.open(uri, 'entry\nnop\n');
      const params = { textDocument: { uri }, position: { line: 0, character: 5 } };
      const ask = <T>(method: string): Promise<T> => client.connection.sendRequest<T>(method, params);
      assert.deepEqual((await ask<readonly { readonly textEdit: object }[]>('textDocument/completion'))[0]?.textEdit, { range: at(0, 5, 5), newText: 'guard' });
      assert.deepEqual((await ask<readonly { readonly name: string }[]>('textDocument/documentSymbol')).map(({ name }) => name), ['entry']);
      assert.deepEqual(await ask('textDocument/foldingRange'), [{ startLine: 0, endLine: 2 }]);
      assert.deepEqual(await ask('textDocument/definition'), [{ uri, range: at(0, 0, 1) }]);
    });

    it('offers the fix first, then trace and rule, then a suppression in the comment style of the language', async () => {
      await start();
      await client.open(uri, 'entry\n\tbad\n');
      const diagnostics = await client.diagnostics(uri, has('bad-word'));
      const actions = await client.connection.sendRequest<readonly CodeAction[]>('textDocument/codeAction', { textDocument: { uri }, range: at(1, 2, 2), context: { diagnostics } });
      assert.deepEqual(actions.map(({ title }) => title), ['Write good instead', 'Explain rule bad-word', 'Suppress bad-word with a reason', 'Suppress bad-word with a reason, in .xctx.yaml']);
      assert.equal(actions[0]?.isPreferred, true);
      assert.deepEqual(actions[0]?.edit?.changes, { [uri]: [{ range: at(1, 1, 4), newText: 'good' }] });
      const drafts = actions.slice(2).map(({ command }) => command?.arguments?.[0] as SuppressionDraft);
      assert.deepEqual(drafts[0], { rule: 'bad-word', uri, create: false, line: 1, before: '\t/* xctx: allow bad-word -- ', after: ' */\n', form: 'comment' });
      assert.equal(drafts[1]?.uri, uri.replace(/[^/]*$/, '.xctx.yaml'));
      assert.deepEqual([drafts[1].create, drafts[1].line, drafts[1].before, drafts[1].after], [true, 0, 'known:\n  - {rule: bad-word, at: entry.S#*, reason: ', '}\n']);
    });

    it('names no command to clients that have none', async () => {
      await start(fullClient, {});
      await client.open(uri, 'ugly\n');
      const diagnostics = await client.diagnostics(uri, has('ugly-word'));
      const actions = await client.connection.sendRequest<readonly CodeAction[]>('textDocument/codeAction', { textDocument: { uri }, range: at(0, 0, 0), context: { diagnostics } });
      assert.deepEqual(actions.map(({ title }) => title), ['Suppress ugly-word with a reason']);
      assert.deepEqual(actions[0]?.edit?.changes, { [uri]: [{ range: at(0, 0, 0), newText: '/* xctx: allow ugly-word -- reason */\n' }] });
    });

    it('lists and runs scenarios; the steps are replayed from the key', async () => {
      await start();
      await client.open(uri, 'entry ugly\n');
      const listed = await client.connection.sendRequest<ScenariosResult>(methods.scenarios, { uri });
      assert.deepEqual(listed.scenarios, [{ name: 'walk', title: 'Walk over the words', why: 'Every word is visited once', own: false }]);
      const { runs, design } = await client.connection.sendRequest<RunResult>(methods.run, { uri, scenario: 'walk' });
      assert.equal(design, 'design');
      assert.deepEqual(runs.map(({ verdict, states }) => ({ verdict, states })), [{ verdict: 'violated', states: 11 }]);
      assert.deepEqual(runs[0]?.steps.map(({ title, at: place }) => `${place?.startLine ?? '-'} ${title}`), ['0 the walk begins', '0 the word is reached']);
      assert.ok(runs[0]?.text.split('\n').every((line) => line.length <= 72), 'fit for a mail');
      const unknown = await client.connection.sendRequest<RunResult>(methods.run, { uri, scenario: 'stroll' });
      assert.equal(unknown.problem, 'there is no scenario stroll here');
    });

    it('shows the trace of a finding by its key, and of the line under the cursor', async () => {
      await start();
      await client.open(uri, 'ugly\nugly\n');
      const diagnostics = await client.diagnostics(uri, has('ugly-word'));
      const given: unknown = diagnostics[1]?.data;
      assert.deepEqual(given, { key: 'ugly-word: ugly word at 5' });
      const named = await client.connection.sendRequest<readonly TraceView[]>(methods.trace, { uri, key: 'ugly-word: ugly word at 5', line: 0 });
      assert.deepEqual(named.map(({ message }) => message), ['ugly word at 5']);
      const here = await client.connection.sendRequest<readonly TraceView[]>(methods.trace, { uri, key: null, line: 0 });
      assert.deepEqual(here.map(({ message }) => message), ['ugly word at 0']);
    });

    it('reports progress of a long run and cancels it between slices', async () => {
      await start(fullClient, { client: 'entrycheck', maxStates: 1e9 });
      await client.open(uri, 'slow\n');
      const cancel = new CancellationTokenSource();
      const seen: string[] = [];
      client.connection.onNotification('$/progress', ({ value }: { readonly value: { readonly kind: string; readonly message?: string } }) => {
        seen.push(value.message ?? value.kind);
        if (value.kind === 'report') cancel.cancel();
      });
      const result = await client.connection.sendRequest<RunResult>(methods.run, { uri, scenario: 'walk', workDoneToken: 'token' }, cancel.token);
      assert.equal(result.stopped, 'cancelled');
      assert.match(seen.find((text) => text.startsWith('walk')) ?? '', /^walk from user: \d+ states, depth \d+, \d+ a second$/);
    });

    it('stops a run at the limit of states and says so', async () => {
      await start(fullClient, { client: 'entrycheck', maxStates: 50_000 });
      await client.open(uri, 'slow\n');
      const result = await client.connection.sendRequest<RunResult>(methods.run, { uri, scenario: 'walk' });
      assert.equal(result.stopped, 'stopped in walk after 50000 states, the limit of entrycheck.maxStates');
      const all = await client.diagnostics(uri, (given) => given.length > 0);
      assert.match(messages(all)[0] ?? '', /^exploration is incomplete: stopped in walk/);
    });

    it('says what was not explored to its end', async () => {
      await start();
      await client.open(uri, 'endless\n');
      const all = await client.diagnostics(uri, (given) => given.length > 0);
      assert.deepEqual(messages(all), ['exploration is incomplete: walk of design from user: bound hit: words are read for ever']);
    });

    it('a text that is edited while it is explored gets the findings of its last version only', async () => {
      await start();
      await client.open(uri, 'slow ugly\n');
      await new Promise((resolve) => setTimeout(resolve, 250));
      await client.edit(uri, 2, at(0, 0, 5), '');
      const diagnostics = await client.diagnostics(uri, has('ugly-word'));
      assert.deepEqual(diagnostics.map(({ message }) => message), ['ugly word at 0']);
    });

    it('outlives a worker that dies, restarts it once a revision, and says what is missing', async () => {
      await start();
      await client.open(uri, 'bad deadly\n');
      const all = await client.diagnostics(uri, (given) => messages(given).some((message) => message.startsWith('exploration failed')));
      assert.ok(has('bad-word')(all), 'the checks of the text still run');
      assert.equal(client.errors.filter((message) => message.includes('worker ended')).length, 2);
      await client.edit(uri, 2, at(0, 4, 10), 'ugly');
      await client.diagnostics(uri, has('ugly-word'));
    });

    it('an exploration that throws is one message, and the worker goes on', async () => {
      await start();
      await client.open(uri, 'broken ugly\n');
      const all = await client.diagnostics(uri, (given) => given.length > 0);
      assert.match(messages(all)[0] ?? '', /^exploration failed, so only the checks of the text are shown: .*the word broken was explored/);
      await client.edit(uri, 2, at(0, 0, 7), '');
      await client.diagnostics(uri, (all) => has('ugly-word')(all) && all.length === 1);
    });

    it('a binary file and one of 5 MB get one message each, and text again is reviewed again', async () => {
      await start();
      await client.open(uri, 'bad \0 bad');
      assert.deepEqual((await client.diagnostics(uri, (all) => all.length > 0)).map(({ message }) => message), ['not analysed: the file is binary, it holds NUL bytes']);
      await client.edit(uri, 2, at(0, 4, 5), '');
      await client.diagnostics(uri, (all) => all.length === 2 && has('bad-word')(all));
      const large = 'file:///tree/large/entry.S';
      await client.open(large, 'bad\n'.repeat(1_250_000));
      const diagnostics = await client.diagnostics(large, (all) => all.length > 0);
      assert.deepEqual(diagnostics.map(({ message }) => message), ['not analysed: the file has 5000000 characters, more than 1000000']);
      assert.equal(await client.connection.sendRequest('textDocument/hover', { textDocument: { uri: large }, position: { line: 0, character: 1 } }), null);
    });

    it('reviews a virtual workspace from what the client reads of it', async () => {
      await start(fullClient, { client: 'entrycheck', readsFiles: true });
      const folder = 'vscode-vfs://host/design';
      const asked: ReadParams[] = [];
      client.connection.onRequest(methods.read, (params: ReadParams): ReadResult => {
        asked.push(params);
        return {
          files: params.files.map((file) => ({ uri: file, text: file === `${folder}/handler.c` ? 'ugly\n' : null })),
          folders: [{ uri: folder, names: ['entry.S', 'handler.c'], below: [] }],
        };
      });
      await client.open(`${folder}/entry.S`, 'nop\n');
      const diagnostics = await client.diagnostics(`${folder}/handler.c`, has('ugly-word'));
      assert.deepEqual(messages(diagnostics), ['ugly word at 0']);
      assert.deepEqual(asked[0], { files: [], folders: [folder] }, 'what else is in the folder is known before anything is said');
      await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: `${folder}/entry.S` } });
      await client.diagnostics(`${folder}/handler.c`, (all) => all.length === 0);
    });

    it('forgets a closed file, and one that was deleted while it was open', async () => {
      await start();
      await client.open(uri, 'bad slow\n');
      await client.diagnostics(uri, has('bad-word'));
      await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri, type: 3 }] });
      await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
      await client.diagnostics(uri, (all) => all.length === 0);
      assert.equal(await client.connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: { line: 0, character: 1 } }), null);
    });

    it('shows no findings of a folder once all its files are closed, though its files are still on disk', async () => {
      await start();
      const folder = 'vscode-vfs://host/closed';
      workspace.give({ files: [{ file: `${folder}/entry.S`, text: 'bad\n' }], folders: [{ folder, names: ['entry.S'], below: [] }] });
      await client.open(`${folder}/entry.S`, 'bad ugly\n');
      await client.diagnostics(`${folder}/entry.S`, has('ugly-word'));
      await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: `${folder}/entry.S` } });
      await client.diagnostics(`${folder}/entry.S`, (all) => all.length === 0);
    });

    it('answers unknown requests, odd parameters and broken messages, and stays alive', async () => {
      await start();
      await client.open(uri, 'bad\n');
      await assert.rejects(client.connection.sendRequest('entrycheck/noSuchThing', {}), /Unhandled method/);
      assert.equal(await client.connection.sendRequest('textDocument/hover', { textDocument: { uri: 'file:///not/open.S' }, position: { line: 9e9, character: -3 } }), null);
      const { problem } = await client.connection.sendRequest<ScenariosResult>(methods.scenarios, {});
      assert.match(problem ?? '', /not available|no entry code/);
      await client.edit('file:///not/open.S', 7, at(0, 0, 0), 'x');
      await client.edit(uri, 2, at(50, 0, 99), 'bad ');
      client.wire.write('Content-Length: 9\r\n\r\n{"broken"');
      await client.diagnostics(uri, (all) => all.length === 2);
    });

    it('compares the designs of open documents and says which were left out', async () => {
      await start();
      await client.open('file:///tree/a/a.S', '/* xctx: handler vector=VE ist=VE */ ugly');
      await client.open('file:///tree/b/b.S', '# xctx: handler vector=20');
      await client.open('file:///tree/c/c.S', '# xctx: handler vector=2');
      const { rows, notes } = await client.connection.sendRequest<CompareResult>(methods.compare, { folders: [] });
      assert.deepEqual(rows.map(({ design, runs }) => [design, ...runs.map(({ verdict }) => verdict)]), [['a', 'violated'], ['b', 'holds']]);
      assert.deepEqual(notes, ['1 of 3 units have no #VE handler and were left out']);
    });

    it('says once that it cannot review, and answers requests all the same', async () => {
      await start(fullClient, {}, { ...parts, createReview: async () => Promise.reject(new Error('the grammar is missing')) });
      await client.open(uri, 'bad\n');
      assert.equal(await client.connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: { line: 0, character: 1 } }), null);
      assert.deepEqual(client.errors.filter((message) => message.startsWith('Entrycheck cannot')), ['Entrycheck cannot review anything: Error: the grammar is missing']);
    });
  });
}
