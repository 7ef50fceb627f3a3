// Section (c): the front end in this process: full and incremental parse, items, expansion of entry_64.S.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { preprocess } from '../server/src/core/preprocess/preprocess.ts';
import { presetConfiguration } from '../server/src/core/preprocess/configurations.ts';
import { asmItems } from '../server/src/core/syntax/asm.ts';
import { createCParser, parseC } from '../server/src/core/syntax/c.ts';
import { createParsers } from '../server/src/core/syntax/parser.ts';
import type { Parsers, SyntaxLanguage } from '../server/src/core/syntax/parser.ts';
import { loadGrammars } from '../server/src/shell/grammars.ts';
import { milliseconds, samples } from './measure.ts';
import { number, time } from './report.ts';
import type { Section } from './report.ts';

export interface FrontEndOptions {
  readonly rounds: number;
  readonly kernel: string;
  readonly bundles: string;
}

const REPEAT = 10;

export async function frontEnd(options: FrontEndOptions): Promise<Section> {
  const grammars = loadGrammars(options.bundles);
  const load = performance.now();
  const parsers = await createParsers(grammars);
  const loaded = performance.now() - load;
  const entry = join(options.kernel, 'arch/x86/entry/entry_64.S');
  const traps = join(options.kernel, 'arch/x86/kernel/traps.c');
  const rows: string[][] = [['load of both grammars', '-', time(loaded), '-', '-']];
  const figures: Record<string, unknown> = { loaded };
  const texts: readonly (readonly [string, SyntaxLanguage, string])[] = [
    ...(existsSync(entry) ? [['entry_64.S', 'gas', readFileSync(entry, 'utf8')] as const] : []),
    ...(existsSync(traps) ? [['traps.c', 'c', readFileSync(traps, 'utf8')] as const] : []),
    ['50,000 lines of assembler', 'gas', longAssembler(50_000)],
  ];
  for (const [name, language, text] of texts) {
    const full = samples(Array.from({ length: options.rounds * REPEAT }, () => parse(parsers, language, text)));
    const changed = samples(incremental(parsers, language, text, options.rounds * REPEAT));
    rows.push([`parse ${name}`, number(text.length / 1e6, 2), time(full.median), time(changed.median), number(text.length / 1e3 / full.median, 1)]);
    figures[name] = { full, edited: changed };
    if (language !== 'gas') {
      const whole = samples(Array.from({ length: options.rounds * REPEAT }, () => milliseconds(() => parseC(parsers, text))));
      const again = samples(syntaxAgain(parsers, text, options.rounds * REPEAT));
      rows.push([`syntax of ${name}, item by item`, number(text.length / 1e6, 2), time(whole.median), time(again.median), number(text.length / 1e3 / whole.median, 1)]);
      figures[`syntax of ${name}`] = { whole, again };
      continue;
    }
    const items = samples(
      Array.from({ length: options.rounds * REPEAT }, () => {
        const tree = parsers.parse(language, text);
        const spent = milliseconds(() => asmItems(tree));
        parsers.release(tree);
        return spent;
      }),
    );
    const again = samples(itemsAgain(parsers, text, options.rounds * REPEAT));
    rows.push([`items of ${name}`, number(text.length / 1e6, 2), time(items.median), time(again.median), number(text.length / 1e3 / items.median, 1)]);
    figures[`items of ${name}`] = { items, again };
  }
  const notRun: string[] = [];
  const configuration = presetConfiguration('6.12');
  if (!existsSync(entry) || configuration === null) notRun.push('expansion of entry_64.S: there is no kernel tree');
  else {
    const kept = new Map<string, string | null>();
    const read = (path: string): string | null => {
      const known = kept.get(path);
      if (known !== undefined) return known;
      const text = existsSync(path) ? readFileSync(path, 'utf8') : null;
      kept.set(path, text);
      return text;
    };
    const cold = milliseconds(() => preprocess(entry, { read }, configuration));
    const text = kept.get(entry) ?? '';
    let bytes = 0;
    for (const one of kept.values()) bytes += one?.length ?? 0;
    const edited = samples(
      Array.from({ length: options.rounds * REPEAT }, (_, at) => {
        kept.set(entry, `${text}\n/* ${at} */\n`);
        return milliseconds(() => preprocess(entry, { read }, configuration));
      }),
    );
    rows.push(['expand entry_64.S and what it includes, cold', number(bytes / 1e6, 2), time(cold), time(edited.median), number(bytes / 1e3 / cold, 1)]);
    figures['expansion'] = { cold, edited };
  }
  return { name: 'front-end', title: 'Front end', commands: [], tables: [{ title: 'Medians in one process', columns: ['work', 'MB', 'whole', 'after an edit', 'MB/s'], rows }], budgets: [], notRun, figures };
}

function parse(parsers: Parsers, language: SyntaxLanguage, text: string): number {
  const began = performance.now();
  const tree = parsers.parse(language, text);
  const spent = performance.now() - began;
  parsers.release(tree);
  return spent;
}

/** Items read again after a blank was put in the middle, and taken out. */
function itemsAgain(parsers: Parsers, text: string, count: number): readonly number[] {
  const other = edited(text);
  let tree = parsers.parse('gas', text);
  let source = asmItems(tree);
  const spent = Array.from({ length: count }, (_, at) => {
    tree = parsers.reparse(tree, at % 2 === 0 ? other : text);
    return milliseconds(() => void (source = asmItems(tree, source)));
  });
  parsers.release(tree);
  return spent;
}

/** What a C text says, after an edit of its middle that was not seen before. */
function syntaxAgain(parsers: Parsers, text: string, count: number): readonly number[] {
  const parse = createCParser(parsers);
  parse(text);
  return Array.from({ length: count }, (_, at) => {
    const next = edited(text, ' '.repeat(at + 1));
    return milliseconds(() => void parse(next));
  });
}

function edited(text: string, put = ' '): string {
  const middle = text.indexOf('\n', text.length / 2);
  return text.slice(0, middle) + put + text.slice(middle);
}

function incremental(parsers: Parsers, language: SyntaxLanguage, text: string, count: number): readonly number[] {
  const other = edited(text);
  let tree = parsers.parse(language, text);
  const spent = Array.from({ length: count }, (_, at) => {
    const began = performance.now();
    tree = parsers.reparse(tree, at % 2 === 0 ? other : text);
    return performance.now() - began;
  });
  parsers.release(tree);
  return spent;
}

function longAssembler(lines: number): string {
  const text: string[] = [];
  for (let at = 0; text.length < lines; at += 1) text.push(`handler_${at}:`, '\tpushq\t%rdi', `\tmovq\t${(at % 32) * 8}(%rsp), %rdi`, '\tcall\twork', `\tjnz\thandler_${at}`, '\tpopq\t%rdi', '\tret');
  return `${text.slice(0, lines).join('\n')}\n`;
}
