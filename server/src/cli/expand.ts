// `expand FILE`: the instruction stream that the assembler reads, symbol by symbol, each instruction with the line it
// was written on and the macro uses it came through.
import { relative } from 'node:path';
import type { LineIndex } from '../core/base/line-index.ts';
import { indexLines, positionAt } from '../core/base/line-index.ts';
import type { Place } from '../core/base/span.ts';
import { preprocess } from '../core/preprocess/preprocess.ts';
import type { AssemblerStream, FileSource, InstructionItem } from '../core/preprocess/stream.ts';
import { chooseConfiguration, diskSource, readOptions } from './sources.ts';
import { treePaths } from './tree-path.ts';

export interface Output {
  write(text: string): void;
  error(text: string): void;
}

const usage = 'usage: expand FILE [--symbol S] [--config FILE|PRESET] [--variant V] [-D NAME[=VALUE]] [--format text|json]';

/** 0, or 1 where the file has problems, or 2 where it could not be expanded. */
export async function expand(argv: readonly string[], io: Output): Promise<number> {
  const options = readOptions(argv, ['--symbol', '--config', '--variant', '--format', '-D']);
  if (typeof options === 'string') return refuse(io, options);
  const [given, ...more] = options.rest;
  if (given === undefined || more.length > 0) return refuse(io, usage);
  const file = treePaths(process.cwd()).inside(given);
  const one = (name: string): string | null => options.values.get(name)?.at(-1) ?? null;
  const format = one('--format') ?? 'text';
  if (format !== 'text' && format !== 'json') return refuse(io, `unknown format ${format}: there are text and json`);
  const source = diskSource();
  const text = source.read(file);
  if (text === null) return refuse(io, `cannot read ${file}`);
  if (text.slice(0, 8000).includes('\0')) return refuse(io, `${file}: not analysed: binary file`);
  const configuration = chooseConfiguration(file, source, { config: one('--config'), variant: one('--variant'), defines: options.values.get('-D') ?? [] });
  if (typeof configuration === 'string') return refuse(io, configuration);
  const stream = preprocess(file, source, configuration);
  const placed = placer(source);
  const rows = instructionRows(stream);
  const symbol = one('--symbol');
  const wanted = symbol === null ? rows : rows.filter((row) => row.symbol === symbol);
  if (symbol !== null && wanted.length === 0) return refuse(io, `${file} has no instruction under the symbol ${symbol}`);
  if (format === 'json') io.write(`${JSON.stringify(asObject(stream, configuration.name, wanted, placed))}\n`);
  else io.write(wanted.map((row) => `${row.symbol}+${row.index}\t${[row.item.origin, ...row.item.origin.uses].map(placed.short).join(' <- ')}\t${row.item.text}\n`).join(''));
  for (const problem of stream.problems) io.error(`${placed.long(problem.place)}: ${problem.message}\n`);
  return stream.problems.length === 0 ? 0 : 1;
}

function refuse(io: Output, message: string): number {
  io.error(`${message}\n`);
  return 2;
}

export interface InstructionRow {
  /** The label before it in its section that is no local one; the section where there is none. */
  readonly symbol: string;
  /** Instructions since the symbol. */
  readonly index: number;
  readonly item: InstructionItem;
}

/** Instructions with their symbols, in the order of the source; those encoded as data count. */
export function instructionRows(stream: AssemblerStream): InstructionRow[] {
  const rows: InstructionRow[] = [];
  const symbols = new Map<string, { name: string; count: number }>();
  for (const item of stream.items) {
    let symbol = symbols.get(item.section);
    if (symbol === undefined || (item.kind === 'label' && !/^\.L|#/.test(item.name))) {
      symbol = { name: item.kind === 'label' && !/^\.L|#/.test(item.name) ? item.name : item.section, count: 0 };
      symbols.set(item.section, symbol);
    }
    const instruction = item.kind === 'instruction' ? item : item.kind === 'data' ? item.decoded : null;
    if (instruction !== null) rows.push({ symbol: symbol.name, index: symbol.count++, item: instruction });
  }
  return rows;
}

interface Placer {
  readonly short: (place: Place) => string;
  readonly long: (place: Place) => string;
  readonly object: (place: Place) => { readonly file: string; readonly line: number; readonly column: number };
}

/** Places as people read them: relative to the working folder, lines and columns from 1. */
export function placer(source: FileSource): Placer {
  const indices = new Map<string, LineIndex>();
  const object = (place: Place): { readonly file: string; readonly line: number; readonly column: number } => {
    let index = indices.get(place.file);
    if (index === undefined) {
      index = indexLines(source.read(place.file) ?? '');
      indices.set(place.file, index);
    }
    const position = positionAt(index, place.span.start);
    const path = relative('', place.file);
    return { file: path.startsWith('..') ? place.file : path, line: position.line + 1, column: position.column + 1 };
  };
  return {
    object,
    short: (place) => `${object(place).file}:${object(place).line}`,
    long: (place) => `${object(place).file}:${object(place).line}:${object(place).column}`,
  };
}

function asObject(stream: AssemblerStream, configuration: string, rows: readonly InstructionRow[], placed: Placer): unknown {
  return {
    version: 1,
    file: stream.file,
    configuration,
    instructions: rows.map(({ symbol, index, item }) => ({
      symbol, index, section: item.section, ...placed.object(item.origin), uses: item.origin.uses.map(placed.object), prefixes: item.prefixes, mnemonic: item.mnemonic, text: item.text,
    })),
    alternatives: stream.alternatives.map(({ feature, negated, origin, original, replacement }) => ({
      feature, negated, ...placed.object(origin.uses.at(-1) ?? origin), original: arm(stream, original), replacement: arm(stream, replacement),
    })),
    extable: stream.extable.map(({ fault, fixup, type, origin }) => ({ fault, fixup, type, ...placed.object(origin.uses.at(-1) ?? origin) })),
    unknownIncludes: stream.includes.filter((each) => each.resolved === null).map((each) => each.name),
    problems: stream.problems.map((problem) => ({ ...placed.object(problem.place), message: problem.message })),
  };
}

/** The statements of one arm; what other sections put between them is left out. */
function arm(stream: AssemblerStream, [start, end]: readonly [number, number]): string[] {
  const section = stream.items[start]?.section;
  return stream.items.slice(start, end).flatMap((item) => (item.section !== section ? [] : item.kind === 'instruction' ? [item.text] : item.kind === 'data' && item.decoded !== null ? [item.decoded.text] : []));
}
