// Jobs over a workspace that is read while they run: none ends before all is read that it looked for.
import assert from 'node:assert/strict';
import type { EngineHost } from './engine.ts';
import { createHostFiles, isVirtualUri } from './host-files.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { createWaiting } from './waiting.ts';

const file = (name: string): string => `vscode-vfs://host/${name}`;
const result: Omit<FromWorker & { kind: 'result' }, 'id'> = { kind: 'result', result: { reports: [], findings: [], milliseconds: 1, entries: true, stopped: null } };

/** An engine whose jobs read what the test says, and end when it says so. */
function waiting() {
  const posted: FromWorker[] = [];
  const heard: ToWorker[] = [];
  const later: (() => void)[] = [];
  const workspace = createHostFiles(isVirtualUri);
  let engine: EngineHost | null = null;
  const handle = createWaiting(
    (host) => {
      engine = host;
      return (message) => {
        heard.push(message);
        if (message.kind === 'host-files') workspace.give(message.answer);
        if (message.kind === 'cancel') host.post({ kind: 'cancelled', id: message.id });
      };
    },
    { post: (message) => void posted.push(message), later: (next) => void later.push(next), now: () => 0, workspace, told: null },
    workspace,
  );
  return {
    posted,
    heard,
    workspace,
    handle,
    settle: () => {
      for (const next of later.splice(0)) next();
    },
    post: (message: FromWorker) => engine?.post(message),
    job: (id: number, background = true) => handle({ kind: 'job', id, job: { kind: 'explore', folder: file('design') }, background }),
    give: (name: string) => handle({ kind: 'host-files', answer: { files: [{ file: file(name), text: name }], folders: [] } }),
    begun: () => heard.filter(({ kind }) => kind === 'job').length,
  };
}

describe('jobs over a virtual workspace', () => {
  it('a job that looks for a file waits for it and begins again, however often', () => {
    const { job, workspace, settle, posted, give, post, begun } = waiting();
    job(1);
    for (const name of ['a.h', 'b.h']) {
      workspace.read(file(name));
      settle();
      assert.deepEqual(posted.splice(0), [{ kind: 'wanted', files: [file(name)], folders: [] }]);
      give(name);
    }
    assert.equal(begun(), 3);
    post({ ...result, id: 1 });
    assert.deepEqual(posted.map(({ kind }) => kind), ['result']);
  });

  it('what a job says of half a program is not told', () => {
    const { job, workspace, settle, posted, post, give, begun } = waiting();
    job(1);
    workspace.read(file('a.h'));
    post({ kind: 'partial', id: 1, findings: [] });
    post({ ...result, id: 1 });
    settle();
    assert.deepEqual(posted.map(({ kind }) => kind), ['wanted']);
    give('a.h');
    assert.equal(begun(), 2);
  });

  it('a job that comes while others wait, waits as well', () => {
    const { job, workspace, settle, give, begun } = waiting();
    workspace.read(file('a.h'));
    settle();
    job(1);
    assert.equal(begun(), 0);
    give('a.h');
    assert.equal(begun(), 1);
  });

  it('an edit drops what waits in the background, and nothing else; a job can be cancelled while it waits', () => {
    const { job, workspace, settle, posted, handle, give, begun } = waiting();
    workspace.read(file('a.h'));
    settle();
    job(1);
    job(2, false);
    job(3, false);
    posted.length = 0;
    handle({ kind: 'edit', file: file('a.S'), edits: [] });
    handle({ kind: 'cancel', id: 3 });
    assert.deepEqual(posted, [{ kind: 'cancelled', id: 1 }, { kind: 'cancelled', id: 3 }]);
    give('a.h');
    assert.equal(begun(), 1);
  });

  it('asks again for what is still missing when a part is given', () => {
    const { job, workspace, settle, posted, give, begun } = waiting();
    job(1);
    workspace.read(file('a.h'));
    workspace.read(file('b.h'));
    settle();
    posted.length = 0;
    give('a.h');
    assert.deepEqual(posted, [{ kind: 'wanted', files: [file('b.h')], folders: [] }]);
    assert.equal(begun(), 1);
    give('b.h');
    assert.equal(begun(), 2);
  });
});
