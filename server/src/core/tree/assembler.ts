// What C rules ask of the entry assembler: which labels exist, and which memory words a paranoid entry touches while
// data breakpoints are still armed. Reads the expanded stubs; knows nothing of what instructions do.
import type { Place } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import { preprocess } from '../preprocess/preprocess.ts';
import type { AssemblerStream, Configuration, Expression, Operand } from '../preprocess/stream.ts';
import { entryAssembler, entryAssembler32 } from './files.ts';
import { is32 } from '../preprocess/configurations.ts';
import type { AssemblerFacts, TreeSource } from './tree.ts';

const nothing: AssemblerFacts = { labels: new Map(), paranoidWords: [], paranoidFeatures: new Map() };

/** The stub of an IST event and the two routines around its C handler. */
const paranoid = /^paranoid_(?:entry|exit)$/;

/** A file as it was expanded for somebody else already, with the texts that were read for it; null where it was not. */
export type Expanded = (file: string, configuration: Configuration) => { readonly value: AssemblerStream; readonly reads: ReadonlyMap<string, string | null> } | null;

export function assemblerFacts(source: TreeSource, root: string, configuration: Configuration, design: boolean, expanded: Expanded): AssemblerFacts {
  if (design) return nothing;
  const labels = new Map<string, Place>();
  const words: AssemblerFacts['paranoidWords'][number][] = [];
  const features = new Map<string, Place>();
  const paths = is32(configuration) ? [entryAssembler32] : entryAssembler;
  for (const path of paths) {
    if (source.read(path) === null) continue;
    const read = (file: string): string | null => (file.startsWith(root) ? source.read(file.slice(root.length)) : null);
    const before = expanded(root + path, configuration);
    // What it was made of counts as read here too.
    for (const file of before?.reads.keys() ?? []) read(file);
    const stream = before?.value ?? preprocess(root + path, { read }, configuration);
    for (const item of stream.items) if (item.kind === 'label') labels.set(item.name, outermost(item.origin));
    readWords(stream, words, features);
  }
  return { labels, paranoidWords: words, paranoidFeatures: features };
}

function readWords(stream: AssemblerStream, words: AssemblerFacts['paranoidWords'][number][], features: Map<string, Place>): void {
  const chosen = new Map<number, string>();
  for (const { original, replacement, feature, negated } of stream.alternatives) {
    // `ALTERNATIVE "jmp .Lend", "", FEATURE`: what the jump leaves out runs with the feature only.
    const instructions = stream.items.slice(...original).filter((item) => item.kind === 'instruction');
    const only = instructions.length === 1 ? instructions[0] : undefined;
    const target = only?.mnemonic === 'jmp' && only.operands[0]?.kind === 'memory' ? only.operands[0].displacement : null;
    const end = target?.kind !== 'symbol' ? -1 : stream.items.findIndex((item, at) => at > original[0] && item.kind === 'label' && item.name === target.name);
    for (let at = original[1]; at < end; at++) chosen.set(at, feature);
    for (const [from, to] of [original, replacement]) for (let at = from; at < to; at++) chosen.set(at, `${negated ? '!' : ''}${feature}`);
  }
  let inside = false;
  const seen = new Set<string>();
  stream.items.forEach((item, index) => {
    if (item.kind === 'directive' && item.name === '.size') inside = false;
    if (item.kind === 'label' && item.section !== '.altinstr_replacement' && !/^\.L|#/.test(item.name)) inside = paranoid.test(item.name);
    if (!inside || item.kind !== 'instruction') return;
    const feature = chosen.get(index) ?? null;
    if (feature !== null && !features.has(feature.replace('!', ''))) features.set(feature.replace('!', ''), outermost(item.origin));
    if (/^(?:lea|call|jmp|j[a-z]+)$/.test(item.mnemonic)) return;
    for (const operand of item.operands) {
      const symbol = symbolOf(operand);
      if (symbol === null || seen.has(symbol)) continue;
      seen.add(symbol);
      words.push({ symbol, place: outermost(item.origin), guarded: feature });
    }
  });
}

/** The symbol in the address of a memory operand. */
function symbolOf(operand: Operand): string | null {
  return operand.kind !== 'memory' || operand.displacement === null ? null : symbolIn(operand.displacement);
}

function symbolIn(expression: Expression): string | null {
  switch (expression.kind) {
    case 'symbol':
      return /^[A-Z]/.test(expression.name) || expression.name.startsWith('.L') ? null : expression.name;
    case 'binary':
      return symbolIn(expression.left) ?? symbolIn(expression.right);
    case 'unary':
      return symbolIn(expression.operand);
    default:
      return null;
  }
}
