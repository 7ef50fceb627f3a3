// C text to plain C syntax. Never throws for text of any kind, and lets no object of the parser out.
import type { Span } from '../base/span.ts';
import type { Conversion } from './c-context.ts';
import { outerItems } from './c-items.ts';
import { firstError, itemsOf } from './c-outer.ts';
import { rewriteForGrammar } from './c-rewrite.ts';
import type { CTranslationUnit } from './c-syntax.ts';
import type { Parsers } from './parser.ts';

/** A stretch of whole items as parsed, at the offset where it stands. */
interface ReadPart {
  readonly at: number;
  readonly unit: CTranslationUnit;
  /** The first place that is broken where the conversion read around it, or where the parser put a token in. */
  readonly broken: Span | null;
}

/**
 * Parses one C text. Directives should be blanked before (`activeText`); those left are skipped. Each item is parsed
 * alone: what is broken in one spoils no other, and one that stays as it is stays parsed.
 */
export function parseC(parsers: Parsers, source: string): CTranslationUnit {
  return joined(partsOf(source).map((span) => readPart(parsers, source, span)));
}

/** The same with the whole text in one tree. */
export function parseWholeC(parsers: Parsers, source: string): CTranslationUnit {
  return joined([readPart(parsers, source, { start: 0, end: source.length })]);
}

function partsOf(source: string): readonly Span[] {
  return outerItems(source).filter(({ start, end }) => /\S/.test(source.slice(start, end)));
}

/** Brackets inside each other that the conversion follows: no code that people write has a tenth of it. */
const DEEPEST = 400;

function depthOf(source: string, { start, end }: Span): number {
  let depth = 0;
  let most = 0;
  for (let at = start; at < end; at += 1) {
    const code = source.charCodeAt(at);
    if (code === 0x28 || code === 0x5b || code === 0x7b) most = Math.max(most, (depth += 1));
    else if (code === 0x29 || code === 0x5d || code === 0x7d) depth = Math.max(0, depth - 1);
  }
  return most;
}

function readPart(parsers: Parsers, source: string, span: Span): ReadPart {
  if (depthOf(source, span) > DEEPEST) return { at: span.start, unit: { items: [], types: [], unreadable: [{ start: span.start, end: span.start + 1 }] }, broken: null };
  const conversion: Conversion = { source, rewritten: rewriteForGrammar(source, span), types: [], unreadable: [] };
  const tree = parsers.parse('c', conversion.rewritten.text, span.start);
  try {
    const items = itemsOf(conversion, tree, span.start);
    const { types, unreadable } = conversion;
    return { at: span.start, unit: { items, types, unreadable }, broken: tree.root.hasError() ? firstError(tree.root) : null };
  } finally {
    parsers.release(tree);
  }
}

/** A text that the grammar reads with an error must never look whole. */
function joined(parts: readonly ReadPart[]): CTranslationUnit {
  const unreadable = parts.flatMap(({ unit }) => unit.unreadable);
  const broken = parts.find((part) => part.broken !== null)?.broken ?? null;
  return { items: parts.flatMap(({ unit }) => unit.items), types: parts.flatMap(({ unit }) => unit.types), unreadable: unreadable.length === 0 && broken !== null ? [broken] : unreadable };
}

/** Stretches that are remembered: those of a few hundred files. */
const MOST_PARTS = 20_000;

/**
 * A parser that remembers what it parsed, by text, whole ones and their items; the least recently used go first. The same
 * item in another text, further up or down, is not parsed again.
 */
export function createCParser(parsers: Parsers, remembered = 2000): (text: string) => CTranslationUnit {
  const units = new Map<string, CTranslationUnit>();
  const parts = new Map<string, ReadPart>();

  function part(source: string, span: Span): ReadPart {
    const text = source.slice(span.start, span.end);
    const known = parts.get(text);
    const read = known === undefined ? readPart(parsers, source, span) : moved(known, span.start);
    parts.delete(text);
    keep(parts, text, read, MOST_PARTS);
    return read;
  }

  return (text) => {
    const unit = units.get(text) ?? joined(partsOf(text).map((span) => part(text, span)));
    units.delete(text);
    keep(units, text, unit, remembered);
    return unit;
  };
}

function keep<T>(kept: Map<string, T>, key: string, value: T, most: number): void {
  kept.set(key, value);
  if (kept.size > most) for (const oldest of kept.keys()) {
    kept.delete(oldest);
    break;
  }
}

/** The part where it stands now; the same objects where it stands as before. */
function moved(part: ReadPart, at: number): ReadPart {
  const by = at - part.at;
  return by === 0 ? part : { at, unit: shifted(part.unit, by), broken: shifted(part.broken, by) };
}

/** The same syntax with every span moved; objects that stand twice stay one. */
function shifted<T>(syntax: T, by: number): T {
  const made = new Map<unknown, unknown>();
  const shift = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return one;
    const known = made.get(one);
    if (known !== undefined) return known;
    if (Array.isArray(one)) return one.map(shift);
    const { start, end } = one as { readonly start?: unknown; readonly end?: unknown };
    // The place of what no text declares stays.
    const span = typeof start === 'number' && typeof end === 'number' ? (end === 0 ? one : { start: start + by, end: end + by }) : null;
    const copy = span ?? Object.fromEntries(Object.entries(one).map(([name, value]) => [name, shift(value)]));
    made.set(one, copy);
    return copy;
  };
  return shift(syntax) as T;
}
