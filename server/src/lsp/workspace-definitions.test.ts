// What "go to symbol in workspace" finds in files that nobody has opened.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReview } from '../core/review.ts';
import { withFiles } from '../testing/command-line.ts';
import { diskFolders } from '../shell/disk-folders.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createWorkspace } from '../worker/disk.ts';
import { createWorkspaceDefinitions } from './workspace-definitions.ts';

describe('definitions of a workspace', () => {
  const review = async () => createReview(loadGrammars(__dirname), createWorkspace(), null);

  it('are those of its files, and follow changes on the disk', () =>
    withFiles({ 'a.c': 'int alpha(void) { }\n', 'deep/b.S': 'beta:\n\tret\n', 'deep/script.lds.S': 'gamma = 1\n', '.hidden/c.c': 'int delta;\n', 'node_modules/d.c': 'int epsilon;\n' }, async (folder) => {
      const [one, definitions] = [await review(), createWorkspaceDefinitions(diskFolders)];
      const names = async (query: string): Promise<readonly string[]> => {
        await definitions.ready(one, [folder]);
        return one.workspaceSymbols(query).map(({ name, kind, container }) => `${kind} ${name} ${container}`).sort();
      };
      assert.deepEqual(await names(''), ['function alpha a.c', 'label beta b.S']);
      writeFileSync(join(folder, 'a.c'), 'struct alphabet { int a; };\n');
      rmSync(join(folder, 'deep/b.S'));
      writeFileSync(join(folder, 'new.h'), '#define BETA 1\n');
      assert.deepEqual(await names('BETA'), ['label beta b.S'], 'nobody has told of the changes');
      definitions.changed(['a.c', 'deep/b.S', 'new.h', 'notes.txt'].map((name) => join(folder, name)));
      assert.deepEqual(await names('be'), ['macro BETA new.h', 'type alphabet a.c']);
    }));

  it('are those of the entry code of a kernel tree, each told once and as an open file has it', () =>
    withFiles({ 'arch/x86/entry/entry_64.S': '.globl entry\nentry:\n\tret\n', 'arch/x86/kernel/traps.c': 'void exc(void) { }\n', 'drivers/d.c': 'int driver;\n' }, async (folder) => {
      const [one, definitions] = [await review(), createWorkspaceDefinitions(diskFolders)];
      one.setFile(join(folder, 'arch/x86/entry/entry_64.S'), '.globl renamed\nrenamed:\n\tret\n');
      await Promise.all([definitions.ready(one, [folder]), definitions.ready(one, [folder])]);
      assert.deepEqual(one.workspaceSymbols('').map(({ name }) => name).sort(), ['exc', 'renamed']);
    }));
});
