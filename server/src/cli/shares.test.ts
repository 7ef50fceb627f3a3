// Configurations of a kernel tree explored in threads are those explored in the command's own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { runCommand, withFiles } from '../testing/command-line.ts';
import { treeWithout } from '../testing/kernel.ts';
import { createKept } from '../shell/kept.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { openSession } from './session.ts';
import { createShares } from './shares.ts';

const folder = 'out/threads';
const bundle = resolve(folder, 'cli.js');

describe('shares of a kernel tree', () => {
  before(() => {
    buildSync({ entryPoints: ['server/src/cli/main.ts'], outfile: bundle, bundle: true, platform: 'node', format: 'cjs', external: ['web-tree-sitter'], logLevel: 'error' });
    mkdirSync(folder, { recursive: true });
    for (const name of ['web-tree-sitter.wasm', 'tree-sitter-c.wasm', 'tree-sitter-gas.wasm']) copyFileSync(join('out', name), join(folder, name));
  });

  for (const [name, dropped] of [['as they are', []], ['without the first guard', [0]], ['without two others', [2, 5]]] as const) {
    it(`explored in threads give the findings of stubs ${name}`, async function () {
      this.timeout(60_000);
      await withFiles(treeWithout(dropped), async (tree) => {
        const argv = ['check', 'arch/x86/entry', '--format', 'json'];
        const alone = await runCommand(argv, tree);
        const { status, stdout } = spawnSync(process.execPath, [bundle, ...argv], { cwd: tree, encoding: 'utf8', env: { ...process.env, ENTRYCHECK_CACHE: 'off' } });
        assert.deepEqual([status, JSON.parse(stdout)], [alone.status, JSON.parse(alone.out)]);
        assert.equal(alone.status, 1);
      });
    });
  }

  it('are explored once as long as their texts are the same, and what is kept is what is found', async function () {
    this.timeout(60_000);
    await withFiles({ ...treeWithout([0]), 'arch/x86/entry/common.c': 'int x;\n' }, async (tree) => {
      const cache = join(tree, 'cache');
      const argv = ['check', 'arch/x86/entry', '--format', 'json'];
      const run = (): readonly [number | null, unknown] => {
        const { status, stdout } = spawnSync(process.execPath, [bundle, ...argv], { cwd: tree, encoding: 'utf8', env: { ...process.env, ENTRYCHECK_CACHE: cache } });
        return [status, JSON.parse(stdout)];
      };
      const held = (): number => readdirSync(join(cache, 'results')).length;
      const first = run();
      const shares = availableParallelism() > 1 ? held() - 1 : 0;
      assert.deepEqual([first, first[0]], [run(), 1]);
      assert.equal(held(), shares + 1);
      // C code that the shares do not read.
      writeFileSync(join(tree, 'arch/x86/entry/common.c'), 'int y;\n');
      assert.deepEqual(run(), first);
      assert.equal(held(), shares + 2);
      for (const dropped of [[0, 2], [0]]) {
        const text = treeWithout(dropped)['arch/x86/entry/entry_64.S'] ?? '';
        writeFileSync(join(tree, 'arch/x86/entry/entry_64.S'), text);
        const alone = await runCommand(argv, tree);
        assert.deepEqual(run(), [alone.status, JSON.parse(alone.out)]);
      }
      assert.equal(held(), 2 * shares + 3, 'what was there before is found again');
    });
  });

  it('are started once a tree, and not where there is one processor or no tree', async function () {
    this.timeout(60_000);
    await withFiles({ ...treeWithout([]), 'design.S': 'nop\n' }, async (tree) => {
      const io = { out: () => undefined, err: () => undefined, input: () => new Uint8Array(), cwd: tree, home: resolve('out'), bundle, cache: null, color: false, columns: 100, progress: false, working: () => undefined };
      const session = await openSession(io, createNodeWorkspace(tree));
      const shares = createShares(session, null, new Map(), createKept(null, []), io);
      const several = availableParallelism() > 1;
      assert.equal(shares.start(join(tree, 'arch/x86/entry')), several);
      assert.equal(shares.start(join(tree, 'arch/x86/kernel')), several);
      assert.equal(createShares(session, null, new Map(), createKept(null, []), { ...io, bundle: null }).start(join(tree, 'arch/x86/entry')), false);
      const [one, other] = await Promise.all([shares.results(join(tree, 'arch/x86/entry')), shares.results(join(tree, 'arch/x86/kernel'))]);
      assert.deepEqual(one, other);
      assert.equal(one?.reports.some((report) => report.scenario === 'entry paths'), several);
    });
  });
});
