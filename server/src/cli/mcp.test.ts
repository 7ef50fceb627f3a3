// The tools of the Model Context Protocol, a line a message, as clients send them.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { resolve } from 'node:path';
import { runCommand, withFiles } from '../testing/command-line.ts';
import { entrycheck } from './commands.ts';
import type { Io } from './io.ts';
import { serveMcp } from './mcp.ts';
import { lineOf, schemaOf, tools } from './mcp-tools.ts';

interface Answer {
  readonly jsonrpc: string;
  readonly id: number | string | null;
  readonly error?: { readonly code: number; readonly message: string };
  readonly result?: { readonly [name: string]: unknown; readonly content?: readonly { readonly type: string; readonly text: string }[]; readonly isError?: boolean };
}

/** The answers to messages, or to lines as they stand. */
async function answers(messages: readonly (object | string)[], cwd = resolve('.'), run: typeof entrycheck = entrycheck): Promise<readonly Answer[]> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const said = (): never => assert.fail('the streams are the protocol');
  const io: Io = { out: said, err: said, input: () => assert.fail('the standard input is the protocol'), cwd, home: resolve('out'), bundle: null, cache: null, color: false, columns: 100, progress: false, working: () => undefined };
  const status = serveMcp(io, run, input, output);
  for (const message of messages) input.write(`${typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  input.end();
  assert.equal(await status, 0);
  return String(output.read() ?? '').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Answer);
}

async function call(name: string, given: object, cwd?: string): Promise<{ readonly text: string; readonly wrong: boolean | undefined }> {
  const [answer] = await answers([{ id: 1, method: 'tools/call', params: { name, arguments: given } }], cwd);
  return { text: answer?.result?.content?.[0]?.text ?? '', wrong: answer?.result?.isError };
}

const nmi = 'SYM_CODE_START(asm_exc_nmi)\n\tpushq %rax\n\tcall exc_nmi\n\tiretq\nSYM_CODE_END(asm_exc_nmi)\n';

describe('entrycheck mcp', () => {
  it('introduces itself by the revision of the client, or by its own, and lists tools with the schemas of what they take', async () => {
    const initialize = (protocolVersion: string) => ({ id: 1, method: 'initialize', params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } } });
    const [old, unknown, listed] = await answers([initialize('2024-11-05'), { method: 'notifications/initialized' }, initialize('1999-01-01'), { id: 'list', method: 'tools/list' }]);
    assert.deepEqual([old?.result?.['protocolVersion'], unknown?.result?.['protocolVersion'], listed?.id], ['2024-11-05', '2025-06-18', 'list']);
    const described = (listed?.result?.['tools'] ?? []) as readonly { readonly name: string; readonly inputSchema: object }[];
    assert.deepEqual(described.map(({ name, inputSchema }) => [name, inputSchema]), tools.map((tool) => [tool.name, schemaOf(tool)]));
    for (const tool of tools) assert.match(tool.name, /^[a-z]+$/);
  });

  it('answers a call with what the command prints', () =>
    withFiles({ 'd/entry.S': nmi, 'd2/entry.S': 'nop\n' }, async (folder) => {
      const checked = await call('check', { paths: ['d'] }, folder);
      const alone = await runCommand(['check', 'd'], folder);
      assert.deepEqual(checked, { text: (alone.out + alone.err).trimEnd(), wrong: false });
      assert.match(checked.text, /d\/entry\.S:4:\d+: error: .*\[frame-unbalanced-at-return\]/);
      assert.match((await call('context', { file: 'd/entry.S', line: 4 }, folder)).text, /NMI/);
      assert.match((await call('raise', { file: 'd/entry.S', line: 3, events: ['#MC'] }, folder)).text, /#MC/);
      assert.match((await call('explain', { rule: 'frame-unbalanced-at-return' }, folder)).text, /frame-unbalanced-at-return/);
      assert.match((await call('run', {}, folder)).text, /^nmi-nested$/m);
    }));

  it('reviews a sketch, and a patch to files of the folder', () =>
    withFiles({ 'entry.S': nmi.replace('\tpushq %rax\n', '') }, async (folder) => {
      assert.match((await call('check', { text: nmi }, folder)).text, /<stdin>:4:.*frame-unbalanced-at-return/);
      const patch = '--- a/entry.S\n+++ b/entry.S\n@@ -1,2 +1,3 @@\n SYM_CODE_START(asm_exc_nmi)\n+\tpushq %rax\n \tcall exc_nmi\n';
      assert.match((await call('check', { text: patch }, folder)).text, /^entry\.S:4:.*frame-unbalanced-at-return/m);
    }));

  it('says of arguments what is wrong with them, and of a run that cannot be made why', async () => {
    const wrong = async (name: string, given: object): Promise<string> => {
      const { text, wrong: isError } = await call(name, given);
      assert.equal(isError, true, `${name} ${JSON.stringify(given)}: ${text}`);
      return text;
    };
    assert.equal(await wrong('explain', { ruel: 'x' }), "no parameter 'ruel'; did you mean 'rule'?: explain takes rule");
    assert.equal(await wrong('context', { file: 'x.S' }), 'line is missing: line in the file, the first is 1');
    assert.equal(await wrong('context', { file: 'x.S', line: 1.5 }), 'line is a whole number above 0');
    assert.equal(await wrong('check', {}), 'give either paths or text');
    assert.equal(await wrong('check', { paths: ['x'], severity: 'all' }), 'severity is one of error, warning, info, hint');
    assert.equal(await wrong('run', { paths: ['x'] }), 'give a scenario, for example all');
    assert.match(await wrong('check', { paths: ['--config=x'] }), /--config=x: no such file/);
    assert.match(await wrong('check', { paths: ['nowhere.S'] }), /nowhere\.S: no such file/);
    assert.match(await wrong('explain', { rule: 'no-such-rule' }), /no-such-rule/);
  });

  it('tells what is no request, what it does not know, and a bug of its own, and goes on', async () => {
    const all = await answers(['nonsense', '[]', { id: 1 }, { id: 2, method: 'resources/list' }, { method: 'notifications/cancelled' }, { id: 3, result: {} }, { id: 4, method: 'tools/call', params: { name: 'chekc' } }, { id: 5, method: 'ping' }]);
    assert.deepEqual(all.map(({ id, error, result }) => [id, error?.code ?? result]), [[null, -32700], [null, -32600], [1, -32600], [2, -32601], [4, -32602], [5, {}]]);
    assert.match(all[4]?.error?.message ?? '', /did you mean 'check'/);
    const [broken] = await answers([{ id: 1, method: 'tools/call', params: { name: 'explain' } }], undefined, () => Promise.reject(new Error('broken')));
    assert.deepEqual(broken?.error, { code: -32603, message: 'a bug of entrycheck: broken' });
  });

  it('cuts an answer that nobody would read, at a line, and says so', async () => {
    const [long] = await answers([{ id: 1, method: 'tools/call', params: { name: 'explain' } }], undefined, async (_, { out }) => (out('a line of some length\n'.repeat(5000)), 0));
    const text = long?.result?.content?.[0]?.text ?? '';
    const [kept, last] = [text.split('\n').slice(0, -1), text.split('\n').at(-1) ?? ''];
    assert.ok(text.length < 61_000 && kept.every((line) => line === 'a line of some length'));
    assert.equal(last, `and ${5000 - kept.length} more lines: name fewer paths, or a higher severity`);
  });

  it('makes of every tool a command line that its command takes', () => {
    const given: Readonly<Record<string, object>> = { check: { paths: ['a'], severity: 'error', config: '6.12' }, context: { file: 'a.S', line: 1, column: 2 }, raise: { file: 'a.S', line: 1, events: ['NMI', '#MC'] }, run: { scenario: 'all', paths: ['d'] }, compare: { base: 'a', new: 'b' }, explain: {} };
    assert.deepEqual(tools.map((tool) => lineOf(tool, given[tool.name])), [
      { argv: ['check', '--severity=error', '--config=6.12', '--', 'a'], input: '' },
      { argv: ['context', '--', 'a.S:1:2'], input: '' },
      { argv: ['run', '--at=a.S:1', '--event=NMI,#MC'], input: '' },
      { argv: ['run', '--', 'all', 'd'], input: '' },
      { argv: ['compare', '--', 'a', 'b'], input: '' },
      { argv: ['explain'], input: '' },
    ]);
  });

  it('speaks over the standard streams only', async () => {
    assert.deepEqual(await runCommand(['mcp']), { status: 2, out: '', err: 'entrycheck: mcp: the server speaks over the standard streams only; start it as: entrycheck mcp --stdio\n' });
  });
});
