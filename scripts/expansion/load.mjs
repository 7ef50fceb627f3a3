// The preprocessor as a module that node can run: bundled from the TypeScript sources into the scratch folder.
import { buildSync } from 'esbuild';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const core = join(dirname(fileURLToPath(import.meta.url)), '../../server/src/core/preprocess');

export function loadPreprocessor(scratch) {
  const outfile = join(scratch, 'preprocess.cjs');
  const contents = ['preprocess', 'configurations', 'expression', 'operands'].map((name) => `export * from './${name}.ts';`).join('\n');
  buildSync({ stdin: { contents, resolveDir: core, loader: 'ts' }, bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'warning' });
  return createRequire(import.meta.url)(outfile);
}
