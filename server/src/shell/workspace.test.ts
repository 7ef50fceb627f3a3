import assert from 'node:assert/strict';
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withFiles } from '../testing/command-line.ts';
import { loadGrammars } from './grammars.ts';
import { createNodeWorkspace } from './workspace.ts';

describe('the workspace on Node', () => {
  it('reads paths relative to its root, absolute paths and file: URIs', () =>
    withFiles({ 'a b/x.S': 'nop\n' }, (folder) => {
      const workspace = createNodeWorkspace(folder);
      for (const path of ['a b/x.S', join(folder, 'a b/x.S'), pathToFileURL(join(folder, 'a b/x.S')).href]) assert.equal(workspace.read(path), 'nop\n');
    }));

  it('lists plain files and links of a folder, by name, and nothing of a folder that is not there', () =>
    withFiles({ 'd/b.S': '', 'd/a.c': '', 'd/e/f.c': '' }, (folder) => {
      symlinkSync(join(folder, 'd/a.c'), join(folder, 'd/link.c'));
      const workspace = createNodeWorkspace(folder);
      assert.deepEqual(workspace.list('d'), ['a.c', 'b.S', 'link.c']);
      assert.deepEqual(workspace.list('nowhere'), []);
      assert.deepEqual(createNodeWorkspace(join(folder, 'd')).list(''), ['a.c', 'b.S', 'link.c']);
    }));

  it('says why a file was not read', () =>
    withFiles({ 'bin.S': new Uint8Array([1, 0, 2]), 'large.S': 'x'.repeat(5_000_000), 'd/x.c': '' }, (folder) => {
      symlinkSync(join(folder, 'circle.S'), join(folder, 'circle.S'));
      const workspace = createNodeWorkspace(folder);
      const said = ['bin.S', 'large.S', 'd', 'none.S', 'd/x.c/y', 'circle.S', 'd/x.c'].map((path) => [workspace.read(path), workspace.refusal(path)]);
      assert.deepEqual(said, [
        [null, 'not analysed: binary file'],
        [null, 'not analysed: larger than 4 MB'],
        [null, 'is a folder'],
        [null, 'no such file'],
        [null, 'no such file'],
        [null, 'not readable: symbolic links in a circle'],
        ['', null],
      ]);
      assert.deepEqual(
        workspace.refused().map(({ path }) => path),
        ['bin.S', 'large.S', 'd', 'circle.S'],
      );
    }));

  it('a file that may not be read says so, except to root', () =>
    withFiles({ 'secret.S': 'nop' }, (folder) => {
      chmodSync(join(folder, 'secret.S'), 0);
      const expected = process.getuid?.() === 0 ? null : 'not readable: permission denied';
      assert.equal(createNodeWorkspace(folder).refusal('secret.S'), expected);
    }));

  it('a text stays as it was read until it is forgotten, also when the file is deleted meanwhile', () =>
    withFiles({ 'a.S': 'one' }, (folder) => {
      const workspace = createNodeWorkspace(folder);
      assert.equal(workspace.read('a.S'), 'one');
      writeFileSync(join(folder, 'a.S'), 'two');
      assert.equal(workspace.read('a.S'), 'one');
      workspace.forget('a.S');
      assert.equal(workspace.read('a.S'), 'two');
      rmSync(join(folder, 'a.S'));
      assert.equal(workspace.read('a.S'), 'two');
      workspace.forget('a.S');
      assert.equal(workspace.read('a.S'), null);
    }));

  it('extra files win over the disk and are listed', () =>
    withFiles({ 'd/a.S': 'disk' }, (folder) => {
      const workspace = createNodeWorkspace(folder, new Map([['d/a.S', 'extra'], ['d/s.yaml', 'more']]));
      assert.equal(workspace.read('d/a.S'), 'extra');
      assert.deepEqual(workspace.list('d'), ['a.S', 's.yaml']);
    }));

  it('bytes that are no UTF-8 are read, with replacement characters', () =>
    withFiles({ 'latin.c': new Uint8Array([0x2f, 0x2f, 0xe9, 0x0a]) }, (folder) => {
      assert.equal(createNodeWorkspace(folder).read('latin.c'), '//\ufffd\n');
    }));
});

describe('the grammars', () => {
  it('are WebAssembly, found from a bundle in a folder below them', () => {
    const { core, gas, c } = loadGrammars(resolve('out/server/src'));
    for (const bytes of [core, gas, c]) assert.deepEqual([...bytes.subarray(0, 4)], [0, 0x61, 0x73, 0x6d]);
  });

  it('that are missing name the likely cause', () => {
    assert.throws(() => loadGrammars('/'), /are not beside the program: run npm run build/);
  });
});
