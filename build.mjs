// Bundles the client, the server, the worker and the command line into dist/, and with --tests the mocha files into
// out/, with --bench the bench into .cache/. dist/server.js, worker.js and cli.js start the bundles of their names. The
// grammars' .wasm files are copied beside the bundles. Browsers have a client and a server of their own, whose worker is
// the server's script in another role; nothing of Node may be in them.
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

/** What the base class of the debug adapter takes of Node, and what browsers lack. */
const forBrowsers = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  mainFields: ['browser', 'module', 'main'],
  alias: { ...alias, events: './server/src/shell/browser/events.ts', url: './server/src/shell/browser/url.ts' },
  metafile: true,
  define: { 'process.platform': '"browser"' },
};

async function buildForBrowsers(outdir) {
  const [client, server] = await Promise.all([
    build({ ...forBrowsers, outdir, entryPoints: { 'browser-client': 'client/src/extension-browser.ts' } }),
    build({ ...forBrowsers, outdir, entryPoints: { 'browser-server': 'server/src/lsp/browser.ts' }, format: 'iife', inject: ['server/src/shell/browser/immediate.ts'] }),
  ]);
  refuseNode(client, ['vscode']);
  refuseNode(server, []);
}

/** A module that a bundle loads at run time is one that a browser does not have. */
function refuseNode({ metafile }, allowed) {
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const others = imports.filter(({ path, external }) => external && !allowed.includes(path)).map(({ path }) => path);
    const text = file.endsWith('.js') ? readFileSync(file, 'utf8') : '';
    const required = [...text.matchAll(/\brequire\(\s*["'`]([^"'`]+)["'`]\s*\)/g)].map(([, name]) => name).filter((name) => !allowed.includes(name));
    if (others.length + required.length > 0) throw new Error(`${file} is for browsers and loads ${[...others, ...required].join(', ')}`);
  }
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
  await Promise.all([build({ ...common, entryPoints: tests, outdir: 'out', outbase: '.', sourcemap: true, packages: 'external', alias: {} }), buildForBrowsers('out')]);
  copyGrammars('out');
  if (!quiet) console.log(`out: ${tests.length} test files`);
} else if (flags.has('--bench')) {
  const outdir = '.cache/bench/bundles';
  const entryPoints = { main: 'bench/main.ts', 'explore-one': 'bench/explore-one.ts', 'program-one.bundle': 'bench/program-one.ts', 'program-one': 'bench/start.ts' };
  await build({ ...common, entryPoints, outdir, minify: false });
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
  await Promise.all([build({ ...common, entryPoints: present, outdir: 'dist' }), buildForBrowsers('dist')]);
  copyGrammars('dist');
  if (!quiet) console.log(`dist: ${Object.keys(present).join(', ')}, browser-client, browser-server`);
}
