// The import table of ARCHITECTURE.md: who may import whom. A line here and a row there say the same.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const root = 'server/src';

/** Layer, and the layers that it may import besides itself. A layer is the folder, or the file for those in `core`. */
const mayImport: ReadonlyMap<string, readonly string[]> = new Map([
  ['core/base', []],
  ['core/explore', ['core/base']],
  ['core/machine', ['core/base']],
  ['core/kernel', ['core/base', 'core/machine']],
  ['core/syntax', ['core/base']],
  ['core/preprocess', ['core/base', 'core/syntax']],
  ['core/program', ['core/base', 'core/machine', 'core/kernel', 'core/syntax', 'core/preprocess']],
  ['core/contexts', ['core/base', 'core/machine', 'core/kernel', 'core/program', 'core/explore']],
  ['core/scenarios', ['core/base', 'core/machine', 'core/kernel', 'core/program', 'core/explore']],
  ['core/tree', ['core/base', 'core/syntax', 'core/preprocess']],
  ['core/hierarchy', ['core/base', 'core/tree']],
  ['core/rules', ['core/base', 'core/machine', 'core/kernel', 'core/program', 'core/tree', 'core/explore', 'core/contexts', 'core/scenarios']],
  ['core/review', ['core']],
  ['core/render', ['core']],
  ['shell', ['core/base', 'core/review']],
  ['worker', ['core/base', 'core/review', 'core/render', 'shell']],
  ['dap', ['core/base', 'core/review', 'core/render']],
  ['cli', ['core/base', 'core/review', 'core/render', 'shell', 'dap', 'front end']],
  ['front end', ['core', 'cli', 'shell']],
  ['lsp', ['core/base', 'core/review', 'core/render', 'shell', 'worker', 'dap']],
]);

/** Sub-commands that show the front end itself, below the review. */
const frontEnd: ReadonlySet<string> = new Set(['cli/expand.ts', 'cli/stats.ts', 'cli/definitions.ts', 'cli/sources.ts']);

/** Plain shapes that every layer of the core may name, by `import type` only. */
const shapes: ReadonlySet<string> = new Set(['core/scenarios/scenario.ts', 'core/rules/finding.ts', 'core/syntax/annotation-types.ts']);

/** Packages, and the one place that may import them; `vscode` has none in the server. */
const packages: readonly (readonly [RegExp, RegExp])[] = [
  [/^web-tree-sitter$/, /^core\/syntax\/parser\.ts$/],
  [/^vscode-languageserver/, /^(?:lsp|worker)\//],
  [/^@vscode\/debug/, /^dap\//],
  [/^(?:vscode|vscode-languageclient.*)$/, /^$/],
  [/^node:/, /^(?:cli|lsp|worker|shell)\//],
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typesOnly: boolean;
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gms);
  return [...found].map(([, type, to]) => ({ from: file, to: to?.startsWith('.') ? posix.join(dirname(file), to) : (to ?? ''), typesOnly: type !== undefined }));
}

/** `core/review-types.ts` and all other files of `core` itself are one layer with `core/review.ts`. */
function layerOf(file: string): string {
  if (frontEnd.has(file)) return 'front end';
  const [first, second, third] = file.split('/');
  if (first !== 'core') return first ?? '';
  return third === undefined ? 'core/review' : `core/${second}`;
}

const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/\.test(?:-data)?\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1).replaceAll('\\', '/'))
  .filter((file) => layerOf(file) !== 'testing');
const imports = files.flatMap(importsOf);

describe('layers', () => {
  it('every file is in a layer of the table', () => {
    assert.deepEqual([...new Set(files.map(layerOf))].filter((layer) => !mayImport.has(layer)), []);
  });

  it('files import only what the table allows', () => {
    const wrong = imports.filter(({ from, to, typesOnly }) => {
      if (!files.includes(to) || (typesOnly && shapes.has(to) && from.startsWith('core/'))) return false;
      const [own, other] = [layerOf(from), layerOf(to)];
      const allowed = mayImport.get(own) ?? [];
      return own !== other && !allowed.includes(other) && !(allowed.includes('core') && other.startsWith('core/'));
    });
    assert.deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
  });

  it('packages are imported in their one place', () => {
    const wrong = imports.filter(({ from, to }) => packages.some(([name, place]) => name.test(to) && !place.test(from)));
    assert.deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
  });

  it('the table of ARCHITECTURE.md has a row for each layer', () => {
    const text = readFileSync('ARCHITECTURE.md', 'utf8');
    for (const layer of mayImport.keys()) if (layer !== 'front end') assert.ok(text.includes(`\`${layer}`), layer);
  });
});
