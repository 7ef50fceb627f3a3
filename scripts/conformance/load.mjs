// The sequences, the comparison and our machine as a module that node can run: bundled from the TypeScript sources, with
// the grammars of the parsers beside it.
import { buildSync } from 'esbuild';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

const grammars = ['node_modules/web-tree-sitter/web-tree-sitter.wasm', 'node_modules/tree-sitter-c/tree-sitter-c.wasm', 'grammars/tree-sitter-gas.wasm'];

export function loadConformance(root, scratch) {
  const outfile = join(scratch, 'conformance.cjs');
  const entry = join(root, 'server/src/testing/conformance/index.ts');
  const alias = { 'web-tree-sitter': join(root, 'node_modules/web-tree-sitter/web-tree-sitter.cjs') };
  buildSync({ entryPoints: [entry], bundle: true, platform: 'node', format: 'cjs', target: 'node20', alias, outfile, logLevel: 'warning' });
  for (const grammar of grammars) cpSync(join(root, grammar), join(scratch, basename(grammar)));
  return createRequire(import.meta.url)(outfile);
}
