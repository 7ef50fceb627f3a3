// A part of the instruction stream for reading: the labels that matter, the instructions, and beside those that
// alternatives replace what replaces them. Knows no line numbers and no layout.
import type { Origin } from '../base/span.ts';
import type { AlternativeRecord, AssemblerStream, Expression, Operand } from '../preprocess/stream.ts';
import type { ExpandedLine, Expansion, ExpansionEntry } from '../editor-types.ts';
import { indexOf, instructionOf, isSymbol, nearestFirst } from './editor-scope.ts';
import type { Scope } from './editor-scope.ts';

/** Symbols with code, in the order of the stream. */
export function codeSymbols(stream: AssemblerStream): readonly ExpansionEntry[] {
  const out: ExpansionEntry[] = [];
  stream.items.forEach((item, at) => {
    if (item.kind !== 'label' || !isSymbol(item.name) || !isCode(item.section)) return;
    const instructions = itemsOfSymbol(stream, at).filter((each) => instructionOf(stream.items[each]!) !== null).length;
    if (instructions > 0 && !out.some((other) => other.symbol === item.name)) out.push({ symbol: item.name, instructions, section: item.section });
  });
  return out;
}

function isCode(section: string): boolean {
  return /text|noinstr|entry|init|fixup|altinstr_replacement/.test(section) && !section.startsWith('.discard');
}

/** From the label to its `.size`, else to the next symbol, in the label's section. */
function itemsOfSymbol(stream: AssemblerStream, start: number): readonly number[] {
  const label = stream.items[start];
  if (label?.kind !== 'label') return [];
  const end = stream.items.findIndex((item, at) => at > start && item.kind === 'directive' && item.name === '.size' && item.section === label.section && item.arguments[0] === label.name);
  const out: number[] = [];
  for (let at = start; at < (end === -1 ? stream.items.length : end); at++) {
    const item = stream.items[at]!;
    if (item.section !== label.section) continue;
    if (end === -1 && at > start && item.kind === 'label' && isSymbol(item.name)) break;
    out.push(at);
  }
  return out;
}

export function expansionOfSymbol(scope: Scope, symbol: string): Expansion | null {
  for (const { file, stream } of nearestFirst(scope)) {
    const at = stream === null ? undefined : indexOf(stream).labels.get(symbol)?.[0];
    if (stream === null || at === undefined) continue;
    const lines = linesOf(stream, itemsOfSymbol(stream, at), scope.read);
    if (lines.length > 1) return { symbol, file, configuration: scope.configuration, lines };
  }
  return null;
}

/** What one use of a macro becomes, as it is first used so; null where nothing in view came through a use there. */
export function expansionOfUse(scope: Scope, file: string, start: number): readonly ExpandedLine[] | null {
  for (const { stream } of nearestFirst(scope)) {
    if (stream === null) continue;
    const through = indexOf(stream).through(file, start);
    const [first] = through;
    if (first === undefined) continue;
    const outer = outside(stream.items[first]!.origin, file, start);
    const same = through.filter((at) => outside(stream.items[at]!.origin, file, start) === outer);
    const sections = new Set(same.map((at) => stream.items[at]!.section).filter((section) => isCode(section) && !section.includes('altinstr')));
    const main = [...sections][0];
    const lines = linesOf(stream, same.filter((at) => stream.items[at]!.section === main), scope.read);
    if (lines.length > 0) return lines;
  }
  return null;
}

/** The uses around a use, as a key: a macro's body is expanded once for each of them. */
function outside(origin: Origin, file: string, start: number): string {
  const at = origin.uses.findIndex((use) => use.file === file && use.span.start === start);
  return origin.uses.slice(at + 1).map((use) => `${use.file}:${use.span.start}`).join(' ');
}

/** The symbol whose code stands at an offset of a file, or that a macro use there makes. */
export function symbolAt(scope: Scope, file: string, offset: number, word: string | null): string | null {
  for (const { stream } of nearestFirst(scope)) {
    if (stream === null) continue;
    if (word !== null && isSymbol(word) && indexOf(stream).labels.has(word)) return word;
  }
  for (const { stream } of nearestFirst(scope)) {
    if (stream === null) continue;
    let inside: string | null = null;
    for (const item of stream.items) {
      const outer = item.origin.uses.at(-1) ?? item.origin;
      if (item.kind === 'label' && isSymbol(item.name) && isCode(item.section)) {
        if (outer.file === file && outer.span.start <= offset && offset <= outer.span.end) return item.name;
        if (outer.file === file && outer.span.start <= offset) inside = item.name;
        else if (outer.file === file) break;
      }
    }
    // A place between two symbols belongs to none of them.
    if (inside !== null && codeReaches(stream, inside, file, offset)) return inside;
  }
  return null;
}

