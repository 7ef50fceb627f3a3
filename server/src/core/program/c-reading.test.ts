import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Configuration } from '../preprocess/stream.ts';
import { createCParser, parseC } from '../syntax/c.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';
import { createParsers } from '../syntax/parser.ts';
import { cSource } from './c-lower.ts';
import { printFunction } from './c-print.ts';
import type { CSource } from './c-source.ts';

const grammar = (name: string): Uint8Array => readFileSync(`out/${name}.wasm`);
type CParser = (text: string) => CTranslationUnit;
let made: ReturnType<typeof createParsers> | null = null;
let remembering: Promise<CParser> | null = null;

/** Made when the first test asks: loading grammars beside another load in one process spoils both. */
function ready(): ReturnType<typeof createParsers> {
  return (made ??= createParsers({ core: grammar('web-tree-sitter'), gas: grammar('tree-sitter-gas'), c: grammar('tree-sitter-c') }));
}

/** The parser that the tests of C share. */
export function cParser(): Promise<CParser> {
  return (remembering ??= ready().then((parsers) => createCParser(parsers)));
}

/** A parse that knows of no other. */
export async function freshly(text: string): Promise<CTranslationUnit> {
  return parseC(await ready(), text);
}

/** Reads `a.c` among files given by path. */
export async function readC(files: Readonly<Record<string, string>> | string, defines: readonly string[] = [], includePaths: readonly string[] = []): Promise<CSource> {
  const texts = typeof files === 'string' ? { 'a.c': files } : files;
  const configuration: Configuration = { name: 'test', defines: new Map(defines.map((name) => [name, '1'])), includePaths };
  return cSource('a.c', { read: (path) => texts[path] ?? null }, await cParser(), configuration);
}

/** The operations of one function, a line each. */
export async function lowered(text: string, name = 'f'): Promise<readonly string[]> {
  const source = await readC(text);
  const found = source.functions.find((one) => one.name === name);
  assert.ok(found !== undefined, `${name}() is found`);
  return printFunction(found);
}

describe('C under test', () => {
  it('is parsed by the real grammar', async () => {
    const source = await readC('void f(void) { }');
    assert.deepEqual(source.functions.map((one) => one.name), ['f']);
  });
});
