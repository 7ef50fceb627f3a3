// Finding designs in a folder, and reading files as the review sees them.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskFolders } from '../shell/disk-folders.ts';
import { createWorkspace } from '../worker/disk.ts';
import { findEntryFiles } from './entry-files.ts';

describe('files of a workspace', () => {
  let folder = '';
  const write = (path: string, content: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entrycheck-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('one marked file of each folder names a design; others and dependencies are left alone', async () => {
    write('a/entry.S', '# xctx: handler vector=VE');
    write('a/handler.c', '/* xctx: guard x */');
    write('b/deep/sketch.xctx-scenario.yaml', 'xctx-scenario: 1');
    write('c/plain.S', 'nop');
    write('node_modules/d/entry.S', '# xctx: handler');
    write('.hidden/entry.S', '# xctx: handler');
    const { files, notes } = await findEntryFiles(diskFolders, [folder]);
    assert.deepEqual(files.map((file) => file.slice(folder.length)).sort(), ['/a/entry.S', '/b/deep/sketch.xctx-scenario.yaml']);
    assert.deepEqual(notes, []);
  });

  it('a folder that is not there has no files', async () => assert.deepEqual(await findEntryFiles(diskFolders, [join(folder, 'none')]), { files: [], notes: [] }));

  it('binary, very large and absent files and folders read as none', () => {
    write('entry.S', 'nop');
    write('blob.S', 'no\0p');
    write('large.S', 'x'.repeat(5_000_000));
    const workspace = createWorkspace();
    const read = (name: string): string | null => workspace.read(join(folder, name));
    assert.deepEqual(['entry.S', 'blob.S', 'large.S', 'none.S', '.'].map(read), ['nop', null, null, null, null]);
    assert.deepEqual(workspace.list(folder), ['blob.S', 'entry.S', 'large.S']);
  });

  it('texts of a virtual workspace are found by their URI and listed with their folder', () => {
    const workspace = createWorkspace();
    workspace.give({ files: [{ file: 'vscode-vfs://host/design/entry.S', text: 'nop' }], folders: [{ folder: 'vscode-vfs://host/design', names: ['entry.S'], below: [] }] });
    assert.equal(workspace.read('vscode-vfs://host/design/entry.S'), 'nop');
    assert.deepEqual(workspace.list('vscode-vfs://host/design'), ['entry.S']);
  });
});
