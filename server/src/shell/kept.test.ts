import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFiles } from '../testing/command-line.ts';
import { createKept } from './kept.ts';
import { together } from './seen.ts';
import { createNodeWorkspace } from './workspace.ts';
import type { NodeWorkspace } from './workspace.ts';

const question = ['what', 1, null];
const result = { findings: [{ message: 'x', place: null }], by: new Map([['a', 1]]) };

/** What a review of `a.S` would ask: its text, one header that is there and one that is not, its folder. */
function asked(workspace: NodeWorkspace): NodeWorkspace {
  for (const path of ['d/a.S', 'h/x.h', 'd/x.h']) workspace.read(path);
  workspace.list('d');
  return workspace;
}

/** A folder with a program and what it reviews, and a cache. */
async function withKept(use: (folder: string, cache: string, program: string) => void): Promise<void> {
  await withFiles({ 'd/a.S': 'nop\n', 'h/x.h': '#define X\n', 'program.js': '1' }, (folder) => {
    const [cache, program] = [join(folder, 'cache'), join(folder, 'program.js')];
    createKept(cache, [program]).keep(question, asked(createNodeWorkspace(folder)).seen(), result);
    use(folder, cache, program);
  });
}

describe('results that are kept', () => {
  it('are found by another process as long as all that was read is the same', () =>
    withKept((folder, cache, program) => {
      assert.deepEqual(createKept(cache, [program]).find(question, createNodeWorkspace(folder)), result);
      assert.equal(createKept(cache, [program]).find(['what', 2, null], createNodeWorkspace(folder)), null);
      assert.equal(createKept(null, []).find(question, createNodeWorkspace(folder)), null);
    }));

  const changes: readonly (readonly [string, (folder: string) => void])[] = [
    ['a text that changed', (folder) => writeFileSync(join(folder, 'd/a.S'), 'nop;\n')],
    ['a header that changed', (folder) => writeFileSync(join(folder, 'h/x.h'), '#define X 1\n')],
    ['a header that is found sooner now', (folder) => writeFileSync(join(folder, 'd/x.h'), '')],
    ['a text that is gone', (folder) => rmSync(join(folder, 'd/a.S'))],
    ['a text that can no longer be read', (folder) => writeFileSync(join(folder, 'd/a.S'), new Uint8Array([0, 1, 2]))],
    ['a file beside it', (folder) => writeFileSync(join(folder, 'd/.xctx.yaml'), '')],
    ['another build of the program', (folder) => writeFileSync(join(folder, 'program.js'), '12')],
  ];
  for (const [name, change] of changes) {
    it(`are void by ${name}`, () =>
      withKept((folder, cache, program) => {
        change(folder);
        assert.equal(createKept(cache, [program]).find(question, createNodeWorkspace(folder)), null);
      }));
  }

  it('are void on another day, where a day was asked for', () =>
    withFiles({}, (folder) => {
      const kept = createKept(null, []);
      const workspace = createNodeWorkspace(folder);
      assert.equal(workspace.seen().day, null);
      workspace.today?.();
      kept.keep(question, workspace.seen(), result);
      assert.deepEqual(kept.find(question, createNodeWorkspace(folder)), result);
      assert.equal(kept.find(question, { ...createNodeWorkspace(folder), today: () => '2001-01-01' }), null);
    }));

  it('are of texts that win over the disk too', () =>
    withKept((folder, cache, program) => {
      const patched = (): NodeWorkspace => createNodeWorkspace(folder, new Map([['d/a.S', 'hlt\n']]));
      const kept = createKept(cache, [program]);
      assert.equal(kept.find(question, patched()), null);
      kept.keep(question, asked(patched()).seen(), { other: true });
      for (const each of [kept, createKept(cache, [program])]) {
        assert.deepEqual(each.find(question, patched()), { other: true });
        assert.deepEqual(each.find(question, createNodeWorkspace(folder)), result);
      }
    }));

  it('rest on all that their parts saw, and are not kept where a file changed between these', () =>
    withKept((folder, cache, program) => {
      const before = asked(createNodeWorkspace(folder)).seen();
      writeFileSync(join(folder, 'h/x.h'), '');
      const after = asked(createNodeWorkspace(folder)).seen();
      assert.equal(together([before, after]), null);
      assert.deepEqual(together([after, createNodeWorkspace(folder).seen()]), after);
      const kept = createKept(cache, [program]);
      kept.keep(question, together([before, after]), result);
      assert.equal(kept.find(question, createNodeWorkspace(folder)), null);
    }));

  it('are read by their user alone, and only where nobody else can have written them', () =>
    withKept((folder, cache, program) => {
      const home = join(cache, 'results');
      const file = join(home, readdirSync(home)[0] ?? '');
      assert.deepEqual([statSync(home).mode & 0o777, statSync(file).mode & 0o777], [0o700, 0o600]);
      chmodSync(home, 0o777);
      assert.equal(createKept(cache, [program]).find(question, createNodeWorkspace(folder)), null);
    }));

  it('are nothing where they are damaged', () =>
    withKept((folder, cache, program) => {
      const home = join(cache, 'results');
      const file = join(home, readdirSync(home)[0] ?? '');
      const bytes = readFileSync(file);
      for (const damaged of [bytes.subarray(0, 40), bytes.subarray(0, 3), Buffer.from(bytes.map((byte, at) => (at === bytes.length - 5 ? byte ^ 1 : byte))), Buffer.alloc(0)]) {
        writeFileSync(file, damaged);
        assert.equal(createKept(cache, [program]).find(question, createNodeWorkspace(folder)), null);
      }
    }));

  it('are few', () =>
    withKept((folder, cache, program) => {
      mkdirSync(join(cache, 'results'), { recursive: true });
      const kept = createKept(cache, [program]);
      for (let at = 0; at < 210; at += 1) kept.keep([at], createNodeWorkspace(folder).seen(), {});
      assert.equal(readdirSync(join(cache, 'results')).length, 200);
    }));
});
