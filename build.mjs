// Bundles the client, the server, the worker and the command line into dist/, and with --tests the mocha files into
// out/, with --bench the bench into .cache/. dist/server.js, worker.js and cli.js start the bundles of their names. The
// grammars' .wasm files are copied beside the bundles.
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const flags = new Set(process.argv.slice(2));
const production = flags.has('--production');
const quiet = flags.has('--quiet');

/** web-tree-sitter's ESM build cannot live in a CommonJS bundle; its .cjs file can. */
const alias = { 'web-tree-sitter': './node_modules/web-tree-sitter/web-tree-sitter.cjs' };

const common = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  alias,
  sourcemap: !production,
  minify: production,
  logLevel: 'warning',
  external: ['vscode', 'mocha'],
  legalComments: 'none',
};

function filesBelow(folder, suffix) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

const grammars = [
  ['node_modules/web-tree-sitter/web-tree-sitter.wasm', 'web-tree-sitter.wasm'],
  ['node_modules/tree-sitter-c/tree-sitter-c.wasm', 'tree-sitter-c.wasm'],
  ['grammars/tree-sitter-gas.wasm', 'tree-sitter-gas.wasm'],
];

function copyGrammars(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [from, to] of grammars) if (existsSync(from)) cpSync(from, join(folder, to));
}

if (flags.has('--tests')) {
  rmSync('out', { recursive: true, force: true });
  const tests = [...filesBelow('server/src', '.test.ts'), ...filesBelow('client/src', '.test.ts')];
  await build({ ...common, entryPoints: tests, outdir: 'out', outbase: '.', sourcemap: true, packages: 'external', alias: {} });
  copyGrammars('out');
  if (!quiet) console.log(`out: ${tests.length} test files`);
} else if (flags.has('--bench')) {
  const outdir = '.cache/bench/bundles';
  await build({ ...common, entryPoints: ['bench/main.ts', 'bench/explore-one.ts', 'bench/program-one.ts'], outdir, minify: false });
  copyGrammars(outdir);
} else {
  rmSync('dist', { recursive: true, force: true });
  const entries = {
    client: 'client/src/extension.ts',
    'server.bundle': 'server/src/lsp/main.ts',
    'worker.bundle': 'server/src/worker/main.ts',
    'cli.bundle': 'server/src/cli/main.ts',
    panel: 'client/src/panel/page.ts',
    ...Object.fromEntries(['server', 'worker', 'cli'].map((name) => [name, 'server/src/shell/start.ts'])),
  };
  const present = Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path)));
  await build({ ...common, entryPoints: present, outdir: 'dist', metafile: true });
  copyGrammars('dist');
  if (!quiet) console.log(`dist: ${Object.keys(present).join(', ')}`);
}
