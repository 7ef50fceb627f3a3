// The disk as an editor's review asks for it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFiles } from '../testing/command-line.ts';
import { createWorkspace } from './disk.ts';

describe('the disk of an editor', () => {
  it('is asked for the names in a folder once an answer, and again when some time has passed or a file has changed', () =>
    withFiles({ 'a.S': 'nop\n' }, (folder) => {
      let time = 0;
      const workspace = createWorkspace(() => time);
      assert.deepEqual(workspace.list(folder), ['a.S']);
      writeFileSync(join(folder, 'b.S'), 'nop\n');
      time += 100;
      assert.deepEqual(workspace.list(folder), ['a.S']);
      workspace.forget(join(folder, 'b.S'));
      assert.deepEqual(workspace.list(folder), ['a.S', 'b.S']);
      writeFileSync(join(folder, 'c.S'), 'nop\n');
      time += 1000;
      assert.deepEqual(workspace.list(folder), ['a.S', 'b.S', 'c.S']);
    }));
});
