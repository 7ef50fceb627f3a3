// Finds and reads the three .wasm files that the parsers need: they lie beside the bundle that runs, or, for the
// tests, in the root of their output folder. Knows nothing of parsing.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GrammarBytes } from '../core/review.ts';

const names = { core: 'web-tree-sitter.wasm', gas: 'tree-sitter-gas.wasm', c: 'tree-sitter-c.wasm' };

/** The grammars of the bundle in `folder` or in one of the folders above it. Throws where the build left them out. */
export function loadGrammars(folder: string): GrammarBytes {
  const home = homeOf(folder);
  return { core: readFileSync(join(home, names.core)), gas: readFileSync(join(home, names.gas)), c: readFileSync(join(home, names.c)) };
}

/** Where they lie. Throws where the build left them out. */
export function grammarFiles(folder: string): readonly string[] {
  const home = homeOf(folder);
  return Object.values(names).map((name) => join(home, name));
}

function homeOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (Object.values(names).every((name) => existsSync(join(at, name)))) return at;
    if (dirname(at) === at) throw new Error(`the grammars (${Object.values(names).join(', ')}) are not beside the program: run npm run build`);
  }
}