function codeReaches(stream: AssemblerStream, symbol: string, file: string, offset: number): boolean {
  const at = indexOf(stream).labels.get(symbol)?.[0];
  if (at === undefined) return false;
  return itemsOfSymbol(stream, at).some((each) => {
    const { origin } = stream.items[each]!;
    const outer = origin.uses.at(-1) ?? origin;
    return outer.file === file && outer.span.end >= offset;
  });
}

function linesOf(stream: AssemblerStream, wanted: readonly number[], read: (file: string) => string | null): readonly ExpandedLine[] {
  const lines: ExpandedLine[] = [];
  const shown = new Set(wanted);
  const named = new Set(wanted.flatMap((at) => namesIn(instructionOf(stream.items[at]!)?.operands ?? [])));
  const waiting = stream.alternatives.filter(({ original }) => shown.has(original[0]) || shown.has(original[0] - 1)).sort((a, b) => a.original[1] - b.original[1]);
  for (const { replacement } of waiting) for (let at = replacement[0]; at < replacement[1]; at++) for (const name of namesIn(instructionOf(stream.items[at]!)?.operands ?? [])) named.add(name);
  const flush = (before: number): void => {
    while (waiting[0] !== undefined && waiting[0].original[1] <= before) lines.push(...armOf(stream, waiting.shift()!, read));
  };
  for (const at of wanted) {
    flush(at);
    const item = stream.items[at]!;
    const { origin } = item;
    const instruction = instructionOf(item);
    if (item.kind === 'label') {
      if (isSymbol(item.name) || named.has(item.name)) lines.push({ kind: 'label', text: item.name.replace(/#\d+$/, ''), origin, through: throughOf(origin, read) });
    } else if (instruction !== null) lines.push({ kind: 'instruction', text: instruction.text, origin, through: throughOf(origin, read) });
    else if (item.kind === 'data') lines.push({ kind: 'data', text: `${{ 1: '.byte', 2: '.word', 4: '.long', 8: '.quad' }[item.size]} ${item.values.length} ${item.values.length === 1 ? 'value' : 'values'}`, origin, through: throughOf(origin, read) });
  }
  flush(Number.POSITIVE_INFINITY);
  return lines;
}

function armOf(stream: AssemblerStream, { replacement, feature, negated, origin }: AlternativeRecord, read: (file: string) => string | null): readonly ExpandedLine[] {
  const section = stream.items[replacement[0]]?.section;
  const heading: ExpandedLine = { kind: 'arm', text: `${negated ? 'without' : 'with'} ${feature}`, ...fromAlternative(origin, throughOf(origin, read)) };
  const named = new Set(stream.items.slice(replacement[0], replacement[1]).flatMap((item) => namesIn(instructionOf(item)?.operands ?? [])));
  const lines = stream.items.slice(replacement[0], replacement[1]).flatMap((item): ExpandedLine[] => {
    if (item.section !== section) return [];
    if (item.kind === 'label') return named.has(item.name) ? [{ kind: 'replacement', text: `${item.name.replace(/#\d+$/, '')}:`, origin: item.origin, through: throughOf(item.origin, read) }] : [];
    const instruction = instructionOf(item);
    return instruction === null ? [] : [{ kind: 'replacement', text: instruction.text, origin: item.origin, through: throughOf(item.origin, read) }];
  });
  return [heading, ...(lines.length === 0 ? [{ kind: 'replacement', text: 'nothing', origin: null, through: [] } as const] : lines)];
}

/** An alternative is written where its macro is used: what that macro is made of says nothing. */
function fromAlternative(origin: Origin, through: readonly string[]): Pick<ExpandedLine, 'origin' | 'through'> {
  const at = through.findIndex((name) => name.startsWith('ALTERNATIVE'));
  const use = origin.uses[at];
  return use === undefined ? { origin, through } : { origin: { ...use, uses: origin.uses.slice(at + 1) }, through: through.slice(at + 1) };
}

/** Names of the macros that a text came through, innermost first. */
function throughOf(origin: Origin, read: (file: string) => string | null): readonly string[] {
  return origin.uses.map((use) => /^[\w.$]+/.exec(read(use.file)?.slice(use.span.start, use.span.start + 80) ?? '')?.[0] ?? '?');
}

function namesIn(operands: readonly Operand[]): readonly string[] {
  return operands.flatMap((operand) => (operand.kind === 'register' ? [] : operand.kind === 'immediate' ? symbolsOf(operand.value) : operand.displacement === null ? [] : symbolsOf(operand.displacement)));
}

function symbolsOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'symbol':
      return [expression.name];
    case 'unary':
      return symbolsOf(expression.operand);
    case 'binary':
      return [...symbolsOf(expression.left), ...symbolsOf(expression.right)];
    default:
      return [];
  }
}
