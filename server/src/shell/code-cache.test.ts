import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { buildSync } from 'esbuild';
import { withFiles } from '../testing/command-line.ts';
import { cacheFolder } from './cache-folder.ts';
import { writeCode } from './code-cache.ts';

const bundle = '#!/usr/bin/env node\nconst { join } = require("node:path");\nfunction said() { return join(__dirname, "x") + __filename; }\nprocess.stdout.write(said());\n';

/** The starter as it lies in dist/, beside a bundle of its name. */
function started(folder: string, cache: string) {
  buildSync({ entryPoints: ['server/src/shell/start.ts'], outfile: join(folder, 'cli.js'), bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error' });
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, 'cli.js')], { env: { ...process.env, ENTRYCHECK_CACHE: cache }, encoding: 'utf8' });
  return { stdout, stderr, status };
}

describe('the cache of compiled code', () => {
  it('lies where the system keeps caches, or where ENTRYCHECK_CACHE says, or nowhere', () => {
    const cases: readonly (readonly [Record<string, string>, string, string, string | null])[] = [
      [{}, 'linux', '/home/u', '/home/u/.cache/entrycheck'],
      [{ XDG_CACHE_HOME: '/c' }, 'linux', '/home/u', '/c/entrycheck'],
      [{}, 'darwin', '/Users/u', '/Users/u/Library/Caches/entrycheck'],
      [{}, 'win32', 'C:\\u', null],
      [{}, 'linux', '/', null],
      [{ ENTRYCHECK_CACHE: '/elsewhere' }, 'linux', '/home/u', '/elsewhere'],
      [{ ENTRYCHECK_CACHE: 'off', XDG_CACHE_HOME: '/c' }, 'linux', '/home/u', null],
    ];
    for (const [environment, platform, home, expected] of cases) assert.equal(cacheFolder(environment, platform, home), expected);
  });

  it('runs a bundle as node runs it, keeps its code for the user alone, and runs it from there the next time', () =>
    withFiles({ 'dist/cli.bundle.js': bundle }, (folder) => {
      const [home, cache] = [join(folder, 'dist'), join(folder, 'cache')];
      const expected = join(home, 'x') + join(home, 'cli.bundle.js');
      assert.deepEqual(started(home, cache), { stdout: expected, stderr: '', status: 0 });
      const [name] = readdirSync(join(cache, 'code'));
      assert.ok(name !== undefined);
      const file = join(cache, 'code', name);
      assert.deepEqual([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777], [0o600, 0o700]);
      const code = readFileSync(file);
      assert.deepEqual(started(home, cache), { stdout: expected, stderr: '', status: 0 });
      assert.deepEqual(readFileSync(file), code, 'used, and not made anew');
    }));

  it('keeps that of the threads of a command, which run other parts, by itself', () =>
    withFiles({ 'dist/cli.bundle.js': 'const { isMainThread, Worker } = require("node:worker_threads");\nif (isMainThread) new Worker(require("node:path").join(__dirname, "cli.js"));\n' }, (folder) => {
      const [home, cache] = [join(folder, 'dist'), join(folder, 'cache')];
      const code = (): readonly (readonly [string, Buffer])[] => readdirSync(join(cache, 'code')).sort().map((name) => [name.replace(/-[^-]*$/, ''), readFileSync(join(cache, 'code', name))]);
      assert.equal(started(home, cache).status, 0);
      const first = code();
      assert.deepEqual(first.map(([name]) => name), ['cli.bundle', 'cli.bundle.thread']);
      assert.equal(started(home, cache).status, 0);
      assert.deepEqual(code(), first, 'used, and not made anew');
    }));

  it('is of the flags that V8 has when it loads: nothing else sets any', () => {
    const setting = readdirSync('server/src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && readFileSync(join('server/src', name), 'utf8').includes('setFlagsFromString'));
    assert.deepEqual(setting, [join('shell', 'code-cache.ts')]);
  });

  it('compiles where the kept code is damaged or open to others, and where nothing can be kept', () =>
    withFiles({ 'dist/cli.bundle.js': bundle, 'no-folder': '' }, (folder) => {
      const [home, cache] = [join(folder, 'dist'), join(folder, 'cache')];
      const expected = { ...started(home, cache) };
      const file = join(cache, 'code', readdirSync(join(cache, 'code'))[0] ?? '');
      writeFileSync(file, 'no code');
      assert.deepEqual(started(home, cache), expected);
      assert.notEqual(readFileSync(file, 'utf8'), 'no code', 'it was made anew');
      chmodSync(join(cache, 'code'), 0o777);
      writeFileSync(file, 'theirs');
      assert.deepEqual(started(home, cache), expected);
      assert.equal(readFileSync(file, 'utf8'), 'theirs', 'a folder that others may write to is left alone');
      assert.deepEqual(started(home, join(folder, 'no-folder')), expected);
      assert.deepEqual(started(home, 'off'), expected);
    }));

  it('keeps the code of few versions', () =>
    withFiles({}, (folder) => {
      const cache = join(folder, 'code');
      mkdirSync(cache, { mode: 0o700 });
      const code = new Script('1').createCachedData();
      for (let version = 0; version < 7; version += 1) writeCode(join(cache, `server.bundle-${version}`), code);
      writeCode(join(cache, 'worker.bundle-0'), code);
      assert.equal(readdirSync(cache).filter((name) => name.startsWith('server')).length, 4);
      assert.ok(existsSync(join(cache, 'worker.bundle-0')));
    }));
});
