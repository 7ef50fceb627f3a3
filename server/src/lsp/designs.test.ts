// The protocol over the real review: a bad design from the moment it is opened to the replayed trace, with the worker in a
// thread. The file is its own worker script.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort } from 'node:worker_threads';
import { URI } from 'vscode-uri';
import type { CallHierarchyIncomingCall, CallHierarchyItem, CallHierarchyOutgoingCall, Diagnostic, Hover } from 'vscode-languageserver/node';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { noFolders } from '../shell/folders.ts';
import { createWorkspace } from '../worker/disk.ts';
import { startThread, threadPort } from '../worker/start.ts';
import { serveEngine } from '../worker/thread.ts';
import { methods } from './protocol.ts';
import type { RunResult, ScenariosResult, TestResult, TestsResult } from './protocol.ts';
import { connectClient, fullClient } from './test-client.ts';
import type { TestClient } from './test-client.ts';

const workspace = createWorkspace();
const review = async (): Promise<Review> => createReview(loadGrammars(__dirname), workspace, { name: 'default', defines: new Map(), includePaths: [] });

const path = `${process.cwd()}/test-fixtures/designs/clear-on-ist-early/design.c`;
const uri = URI.file(path).toString();
const has = (rule: string) => (diagnostics: readonly Diagnostic[]) => diagnostics.some(({ code }) => code === rule);

if (isMainThread) describeDesign();
else if (parentPort !== null) serveEngine(threadPort(parentPort), review, workspace, null);

