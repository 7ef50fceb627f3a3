// YAML or JSON text as a plain tree in which every key and value has its span, and strict readers over it: an unknown key
// is a problem, never ignored. Knows nothing of what the files mean.
import { isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { nearest } from './nearest.ts';
import { quoted } from './quoted.ts';
import { spanOf } from './span.ts';
import type { Span } from './span.ts';

export interface TreeEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: TreeNode;
}

export type TreeNode =
  | { readonly kind: 'map'; readonly entries: readonly TreeEntry[]; readonly span: Span }
  | { readonly kind: 'list'; readonly items: readonly TreeNode[]; readonly span: Span }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly span: Span };

export interface TreeProblem {
  readonly span: Span;
  readonly message: string;
  /** Replacement for the span's text, where one is near. */
  readonly suggestion: string | null;
}

export type TreeReport = (span: Span, message: string, suggestion?: string | null) => void;

export interface Tree {
  /** One node a document; empty documents have none. */
  readonly documents: readonly TreeNode[];
  readonly problems: readonly TreeProblem[];
}

const longest = 200_000;
const deepest = 64;
const mostErrors = 20;

export function readTree(text: string): Tree {
  const refusal = text.length > longest ? `the file is longer than ${longest} characters` : nestsTooDeep(text) ? `the file nests deeper than ${deepest} levels` : null;
  if (refusal !== null) return { documents: [], problems: [{ span: spanOf(0, Math.min(text.length, 1)), message: `${refusal}, which no hand-written one needs`, suggestion: null }] };
  const problems: TreeProblem[] = [];
  const documents: TreeNode[] = [];
  for (const document of parseAllDocuments(text, { prettyErrors: false, strict: true, uniqueKeys: true, logLevel: 'silent' })) {
    for (const error of document.errors.slice(0, mostErrors)) {
      const start = Math.min(error.pos[0], text.length);
      const word = /^["']?[\w.-]*/.exec(text.slice(start, start + 80))?.[0] ?? '';
      const span = spanOf(start, Math.max(start + word.length, Math.min(error.pos[1], text.length)));
      const message = error.code === 'DUPLICATE_KEY' ? `${quoted(word)} is given twice, remove one of them` : lowerFirst(error.message.split('\n')[0] ?? '');
      problems.push({ span, message, suggestion: null });
    }
    const more = document.errors.length - mostErrors;
    if (more > 0) problems.push({ span: spanOf(0, Math.min(text.length, 1)), message: `${more} more errors of form are not shown`, suggestion: null });
    if (document.contents !== null && document.errors.length === 0) documents.push(treeOf(document.contents, text, spanOf(0, 0), problems));
  }
  return { documents, problems };
}

/** The library recurses by nesting, so unbounded nesting would end in a stack overflow. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > deepest) return true;
  }
  return /(?:[-?:][ \t]+){64}/.test(text);
}

function treeOf(node: unknown, text: string, fallback: Span, problems: TreeProblem[]): TreeNode {
  if (isMap(node)) {
    const span = rangeOf(node.range, text, fallback);
    const entries: TreeEntry[] = [];
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const key: unknown = pair.key;
      const keySpan = isScalar(key) ? scalarSpan(key.range, text, span) : span;
      if (!isScalar(key)) problems.push({ span: keySpan, message: 'a key is a plain word', suggestion: null });
      else entries.push({ key: String(key.source ?? key.value), keySpan, value: treeOf(pair.value, text, spanOf(keySpan.end, keySpan.end), problems) });
    }
    return { kind: 'map', entries, span };
  }
  if (isSeq(node)) {
    const span = rangeOf(node.range, text, fallback);
    return { kind: 'list', items: node.items.map((item) => treeOf(item, text, span, problems)), span };
  }
  if (isAlias(node)) {
    const span = rangeOf(node.range, text, fallback);
    problems.push({ span, message: 'aliases are not read here, write the value out', suggestion: null });
    return { kind: 'scalar', value: null, span };
  }
  if (isScalar(node)) {
    const value: unknown = node.value;
    const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value);
    return { kind: 'scalar', value: plain, span: scalarSpan(node.range, text, fallback) };
  }
  return { kind: 'scalar', value: null, span: fallback };
}

function rangeOf(range: readonly [number, number, number] | null | undefined, text: string, fallback: Span): Span {
  if (range === null || range === undefined) return fallback;
  const start = Math.min(range[0], text.length);
  // A block value's range can end in the blanks behind it.
  const length = text.slice(start, range[1]).trimEnd().length;
  return spanOf(start, start + length);
}

/** Quotes are not part of the word, so that a suggestion can replace it in JSON as well. */
function scalarSpan(range: readonly [number, number, number] | null | undefined, text: string, fallback: Span): Span {
  const span = rangeOf(range, text, fallback);
  const quote = text[span.start];
  const inQuotes = span !== fallback && (quote === '"' || quote === "'") && span.end - span.start >= 2 && text[span.end - 1] === quote;
  return inQuotes ? spanOf(span.start + 1, span.end - 1) : span;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** What the reader expected and found, in one message. */
export function describeNode(node: TreeNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  return node.value === null ? 'nothing' : quoted(String(node.value));
}

/** The entries of a map by key. Unknown keys are reported and left out; null where the node is no map. */
export function readMap(node: TreeNode, owner: string, keys: readonly string[], required: readonly string[], report: TreeReport): ReadonlyMap<string, TreeEntry> | null {
  const entries = readOpenMap(node, owner, report);
  if (entries === null) return null;
  const known = new Map<string, TreeEntry>();
  for (const entry of entries) {
    if (keys.includes(entry.key)) known.set(entry.key, entry);
    else reportUnknown(entry, owner, keys, report);
  }
  for (const key of required) if (!known.has(key)) report(headOf(node), `${owner} lacks \`${key}\``);
  return known;
}

export function reportUnknown(entry: TreeEntry, owner: string, keys: readonly string[], report: TreeReport): void {
  const near = nearest(entry.key, keys);
  report(entry.keySpan, `${owner} has no key ${quoted(entry.key)}, write ${near === null ? `one of ${keys.join(', ')}` : `\`${near}\``}`, near);
}

export function readOpenMap(node: TreeNode, owner: string, report: TreeReport): readonly TreeEntry[] | null {
  if (node.kind === 'map') return node.entries;
  report(headOf(node), `${owner} is a map of keys, not ${describeNode(node)}`);
  return null;
}

export function readList(node: TreeNode, owner: string, report: TreeReport): readonly TreeNode[] {
  if (node.kind === 'list') return node.items;
  report(headOf(node), `${owner} is a list, not ${describeNode(node)}`);
  return [];
}

export function readText(node: TreeNode, owner: string, report: TreeReport): string | null {
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '') return node.value;
  report(headOf(node), `${owner} is a text, not ${describeNode(node)}`);
  return null;
}

export function readPattern(node: TreeNode, owner: string, pattern: RegExp, form: string, report: TreeReport): string | null {
  const text = readText(node, owner, report);
  if (text === null || pattern.test(text)) return text;
  report(headOf(node), `${owner} cannot be ${quoted(text)}, write ${form}`);
  return null;
}

export function readInteger(node: TreeNode, owner: string, least: number, most: number, report: TreeReport): number | null {
  if (node.kind === 'scalar' && typeof node.value === 'number' && Number.isInteger(node.value) && node.value >= least && node.value <= most) return node.value;
  report(headOf(node), `${owner} is a whole number from ${least} to ${most}, not ${describeNode(node)}`);
  return null;
}

export function readWord<T extends string>(node: TreeNode, owner: string, words: readonly T[], report: TreeReport): T | null {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    report(headOf(node), `${owner} is one of ${words.join(', ')}, not ${describeNode(node)}`);
    return null;
  }
  const text = node.value;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const near = nearest(text, words);
  report(node.span, `${owner} cannot be ${quoted(text)}, write ${near === null ? `one of ${words.join(', ')}` : `\`${near}\``}`, near);
  return null;
}

/** A short span for a message about a whole node: scalars as they are, else the first character. */
export function headOf(node: TreeNode): Span {
  return node.kind === 'scalar' ? node.span : spanOf(node.span.start, Math.min(node.span.end, node.span.start + 1));
}
