import assert from 'node:assert/strict';
import { withFiles } from '../testing/command-line.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { findSources, mostFiles, tidy } from './paths.ts';
import type { Sources } from './paths.ts';

function sourcesOf(folder: string, paths: readonly string[]): Sources {
  const found = findSources(paths, folder, createNodeWorkspace(folder));
  if (found.kind === 'refused') assert.fail(found.message);
  return found.sources;
}

describe('sources on the command line', () => {
  const tree = { 'a/entry.S': '', 'a/handler.c': '', 'a/deep/x.s': '', 'a/notes.txt': '', 'a/.git/y.c': '', 'a/node_modules/z.c': '', 'b/one.c': '' };

  it('a folder stands for the .S, .s and .c files below it; hidden folders and node_modules are left out', () =>
    withFiles(tree, (folder) => {
      assert.deepEqual(sourcesOf(folder, ['a']).files, ['a/entry.S', 'a/handler.c', 'a/deep/x.s']);
    }));

  it('linker scripts are left out, and one that is named is refused', () =>
    withFiles({ 'a/vmlinux.lds.S': '', 'a/entry.S': '' }, (folder) => {
      assert.deepEqual(sourcesOf(folder, ['a']).files, ['a/entry.S']);
      assert.deepEqual(findSources(['a/vmlinux.lds.S'], folder, createNodeWorkspace(folder)), { kind: 'refused', message: 'a/vmlinux.lds.S: a linker script, which has no code' });
    }));

  it('paths keep the spelling of the command line', () =>
    withFiles(tree, (folder) => {
      assert.deepEqual(sourcesOf(folder, ['./a/deep/', `${folder}/b`]).files, ['./a/deep/x.s', `${folder}/b/one.c`]);
      assert.deepEqual(sourcesOf(folder, ['.']).files, ['./a/entry.S', './a/handler.c', './a/deep/x.s', './b/one.c']);
    }));

  it('a file that is named twice is reviewed once', () =>
    withFiles(tree, (folder) => {
      const { files, named } = sourcesOf(folder, ['a', 'a/entry.S']);
      assert.equal(files.length, 3);
      assert.deepEqual([...named], ['a/entry.S']);
    }));

  it('the cap on files is said', () =>
    withFiles(Object.fromEntries(Array.from({ length: mostFiles + 3 }, (_, at) => [`many/${at}.c`, ''])), (folder) => {
      const { files, notes } = sourcesOf(folder, ['many']);
      assert.equal(files.length, mostFiles);
      assert.deepEqual(notes, [`many: more than ${mostFiles} source files; the rest is not reviewed, name the folders that matter`]);
    }));

  it('a trailing slash is no part of a path, but the root is', () => {
    assert.equal(tidy('a/b//'), 'a/b');
    assert.equal(tidy('/'), '/');
  });
});
