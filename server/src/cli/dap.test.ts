// The debug adapter on streams, as editors start it: messages with their length in front, and the end of the stream.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { resolve } from 'node:path';
import type { Io } from './io.ts';
import { serveDap } from './dap.ts';
import { runCommand } from '../testing/command-line.ts';

interface Answer {
  readonly type: string;
  readonly event?: string;
  readonly command?: string;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: { readonly reason?: string; readonly stackFrames?: readonly { readonly name: string; readonly source?: { readonly path?: string } }[] };
}

interface Wire {
  readonly send: (command: string, given: object) => void;
  /** The next message of that event or answer, past or to come. */
  readonly next: (name: string) => Promise<Answer>;
  readonly input: PassThrough;
  readonly status: Promise<number>;
}

function start(): Wire {
  const input = new PassThrough();
  const output = new PassThrough();
  const io: Io = { out: () => undefined, err: () => undefined, input: () => new Uint8Array(), cwd: resolve('.'), home: resolve('out'), bundle: null, cache: null, color: false, columns: 100, progress: false, working: () => undefined };
  const status = serveDap(io, input, output);
  const messages: Answer[] = [];
  const waiting: { readonly name: string; readonly resolve: (answer: Answer) => void }[] = [];
  let held = Buffer.alloc(0);
  output.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(held.toString('latin1', 0, 60));
      const length = Number(header?.[1]);
      const from = header?.[0].length ?? 0;
      if (header === null || held.length < from + length) return;
      messages.push(JSON.parse(held.toString('utf8', from, from + length)) as Answer);
      held = held.subarray(from + length);
      serve();
    }
  });
  function serve(): void {
    for (const one of waiting.slice()) {
      const at = messages.findIndex(({ event, command, type }) => (type === 'event' ? event : command) === one.name);
      const [found] = at < 0 ? [] : messages.splice(at, 1);
      if (found === undefined) continue;
      waiting.splice(waiting.indexOf(one), 1);
      one.resolve(found);
    }
  }
  let seq = 0;
  return {
    input,
    status,
    send: (command, given) => {
      const text = JSON.stringify({ seq: (seq += 1), type: 'request', command, arguments: given });
      input.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    },
    next: (name) =>
      new Promise((done) => {
        waiting.push({ name, resolve: done });
        serve();
      }),
  };
}

describe('entrycheck dap', () => {
  it('replays a scenario on the standard streams, and ends with the client', async () => {
    const { send, next, status } = start();
    send('initialize', { adapterID: 'entrycheck', pathFormat: 'path' });
    assert.equal((await next('initialize')).success, true);
    send('launch', { program: 'test-fixtures/designs/clear-on-ist-early', scenario: 've-in-task' });
    assert.equal((await next('launch')).success, true);
    await next('initialized');
    send('configurationDone', {});
    assert.equal((await next('stopped')).body?.reason, 'entry');
    send('continue', { threadId: 1 });
    assert.equal((await next('stopped')).body?.reason, 'exception');
    send('stackTrace', { threadId: 1 });
    const path = (await next('stackTrace')).body?.stackFrames?.find(({ name }) => name.includes('exc_ve: WRITE_ONCE'))?.source?.path;
    assert.equal(path, resolve('test-fixtures/designs/clear-on-ist-early/design.c'));
    send('disconnect', {});
    assert.equal((await next('disconnect')).success, true);
    assert.equal(await status, 0);
  });

  it('says which path is not there', async () => {
    const { send, next, input, status } = start();
    send('initialize', { adapterID: 'entrycheck' });
    send('launch', { program: 'no/such/design', scenario: 've-in-task' });
    assert.match((await next('launch')).message ?? '', /no\/such\/design: no such file$/);
    input.end();
    assert.equal(await status, 0);
  });

  it('speaks over the standard streams only', async () => {
    assert.match((await runCommand(['dap'])).err, /start it as: entrycheck dap --stdio\n$/);
    assert.match((await runCommand(['dap', '--stdio', 'design'])).err, /the launch request names the design\n$/);
    assert.equal((await runCommand(['dap', '--stdoi'])).status, 2);
  });
});
