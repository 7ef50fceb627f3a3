// `stats PATH...`: how much of real assembler files is understood: text outside every grammar rule, mnemonics, macros
// and includes that nothing defines, and which file takes longest.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { indexLines, positionAt } from '../core/base/line-index.ts';
import { meaningOf } from '../core/machine/instructions/index.ts';
import { preprocess } from '../core/preprocess/preprocess.ts';
import type { AssemblerStream } from '../core/preprocess/stream.ts';
import { asmItems } from '../core/syntax/asm.ts';
import type { Parsers } from '../core/syntax/parser.ts';
import { createParsers } from '../core/syntax/parser.ts';
import { countDefinitions, definitionsText } from './definitions.ts';
import type { Output } from './expand.ts';
import { chooseConfiguration, diskSource, readOptions } from './sources.ts';

interface Totals {
  files: number;
  bytes: number;
  lines: number;
  errorLines: number;
  instructions: number;
  readonly mnemonics: Map<string, number>;
  readonly macros: Map<string, number>;
  readonly includes: Map<string, number>;
  readonly problems: Map<string, number>;
  slowest: { readonly file: string; readonly milliseconds: number };
}

/** 0, or 2 where a path cannot be read or an option is wrong. */
export async function stats(argv: readonly string[], io: Output): Promise<number> {
  const options = readOptions(argv.filter((word) => word !== '--definitions'), ['--config', '--variant', '-D', '--format']);
  if (typeof options === 'string') return refuse(io, options);
  if (options.rest.length === 0) return refuse(io, 'usage: stats PATH... [--definitions] [--config FILE|PRESET] [--variant V] [-D NAME[=VALUE]] [--format text|json]');
  const missing = options.rest.find((path) => !existsSync(path));
  if (missing !== undefined) return refuse(io, `cannot read ${missing}`);
  const one = (name: string): string | null => options.values.get(name)?.at(-1) ?? null;
  const format = one('--format') ?? 'text';
  if (format !== 'text' && format !== 'json') return refuse(io, `unknown format ${format}: there are text and json`);
  if (argv.includes('--definitions')) {
    const counts = countDefinitions(options.rest);
    io.write(format === 'json' ? `${JSON.stringify({ version: 1, ...counts })}\n` : definitionsText(counts));
    return 0;
  }
  const files = options.rest.flatMap(assemblerFiles);
  const source = diskSource();
  const parsers = await loadParsers();
  const totals: Totals = {
    files: 0, bytes: 0, lines: 0, errorLines: 0, instructions: 0, mnemonics: new Map(), macros: new Map(), includes: new Map(), problems: new Map(), slowest: { file: '', milliseconds: 0 },
  };
  for (const file of files) {
    const configuration = chooseConfiguration(file, source, { config: one('--config'), variant: one('--variant'), defines: options.values.get('-D') ?? [] });
    if (typeof configuration === 'string') return refuse(io, configuration);
    const text = source.read(file) ?? '';
    const began = performance.now();
    const stream = preprocess(file, source, configuration);
    const milliseconds = performance.now() - began;
    if (milliseconds > totals.slowest.milliseconds) totals.slowest = { file, milliseconds };
    totals.files++;
    totals.bytes += Buffer.byteLength(text);
    if (parsers !== null) countErrors(parsers, text, totals);
    countStream(stream, totals);
  }
  io.write(format === 'json' ? `${JSON.stringify(asObject(totals, parsers !== null))}\n` : asText(totals, parsers !== null));
  return 0;
}

function refuse(io: Output, message: string): number {
  io.error(`${message}\n`);
  return 2;
}

/** Linker scripts carry the same ending and are no assembler. */
function assemblerFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.S') && !name.endsWith('.lds.S'))
    .map((name) => join(path, name))
    .sort();
}

/** The grammars lie beside the bundle, or in the package while it is developed; null where they are not there. */
async function loadParsers(): Promise<Parsers | null> {
  const names = ['web-tree-sitter.wasm', 'tree-sitter-gas.wasm', 'tree-sitter-c.wasm'];
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (names.every((name) => existsSync(join(folder, name)))) {
      const [core, gas, c] = names.map((name) => readFileSync(join(folder, name)));
      return createParsers({ core: core!, gas: gas!, c: c! });
    }
    if (dirname(folder) === folder) return null;
  }
}

function countErrors(parsers: Parsers, text: string, totals: Totals): void {
  const tree = parsers.parse('gas', text);
  const { problems } = asmItems(tree);
  parsers.release(tree);
  const index = indexLines(text);
  totals.lines += index.starts.length;
  const lines = new Set<number>();
  for (const { span } of problems) {
    const last = positionAt(index, Math.max(span.start, span.end - 1)).line;
    for (let line = positionAt(index, span.start).line; line <= last; line++) lines.add(line);
  }
  totals.errorLines += lines.size;
}

function countStream(stream: AssemblerStream, totals: Totals): void {
  const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const item of stream.items) {
    const instruction = item.kind === 'instruction' ? item : item.kind === 'data' ? item.decoded : null;
    if (instruction === null) continue;
    totals.instructions++;
    if (meaningOf(instruction.mnemonic) !== null) continue;
    // Nobody writes instructions in capitals: these are macros that no followed header defines.
    const word = instruction.text.slice(instruction.prefixes.join(' ').length).trim().split(/[\s(]/)[0] ?? '';
    if (/[A-Z]/.test(word)) add(totals.macros, word);
    else add(totals.mnemonics, instruction.mnemonic);
  }
  for (const each of stream.includes) if (each.resolved === null) add(totals.includes, each.name);
  for (const problem of stream.problems) add(totals.problems, problem.message);
}

function byCount(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function share(totals: Totals): number {
  return totals.lines === 0 ? 0 : totals.errorLines / totals.lines;
}

function asText(totals: Totals, parsed: boolean): string {
  const list = (title: string, counts: ReadonlyMap<string, number>): string[] => [`${title}: ${counts.size}`, ...byCount(counts).map(([name, count]) => `  ${count}\t${name}`)];
  return `${[
    `files: ${totals.files}`,
    `bytes: ${totals.bytes}`,
    parsed ? `lines inside ERROR: ${totals.errorLines} of ${totals.lines} (${(share(totals) * 100).toFixed(2)} %)` : 'lines inside ERROR: unknown, the grammar is not there',
    `instructions: ${totals.instructions}`,
    ...list('unknown mnemonics', totals.mnemonics),
    ...list('unresolved macros', totals.macros),
    ...list('unresolved includes', totals.includes),
    ...list('problems', totals.problems),
    `slowest file: ${totals.slowest.file} (${totals.slowest.milliseconds.toFixed(0)} ms)`,
  ].join('\n')}\n`;
}

function asObject(totals: Totals, parsed: boolean): unknown {
  const list = (counts: ReadonlyMap<string, number>): unknown => byCount(counts).map(([name, count]) => ({ name, count }));
  return {
    version: 1, files: totals.files, bytes: totals.bytes, lines: totals.lines, errorLines: parsed ? totals.errorLines : null, instructions: totals.instructions,
    unknownMnemonics: list(totals.mnemonics), unresolvedMacros: list(totals.macros), unresolvedIncludes: list(totals.includes), problems: list(totals.problems),
    slowest: { file: totals.slowest.file, milliseconds: Math.round(totals.slowest.milliseconds) },
  };
}
