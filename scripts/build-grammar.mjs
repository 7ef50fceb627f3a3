// Makes grammars/src/parser.c from grammar.js where the tree-sitter generator is installed, and tree-sitter-gas.wasm
// from that. With --check it writes nothing and fails where the committed files are not what the sources give.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const check = process.argv.includes('--check');
const clang = process.env.CLANG ?? 'clang-19';
const generated = ['src/parser.c', 'src/grammar.json', 'src/node-types.json', 'src/tree_sitter/parser.h', 'src/tree_sitter/alloc.h', 'src/tree_sitter/array.h'];
const module = 'tree-sitter-gas.wasm';

function installed(tool) {
  return spawnSync(tool, ['--version']).status === 0;
}

// In a copy, so that the names in the compiler's output do not depend on where the repository lies.
const work = mkdtempSync(join(tmpdir(), 'grammar-'));
let failed = false;
try {
  cpSync('grammars', work, { recursive: true });
  if (installed('tree-sitter')) {
    execFileSync('tree-sitter', ['generate', '--abi', '15'], { cwd: work, stdio: 'inherit' });
    take(generated);
  } else console.log('grammar: no tree-sitter generator, parser.c stays as it is');
  if (installed(clang)) {
    compile();
    take([module]);
  } else console.log(`grammar: no ${clang}, ${module} stays as it is`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

function compile() {
  const flags = [
    '--target=wasm32-unknown-wasi', '-o', join('..', module), '-fPIC', '-shared', '-Os', '-Wl,--export=tree_sitter_gas', '-Wl,--allow-undefined',
    '-Wl,--no-entry', '-Wl,--strip-debug', '-nostdlib', '-fno-exceptions', '-fvisibility=hidden', '-I', '.', 'parser.c', 'scanner.c',
  ];
  const { status, stderr } = spawnSync(clang, flags, { cwd: join(work, 'src'), encoding: 'utf8' });
  const complaints = stderr.split('\n').filter((line) => line !== '' && !/creating shared libraries, with -shared, is not yet stable/.test(line));
  if (complaints.length > 0) console.error(complaints.join('\n'));
  if (status !== 0) throw new Error(`${clang} failed on the grammar; it needs lld and wasi-libc beside it`);
}

function take(paths) {
  for (const path of paths) {
    const to = join('grammars', path);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(join(work, path)))) continue;
    if (check) {
      console.error(`grammar: ${to} is not what the sources give; run node scripts/build-grammar.mjs`);
      failed = true;
    } else {
      cpSync(join(work, path), to);
      console.log(`grammar: wrote ${to}`);
    }
  }
}
