// The sequences, the comparison and our machine as a module that node can run: bundled from the TypeScript sources.
import { buildSync } from 'esbuild';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export function loadConformance(root, scratch) {
  const outfile = join(scratch, 'conformance.cjs');
  const entry = join(root, 'server/src/testing/conformance/index.ts');
  const alias = { 'web-tree-sitter': join(root, 'node_modules/web-tree-sitter/web-tree-sitter.cjs') };
  buildSync({ entryPoints: [entry], bundle: true, platform: 'node', format: 'cjs', target: 'node20', alias, outfile, logLevel: 'warning' });
  return createRequire(import.meta.url)(outfile);
}
