// The variants as a program for our machine: the same lines, linked by our own front end, with addresses of its own for
// the names. Instructions of the test are one NOP each, which the runner knows by their nodes.
import { createParsers } from '../../core/syntax/parser.ts';
import { createCParser } from '../../core/syntax/c.ts';
import { emptyConfiguration } from '../../core/preprocess/configurations.ts';
import { createStreams } from '../../core/review/streams.ts';
import { linkUnit } from '../../core/review/unit.ts';
import type { Code, NodeId } from '../../core/machine/code.ts';
import { loadGrammars } from '../../shell/grammars.ts';
import { resolveName } from './model-layout.ts';
import { pointName } from './names.ts';
import { PSEUDO } from './variant.ts';
import type { Block, Variant } from './variant.ts';

/** What stands at a node: the block and line of a variant, or of a default handler. */
export interface Place {
  /** `code+3`, `NMI+0`. */
  readonly shown: string;
  /** The instruction of the test that the node stands for, or null. */
  readonly pseudo: string | null;
  /** Entry point that a `log` belongs to. */
  readonly point: number | null;
}

export interface ModelProgram {
  readonly code: Code;
  readonly places: ReadonlyMap<NodeId, Place>;
  /** First node of a block of a variant, by the variant's index and the block's point (null is the code). */
  readonly entry: (variant: number, point: number | null) => NodeId | null;
  readonly label: (variant: number, name: string) => NodeId | null;
}

/** Default handlers as the image has them: those of traps, interrupts and INT n return, those of faults end the variant. */
function defaultHandler(vector: number): Block {
  const returns = (vector >= 1 && vector <= 4) || vector >= 32;
  return { name: pointName(vector), point: vector, lines: ['log', returns ? 'iretq' : 'exit'].map((text) => ({ labels: [], text })) };
}

export async function linkVariants(variants: readonly Variant[], grammars: string): Promise<ModelProgram> {
  const blocks: { readonly symbol: string; readonly block: Block; readonly variant: number | null }[] = [];
  for (let vector = 0; vector < 256; vector += 1) blocks.push({ symbol: `d_${vector}`, block: defaultHandler(vector), variant: null });
  variants.forEach((variant, number) => {
    for (const block of variant.blocks) blocks.push({ symbol: symbolOf(number, block.point), block, variant: number });
  });
  const text = `\t.text\n${blocks.map(({ symbol, block, variant }) => blockText(symbol, block, variant)).join('')}`;
  const file = 'conformance/sequences.S';
  const source = { read: (path: string) => (path === file ? text : null) };
  const parsers = await createParsers(loadGrammars(grammars));
  const { program } = linkUnit({ folder: 'conformance', name: 'sequences', files: [file] }, source, createStreams(source, emptyConfiguration, createCParser(parsers)));
  const { code } = program;
  const places = new Map<NodeId, Place>();
  for (const { symbol, block } of blocks) {
    const first = code.symbols.get(symbol);
    if (first === undefined) throw new Error(`${symbol} is not linked`);
    block.lines.forEach(({ text: line }, index) => {
      const pseudo = PSEUDO.has(line.split(' ')[0] ?? '') ? line : null;
      places.set(first + index, { shown: `${block.name}+${index}`, pseudo, point: line === 'log' ? block.point : null });
    });
  }
  return {
    code,
    places,
    entry: (variant, point) => code.symbols.get(symbolOf(variant, point)) ?? (point === null ? null : (code.symbols.get(`d_${point}`) ?? null)),
    label: (variant, name) => code.symbols.get(`v${variant}_l_${name}`) ?? null,
  };
}

function symbolOf(variant: number, point: number | null): string {
  return `v${variant}_${point ?? 'code'}`;
}

function blockText(symbol: string, block: Block, variant: number | null): string {
  const lines = block.lines.map(({ labels, text }) => `${labels.map((label) => `v${variant ?? ''}_l_${label}:\n`).join('')}\t${PSEUDO.has(text.split(' ')[0] ?? '') ? 'nop' : written(text, variant)}\n`);
  return `\t.globl ${symbol}\n${symbol}:\n${lines.join('')}`;
}

/** The line with our machine's addresses in place of the names, and the variant's own labels. */
function written(text: string, variant: number | null): string {
  return text.replaceAll(/@?\b[a-z]\w*\b/g, (word, offset: number) => {
    if (word.startsWith('@')) return `v${variant ?? ''}_l_${word.slice(1)}`;
    if (text[offset - 1] === '%') return word;
    const value = resolveName(word);
    return value === null ? word : `0x${value.toString(16)}`;
  });
}
