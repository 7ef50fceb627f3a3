import assert from 'node:assert/strict';
import { runCommand, withFiles } from '../testing/command-line.ts';
import { treePaths } from './tree-path.ts';

const tree = `${process.cwd()}/test-fixtures/editor/kernel`;

describe('paths inside a kernel tree', () => {
  it('are read from its root down and shown as typed', () => {
    const { inside, shown } = treePaths(`${tree}/arch/x86/entry`);
    assert.deepEqual(['entry_64.S', '.', '../mm/fault.c', '/tmp/x.S'].map(inside), ['../../../arch/x86/entry/entry_64.S', '../../../arch/x86/entry', '../../../arch/x86/mm/fault.c', '/tmp/x.S']);
    assert.deepEqual(['../../../arch/x86/entry/entry_64.S', '../../../arch/x86/mm/fault.c', '/tmp/x.S'].map(shown), ['entry_64.S', '../mm/fault.c', '/tmp/x.S']);
  });

  it('are left alone at the root of a tree and outside of any', () => {
    for (const folder of [tree, process.cwd(), '/']) assert.deepEqual(['a/b.S', '../c'].map(treePaths(folder).inside), ['a/b.S', '../c']);
  });

  it('are those of any command', async () => {
    const { status, out, err } = await runCommand(['check', '--severity', 'hint', 'entry_64.S', 'calling.h'], `${tree}/arch/x86/entry`);
    assert.deepEqual([status, err.includes('no such file'), out.split('\n')[0]?.startsWith('entry_64.S:')], [1, false, true]);
    assert.ok(!out.includes('cannot find include file'), out);
    assert.match((await runCommand(['context', 'entry_64.S:1'], `${tree}/arch/x86/entry`)).err, /^entrycheck: entry_64\.S:1: /);
  });
});

describe('headers on the command line', () => {
  it('are reviewed with the sources beside them', () =>
    withFiles({ 'demo.h': '#define DEMO 1\n', 'demo.c': '#include "demo.h"\nint demo;\n' }, async (folder) => {
      assert.equal((await runCommand(['check', 'demo.h'], folder)).status, 0);
    }));

  it('are refused where nothing uses them', () =>
    withFiles({ 'demo.h': '#define DEMO 1\n' }, async (folder) => {
      const { status, err } = await runCommand(['check', 'demo.h'], folder);
      assert.equal(status, 2);
      assert.match(err, /^entrycheck: demo\.h: a header that no source beside it uses/);
    }));
});
