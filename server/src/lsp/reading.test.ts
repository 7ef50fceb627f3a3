// Reading a virtual workspace in rounds: what is asked for, what never is, and what is said of the rest.
import assert from 'node:assert/strict';
import { createHostFiles, isVirtualUri } from '../worker/host-files.ts';
import type { HostAnswer, HostPaths } from '../worker/host-files.ts';
import { createReading, mostFiles } from './reading.ts';

const root = 'vscode-vfs://host/tree';

/** The editor has `files`; a review reads `first`, and then whatever the lines of what it is given name. */
function read(files: Readonly<Record<string, string>>, first: readonly string[], roots: readonly string[] = [root]) {
  const workspace = createHostFiles(isVirtualUri);
  const asked: HostPaths[] = [];
  const given: HostAnswer[] = [];
  const said: string[] = [];
  const logged: string[] = [];
  let wholes = 0;
  const follow = (path: string): void => {
    for (const line of workspace.read(path)?.split('\n') ?? []) if (line !== '') follow(line);
  };
  const reading = createReading(workspace, {
    ask: async (paths) => {
      asked.push(paths);
      if (paths.files.some((file) => file.endsWith('/broken.h'))) throw new Error('the editor is gone');
      return { files: paths.files.map((file) => ({ file, text: files[file] ?? null })), folders: [] };
    },
    roots: () => roots,
    given: (answer) => void given.push(answer),
    whole: () => {
      wholes += 1;
      for (const path of first) follow(path);
    },
    log: (message) => void logged.push(message),
    say: (message) => void said.push(message),
  });
  for (const path of first) follow(path);
  return { reading, workspace, asked, given, said, logged, wholes: () => wholes };
}

describe('reading a virtual workspace', () => {
  it('follows what is read, round by round, and is whole when nothing new is looked for', async () => {
    const { reading, workspace, asked, wholes } = read({ [`${root}/a`]: `${root}/b\n${root}/c`, [`${root}/b`]: `${root}/d`, [`${root}/c`]: '', [`${root}/d`]: '' }, [`${root}/a`]);
    assert.ok(reading.isWaiting());
    await reading.settled();
    assert.ok(!reading.isWaiting());
    assert.deepEqual(asked.map(({ files }) => files.map((file) => file.slice(root.length))), [['/a'], ['/b', '/c'], ['/d']]);
    assert.equal(wholes(), 3);
    assert.equal(workspace.read(`${root}/d`), '');
  });

  it('nothing outside of the workspace is asked for; on a disk what lies beside it is', async () => {
    const outside = ['vscode-vfs://include/linux/kconfig.h', 'vscode-vfs://host/other/a.h'];
    const repository = read({}, outside);
    await repository.reading.settled();
    assert.deepEqual(repository.asked, []);
    assert.ok(!repository.reading.isWaiting(), 'what is not asked for is absent');
    const remote = read({}, ['vscode-remote://host/home/include/a.h', 'vscode-remote://elsewhere/a.h'], ['vscode-remote://host/home/tree']);
    await remote.reading.settled();
    assert.deepEqual(remote.asked.flatMap(({ files }) => files), ['vscode-remote://host/home/include/a.h']);
  });

  it('what the worker looks for is asked for, or given again; the review is not told to begin anew', async () => {
    const { reading, asked, given, wholes, workspace } = read({ [`${root}/a`]: 'x' }, []);
    reading.want({ files: [`${root}/a`], folders: [] });
    await reading.settled();
    assert.deepEqual([asked.length, given.length, wholes(), workspace.read(`${root}/a`)], [1, 1, 0, 'x']);
    reading.want({ files: [`${root}/a`], folders: [] });
    await reading.settled();
    assert.deepEqual([asked.length, given.length], [1, 2]);
  });

  it('an editor that fails to read is logged, and what it was asked for is absent', async () => {
    const { reading, logged, workspace } = read({}, [`${root}/broken.h`]);
    await reading.settled();
    assert.deepEqual(logged, ['virtual workspace: the editor is gone']);
    assert.ok(!reading.isWaiting());
    assert.equal(workspace.read(`${root}/broken.h`), null);
  });

  it('what is more than is read is said, once, by name and number', async () => {
    const names = [...Array(mostFiles + 3).keys()].map((at) => `${root}/${at}.h`);
    const { reading, said, logged } = read(Object.fromEntries(names.map((name) => [name, 'x'])), names);
    await reading.settled();
    assert.deepEqual(said.map((message) => message.replace(/ the first .*/, '')), [`Entrycheck has read ${mostFiles} files of this workspace and reads no more,`]);
    assert.ok(logged.every((line) => /^virtual workspace: not read, of \d+ so far: /.test(line)) && logged.length > 0, logged.join('\n'));
  });
});
