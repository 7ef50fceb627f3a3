// Texts of a virtual workspace: what is wanted, what is known to be absent, and what holds until the editor is asked again.
import assert from 'node:assert/strict';
import { createHostFiles, isVirtualUri } from './host-files.ts';

const folder = 'vscode-vfs://host/design';

describe('texts of a virtual workspace', () => {
  it('what is read and not given is wanted, and its first want is told once', () => {
    const files = createHostFiles(isVirtualUri);
    let told = 0;
    files.onWanted(() => (told += 1));
    assert.equal(files.wanted(), null);
    assert.equal(files.read(`${folder}/a.S`), null);
    assert.deepEqual(files.list(folder), []);
    files.read(`${folder}/a.S`);
    assert.deepEqual(files.wanted(), { files: [`${folder}/a.S`], folders: [folder] });
    assert.equal(told, 1);
    files.give({ files: [{ file: `${folder}/a.S`, text: 'nop' }], folders: [{ folder, names: ['b.S', 'a.S'], below: [] }] });
    assert.deepEqual([files.wanted(), files.read(`${folder}/a.S`), files.list(folder)], [null, 'nop', ['a.S', 'b.S']]);
    files.read(`${folder}/b.S`);
    assert.equal(told, 2);
  });

  it('a file that is not among the names of its folder is absent, and not asked for', () => {
    const files = createHostFiles(isVirtualUri);
    files.give({ files: [], folders: [{ folder, names: ['a.S', 'c%2B%2B.h'], below: [] }] });
    assert.equal(files.read(`${folder}/b.h`), null);
    assert.equal(files.wanted(), null);
    assert.equal(files.read(`${folder}/c++.h`), null);
    assert.deepEqual(files.wanted(), { files: [`${folder}/c++.h`], folders: [] }, 'a name that URIs escape is the same');
    assert.ok(files.knowsFile(`${folder}/b.h`) && !files.knowsFile(`${folder}/a.S`));
  });

  it('what changed is what it was until it is given again, and its folder may have another name in it', () => {
    const files = createHostFiles(isVirtualUri);
    files.give({ files: [{ file: `${folder}/a.S`, text: 'nop' }], folders: [{ folder, names: ['a.S'], below: [] }] });
    files.forget(`${folder}/a.S`);
    assert.equal(files.wanted(), null, 'nobody has asked yet');
    assert.deepEqual([files.read(`${folder}/a.S`), files.list(folder)], ['nop', ['a.S']]);
    assert.deepEqual(files.wanted(), { files: [`${folder}/a.S`], folders: [folder] });
    files.give({ files: [{ file: `${folder}/a.S`, text: null }], folders: [{ folder, names: [], below: [] }] });
    assert.deepEqual([files.read(`${folder}/a.S`), files.list(folder), files.wanted()], [null, [], null]);
  });

  it('the disk, unsaved documents and names without a folder are none of its business', () => {
    const files = createHostFiles(isVirtualUri);
    for (const path of ['/disk/a.S', 'file:///disk/a.S', 'c:/disk/a.S', 'untitled:/disk/a.S', 'include/linux/kconfig.h']) assert.equal(files.read(path), null);
    files.list('/disk');
    files.list('untitled:/disk');
    assert.equal(files.wanted(), null);
  });
});
