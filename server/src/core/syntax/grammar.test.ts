import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Parsers } from './parser.ts';
import { expressionOf, testParsers } from './test-parsers.test.ts';

/** What the test asks of the engine's WebAssembly, which Node's types leave out. */
interface WasmModules {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): readonly { readonly name: string }[];
    exports(module: object): readonly { readonly name: string }[];
  };
}

interface Case {
  readonly name: string;
  readonly source: string;
  readonly expected: string;
}

const FOLDER = 'grammars/test/corpus';
const RULER = '='.repeat(16);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

function casesIn(path: string): readonly Case[] {
  const parts = readFileSync(path, 'utf8').split(/^={3,}\n(.*)\n={3,}\n/m).slice(1);
  return parts.flatMap((name, index): Case[] => {
    if (index % 2 === 1) return [];
    const [source = '', expected = ''] = (parts[index + 1] ?? '').split(/^-{3,}\n/m);
    return [{ name, source: source.replace(/\n$/, ''), expected: expected.trim() }];
  });
}

function treeOf(parsers: Parsers, source: string): string {
  const tree = parsers.parse('gas', source);
  const { type } = tree.root;
  const lines = tree.root.children().filter((child) => child.named || child.missing).map((child) => `  ${expressionOf(child)}`);
  parsers.release(tree);
  return `(${[type, ...lines].join('\n')})`;
}

/** `UPDATE=1` rewrites the corpus from what the grammar gives; CI never sets it. */
describe('grammar corpus', () => {
  for (const file of files) {
    const path = join(FOLDER, file);
    const cases = casesIn(path);
    it(`${file} has cases with trees`, () => assert.ok(cases.length > 0 && (process.env['UPDATE'] === '1' || cases.every(({ expected }) => expected !== ''))));
    if (process.env['UPDATE'] === '1' && process.env['CI'] === undefined) {
      it(`${file} is rewritten`, async () => {
        const parsers = await testParsers();
        const text = cases.map(({ name, source }) => `${RULER}\n${name}\n${RULER}\n${source}\n${'-'.repeat(16)}\n\n${treeOf(parsers, source)}\n`);
        writeFileSync(path, text.join('\n'));
      });
    } else {
      for (const { name, source, expected } of cases) it(name, async () => assert.equal(treeOf(await testParsers(), source), expected));
    }
  }
});

describe('the grammar as WASM', () => {
  const { Module } = (globalThis as unknown as { readonly WebAssembly: WasmModules }).WebAssembly;
  const module = new Module(readFileSync('grammars/tree-sitter-gas.wasm'));

  it('imports only what web-tree-sitter provides', () => {
    // A name outside this list passes loading and throws at first use; these are the memory's layout.
    const provided = new Set(['memory', '__indirect_function_table', '__memory_base', '__table_base', '__stack_pointer']);
    assert.deepEqual(Module.imports(module).map(({ name }) => name).filter((name) => !provided.has(name)), []);
  });

  it('exports the language under its name', () => {
    assert.ok(Module.exports(module).some(({ name }) => name === 'tree_sitter_gas'));
  });
});