function describeDesign(): void {
  describe('a bad design in the language server', () => {
    const text = readFileSync(path, 'utf8');
    const lines = text.split('\n');
    const store = lines.findIndex((line) => line.includes('WRITE_ONCE(ve->busy, 0)'));
    const column = lines[store]?.indexOf('WRITE_ONCE') ?? 0;
    let client: TestClient;

    beforeEach(async () => {
      client = connectClient({ createReview: review, startWorker: startThread(__filename), workspace, folders: noFolders, patience: 20_000, version: '0' });
      await client.initialize(fullClient, { client: 'entrycheck' });
      await client.open(uri, text);
    });
    afterEach(() => client.stop());

    it('gets its finding at the store, with the trace', async () => {
      const all = await client.diagnostics(uri, has('guard-cleared-on-rewinding-stack'));
      const finding = all.find(({ code }) => code === 'guard-cleared-on-rewinding-stack');
      assert.equal(finding?.range.start.line, store);
      assert.match(typeof finding.message === 'string' ? finding.message : '', /reentrancy word cleared on IST stack/);
      const steps = finding.relatedInformation?.filter(({ message }) => /^\d+\. /.test(message)) ?? [];
      assert.ok(steps.length > 2 && steps.length <= 20, `${steps.length} key steps`);
    });

    it('loses it when the store is edited away, and the server stays alive', async () => {
      await client.diagnostics(uri, has('guard-cleared-on-rewinding-stack'));
      await client.edit(uri, 2, { start: { line: store, character: 0 }, end: { line: store + 1, character: 0 } }, '');
      await client.diagnostics(uri, (all) => !has('guard-cleared-on-rewinding-stack')(all));
    });

    it('tells the context at the store', async () => {
      const ask = async (): Promise<string> => {
        const hover = await client.connection.sendRequest<Hover | null>('textDocument/hover', { textDocument: { uri }, position: { line: store, character: column + 2 } });
        return hover !== null && typeof hover.contents === 'object' && 'value' in hover.contents ? hover.contents.value : '';
      };
      let shown = await ask();
      while (shown.includes('still being explored')) shown = await ask();
      for (const part of [/\(rewinds\)/, /blocked: an NMI/, /guard ve\\_page\.busy/, /live frames/, /The way here/]) assert.match(shown, part);
    });

    it('has a call hierarchy from its handler to the stub, the gate and what raises the event', async () => {
      const line = lines.findIndex((each) => each.includes('DEFINE_IDTENTRY_IST(exc_ve)'));
      const position = { line, character: lines[line]?.indexOf('exc_ve') ?? 0 };
      const [root] = (await client.connection.sendRequest<CallHierarchyItem[] | null>('textDocument/prepareCallHierarchy', { textDocument: { uri }, position })) ?? [];
      assert.ok(root !== undefined);
      assert.deepEqual([root.name, root.uri, root.selectionRange.start], ['exc_ve', uri, position]);
      const incoming = (item: CallHierarchyItem) => client.connection.sendRequest<CallHierarchyIncomingCall[]>('callHierarchy/incomingCalls', { item });
      const [stub] = await incoming(root);
      assert.ok(stub !== undefined);
      assert.equal(stub.from.name, 'asm_exc_ve');
      assert.ok(stub.from.uri.endsWith('/entry.S') && stub.fromRanges.length > 0);
      const sources = await incoming(stub.from);
      assert.deepEqual(sources.slice(0, 2).map(({ from }) => from.name), ['#VE gate', 'user mode: any instruction']);
      assert.ok(sources.some(({ from }) => /^design\.c:\d+: CPL 0, .*stack, IF=/.test(from.detail ?? '')), sources.map(({ from }) => from.detail).join('\n'));
      const outgoing = await client.connection.sendRequest<CallHierarchyOutgoingCall[]>('callHierarchy/outgoingCalls', { item: root });
      assert.deepEqual(outgoing.map(({ to }) => to.name), ['ve_handle']);
      assert.deepEqual(await incoming({ ...root, data: null }), []);
    });

    it('tells in the hover of a function the contexts joined over its callers', async () => {
      const line = lines.findIndex((each) => each.includes('DEFINE_IDTENTRY_IST(exc_ve)'));
      const position = { line, character: lines[line]?.indexOf('exc_ve') ?? 0 };
      const contexts = /Contexts of exc.{1,4}ve\(\):\*\* CPL 0, VE IST or task stack, IRQs off, over user or kernel mode, from #VE/;
      // The worker answers once it has read the design.
      for (let asked = 0; ; asked += 1) {
        const hover = await client.connection.sendRequest<Hover | null>('textDocument/hover', { textDocument: { uri }, position });
        if (contexts.test(JSON.stringify(hover?.contents))) break;
        assert.ok(asked < 100, JSON.stringify(hover?.contents));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });

    it('runs the corner case of the mail: violated, and each step has a place', async () => {
      const { scenarios } = await client.connection.sendRequest<ScenariosResult>(methods.scenarios, { uri });
      const corner = scenarios.find(({ name, title }) => /same failure|again|twice|ve-ve/i.test(`${name} ${title}`));
      assert.ok(corner, scenarios.map(({ name }) => name).join(', '));
      const { runs, problem } = await client.connection.sendRequest<RunResult>(methods.run, { uri, scenario: corner.name });
      assert.equal(problem, null);
      const violated = runs.find(({ verdict }) => verdict === 'violated');
      assert.ok(violated, runs.map(({ start, verdict }) => `${start} ${verdict}`).join(', '));
      assert.ok(violated.steps.filter(({ at }) => at !== null).length >= 3);
      assert.ok(violated.text.split('\n').every((line) => line.length <= 72), violated.text);
    });

    it('a sketch that is on no disk has its findings too, and they go with the operation that they are about', async () => {
      const sketch = 'untitled:/sketch.xctx-scenario.yaml';
      const ops = 'ops: [read-info, fixup, {clear: ve.busy}, iret]';
      const written = `name: sketch\nhandlers:\n  ve:\n    ist: VE\n    ${ops}\n  nmi:\n    ist: NMI\n    ops: [{access: user_frame}, iret]\n`;
      await client.open(sketch, written);
      const found = await client.diagnostics(sketch, has('guard-cleared-on-rewinding-stack'));
      assert.equal(found.find(({ code }) => code === 'guard-cleared-on-rewinding-stack')?.range.start.line, 4);
      const { scenarios } = await client.connection.sendRequest<ScenariosResult>(methods.scenarios, { uri: sketch });
      assert.deepEqual(scenarios.map(({ name, own }) => ({ name, own })), [{ name: 'sketch', own: true }]);
      const clear = written.split('\n')[4]?.indexOf('{clear: ve.busy}') ?? -1;
      await client.edit(sketch, 2, { start: { line: 4, character: clear }, end: { line: 4, character: clear + '{clear: ve.busy}'.length } }, '{defer: self-ipi, clears: ve.busy}');
      await client.diagnostics(sketch, (all) => !has('guard-cleared-on-rewinding-stack')(all));
    });

    it('is a design with a test a scenario; one that is violated fails with the runs that show it first', async () => {
      const { designs, notes } = await client.connection.sendRequest<TestsResult>(methods.tests);
      assert.deepEqual({ names: designs.map(({ design }) => design), notes }, { names: ['clear-on-ist-early'], notes: [] });
      const names = designs[0]?.tests.map(({ scenario }) => scenario) ?? [];
      assert.ok(names.includes('ve-in-task') && names.includes('ve-in-syscall-gap'), names.join(', '));
      const result = await client.connection.sendRequest<TestResult>(methods.test, { uri: designs[0]?.file, scenario: 've-in-task' });
      assert.deepEqual({ problem: result.problem, outcome: result.outcome, message: result.message }, { problem: null, outcome: 'failed', message: 'violated from user, kernel, kernel-irqs-off' });
      assert.equal(result.runs[0]?.verdict, 'violated');
      assert.ok((result.runs[0]?.steps.length ?? 0) > 2);
      const gone = await client.connection.sendRequest<TestResult>(methods.test, { uri, scenario: 'no-such' });
      assert.deepEqual({ outcome: gone.outcome, problem: gone.problem }, { outcome: null, problem: 'there is no scenario no-such here any more' });
    });
  });
}
