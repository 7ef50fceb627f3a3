// Editing features over the protocol, on the small tree of a kernel's shape: what the review's own test cannot see.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Diagnostic, SemanticTokens, WorkspaceEdit } from 'vscode-languageserver/node';
import { createReview } from '../core/review.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { noFolders } from '../shell/folders.ts';
import { createWorkspace } from '../worker/disk.ts';
import { uriOfPath } from './paths.ts';
import { methods } from './protocol.ts';
import type { ExpansionChoice, ExpansionView } from './protocol.ts';
import { connectClient, fullClient } from './test-client.ts';
import type { TestClient } from './test-client.ts';

const file = `${process.cwd()}/test-fixtures/editor/kernel/arch/x86/entry/entry_64.S`;
const uri = uriOfPath(file);
const text = readFileSync(file, 'utf8');

function positionOf(around: string): { readonly line: number; readonly character: number } {
  const before = text.slice(0, text.indexOf(around)).split('\n');
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}

const faded = (diagnostics: readonly Diagnostic[]): readonly Diagnostic[] => diagnostics.filter(({ code }) => code === 'inactive');

describe('editing in the language server', () => {
  let client: TestClient;

  async function start(options: object): Promise<void> {
    const workspace = createWorkspace();
    // Nothing of this tree is explored: a worker that never answers is enough.
    const startWorker = () => ({ post: () => undefined, terminate: () => undefined });
    client = connectClient({ createReview: () => createReview(loadGrammars(__dirname), workspace, null), startWorker, workspace, folders: noFolders, patience: 60_000, version: '0' });
    await client.initialize(fullClient, { client: 'entrycheck', ...options });
    await client.open(uri, text);
  }
  afterEach(() => client.stop());

  const request = <T>(method: string, params: object): Promise<T> => client.connection.sendRequest<T>(method, params);

  it('fades inactive text by tagged hints, and nothing else is shown', async () => {
    await start({});
    const diagnostics = await client.diagnostics(uri, (all) => faded(all).length > 0);
    const [hint] = faded(diagnostics);
    assert.deepEqual([hint?.severity, hint?.tags, hint?.message], [4, [1], 'left out in configuration 6.12:pti']);
    assert.equal(hint?.range.start.line, positionOf('SYM_CODE_START(mini_xen)').line);
    assert.deepEqual(diagnostics.filter(({ severity }) => severity !== 4), []);
  });

  it('reads the files with the configuration of the settings', async () => {
    await start({ configuration: '6.12:minimal', defines: ['CONFIG_XEN_PV'] });
    const diagnostics = await client.diagnostics(uri, (all) => faded(all).length > 0);
    assert.equal(faded(diagnostics)[0]?.range.start.line, positionOf('SYM_CODE_START(mini_native)').line);
  });

  it('tells why a name is not renamed as the error of the request', async () => {
    await start({});
    const at = { textDocument: { uri }, position: positionOf('mini_enter)') };
    await assert.rejects(request('textDocument/prepareRename', at), /mini_enter may be named in other files/);
    const edit = await request<WorkspaceEdit>('textDocument/rename', { textDocument: { uri }, position: positionOf('.Lmini_entered:'), newName: '.Lready' });
    assert.deepEqual(edit.changes?.[uri]?.map(({ newText }) => newText), ['.Lready', '.Lready']);
  });

  it('sends semantic tokens in text order', async () => {
    await start({});
    const { data } = await request<SemanticTokens>('textDocument/semanticTokens/full', { textDocument: { uri } });
    assert.ok(data.length > 50 && data.length % 5 === 0);
    for (let at = 0; at < data.length; at += 5) assert.ok((data[at] ?? -1) >= 0 && ((data[at] ?? 0) > 0 || at === 0 || (data[at + 1] ?? 0) > 0), `token ${at / 5}`);
  });

  it('gives an expansion with the place behind each of its lines', async () => {
    await start({});
    const choice = await request<ExpansionChoice>(methods.expansionChoice, { uri, ...positionOf('jmp .Lmini_entered') });
    assert.equal(choice.here, 'mini_enter');
    const view = await request<ExpansionView | null>(methods.expansion, { uri, symbol: 'asm_exc_mini_fault' });
    const rows = view?.text.split('\n') ?? [];
    const call = rows.findIndex((row) => row.includes('call    mini_enter'));
    assert.deepEqual([view?.lines[call]?.at.uri, view?.lines[call]?.at.startLine], [uri, positionOf('call mini_enter').line]);
    const push = view?.lines[rows.findIndex((row) => row.includes('pushq   %rsi'))];
    assert.match(push?.at.uri ?? '', /calling\.h$/);
    assert.deepEqual([push?.use?.uri, push?.use?.startLine], [uri, positionOf('MINI_PUSH').line]);
    assert.equal(await request<ExpansionView | null>(methods.expansion, { uri, symbol: 'mini_xen' }), null);
  });
});
