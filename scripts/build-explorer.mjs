// Makes explorer.wasm from explorer.c. With --check it writes nothing and fails where the committed module is not what
// the source gives; without the compiler the module stays as it is.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const check = process.argv.includes('--check');
const clang = process.env.CLANG ?? 'clang-19';
const folder = 'server/src/core/explore/wasm';
const module = join(folder, 'explorer.wasm');

if (spawnSync(clang, ['--version']).status !== 0) {
  console.log(`explorer: no ${clang}, ${module} stays as it is`);
  process.exit(0);
}
const work = mkdtempSync(join(tmpdir(), 'explorer-'));
try {
  const made = join(work, 'explorer.wasm');
  const flags = [
    '--target=wasm32', '-O3', '-std=c11', '-Wall', '-Wextra', '-Werror', '-mbulk-memory', '-nostdlib', '-fno-exceptions', '-o', made,
    '-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=65536', 'explorer.c',
  ];
  const { status, stderr } = spawnSync(clang, flags, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${clang} failed on the explorer; it needs lld beside it\n${stderr}`);
  if (existsSync(module) && readFileSync(module).equals(readFileSync(made))) console.log(`explorer: ${module} is what its source gives`);
  else if (check) {
    console.error(`explorer: ${module} is not what its source gives; run node scripts/build-explorer.mjs`);
    process.exitCode = 1;
  } else {
    cpSync(made, module);
    console.log(`explorer: wrote ${module}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
