// The two incremental parsers, as plain trees for the rest of syntax/. The only importer of web-tree-sitter: it owns
// every tree-sitter object and must never know what a node means.
import { Edit, Language, Parser } from 'web-tree-sitter';
import type { Node, Point, Tree, TreeCursor } from 'web-tree-sitter';

export type SyntaxLanguage = 'gas' | 'c';

/** A node of a parsed tree, valid until its tree is released or replaced. It must not leave syntax/. */
export interface SyntaxNode {
  /** Rule or token of the grammar; `ERROR` for text that no rule covers. */
  readonly type: string;
  /** False for punctuation and keywords written literally in the grammar. */
  readonly named: boolean;
  /** UTF-16 offset. */
  readonly start: number;
  /** UTF-16 offset behind the last character. */
  readonly end: number;
  /** A token that the text lacks and the parser put in to go on; it is empty. */
  readonly missing: boolean;
  /** All children in text order, punctuation and comments included. */
  readonly children: () => readonly SyntaxNode[];
  /** The first child under a field of the grammar, or null. */
  readonly field: (name: string) => SyntaxNode | null;
  /** Whether an ERROR or a missing token is at or below this node. */
  readonly hasError: () => boolean;
}

/** A text with its tree. Its owner gives it back by `reparse` or by `release`. */
export interface ParsedTree {
  readonly language: SyntaxLanguage;
  readonly text: string;
  readonly root: SyntaxNode;
  /** Gives each child of the root in text order; none of them need be held beyond its turn. */
  readonly eachChild: (visit: (node: SyntaxNode) => void) => void;
  /** Children of the root that touch a range, in text order, without making the others. */
  readonly topLevel: (start: number, end: number) => readonly SyntaxNode[];
  /** What differs from the tree that it was made from; null where that is not known. */
  readonly change: TreeChange | null;
}

/** Outside of the range both trees have the same nodes, those behind it moved. */
export interface TreeChange {
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

export interface Parsers {
  /** Offsets of the nodes count from `offset`: where the text stands in a larger one. Such a tree is none for `reparse`. */
  readonly parse: (language: SyntaxLanguage, text: string, offset?: number) => ParsedTree;
  /** The tree of the new text, made from the old tree, which is released. The same tree as a fresh parse gives. */
  readonly reparse: (tree: ParsedTree, newText: string) => ParsedTree;
  readonly release: (tree: ParsedTree) => void;
}

/** The WASM modules: web-tree-sitter's own, and one for each grammar. */
export interface ParserModules {
  readonly core: Uint8Array;
  readonly gas: Uint8Array;
  readonly c: Uint8Array;
}

/** Two loads at the same time would each make a module of their own, and mix them up. */
let loading: Promise<unknown> = Promise.resolve();

/** Rejects where a module is not WASM or a grammar's ABI is not that of web-tree-sitter. */
export async function createParsers(modules: ParserModules): Promise<Parsers> {
  const loaded = loading.then(async () => {
    await Parser.init({ wasmBinary: exactBuffer(modules.core) });
    // Both before the first parse: loading a grammar may grow the memory under a living tree.
    return { gas: await Language.load(modules.gas), c: await Language.load(modules.c) };
  });
  loading = loaded.catch(() => undefined);
  const languages = await loaded;
  const parsers = { gas: new Parser().setLanguage(languages.gas), c: new Parser().setLanguage(languages.c) };
  const trees = new WeakMap<ParsedTree, Tree>();

  function parseWith(language: SyntaxLanguage, text: string, old: Tree | null): Tree {
    const tree = parsers[language].parse(text, old);
    if (tree === null) throw new Error(`no tree for ${language}: the parser has lost its language`);
    return tree;
  }

  function keep(language: SyntaxLanguage, text: string, tree: Tree, change: TreeChange | null, offset = 0): ParsedTree {
    const root = rootOf(tree, languages[language], offset);
    const eachChild = (visit: (node: SyntaxNode) => void): void => (root.hasError() ? root.children().forEach(visit) : walkChildren(tree, languages[language], offset, visit));
    const parsed: ParsedTree = { language, text, root, change, eachChild, topLevel: (start, end) => topLevel(tree.rootNode, start, end) };
    trees.set(parsed, tree);
    return parsed;
  }

  function treeOf(parsed: ParsedTree): Tree {
    const tree = trees.get(parsed);
    if (tree === undefined) throw new Error('a tree is used after it was released or replaced');
    return tree;
  }

  function release(parsed: ParsedTree): void {
    treeOf(parsed).delete();
    trees.delete(parsed);
  }

  return {
    parse: (language, text, offset = 0) => keep(language, text, parseWith(language, text, null), null, offset),
    reparse: (parsed, newText) => {
      const old = treeOf(parsed);
      const edit = editBetween(parsed.text, newText);
      if (edit !== null) old.edit(edit);
      let next = parseWith(parsed.language, newText, old);
      let change = edit === null || old.rootNode.hasError ? null : changeBetween(old, next, edit);
      release(parsed);
      // Error recovery depends on what was parsed before; only a fresh parse makes the tree a function of the text.
      if (next.rootNode.hasError) {
        next.delete();
        next = parseWith(parsed.language, newText, null);
        change = null;
      }
      return keep(parsed.language, newText, next, change);
    },
    release,
  };
}

/** The bytes alone: a Node Buffer is often a window into a larger pool. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}

/** The edit, widened to every node that came out differently. */
function changeBetween(old: Tree, next: Tree, edit: Edit): TreeChange {
  const by = edit.newEndIndex - edit.oldEndIndex;
  let start = edit.startIndex;
  let newEnd = edit.newEndIndex;
  for (const range of old.getChangedRanges(next)) {
    start = Math.min(start, range.startIndex);
    newEnd = Math.max(newEnd, range.endIndex);
  }
  return { start, oldEnd: newEnd - by, newEnd };
}

function topLevel(root: Node, start: number, end: number): readonly SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  for (let child = root.firstChildForIndex(Math.max(0, start - 1)); child !== null && child.startIndex <= end; child = child.nextSibling) if (child.endIndex >= start) nodes.push(wrap(child));
  return nodes;
}

function wrap(node: Node, offset = 0): SyntaxNode {
  let children: readonly SyntaxNode[] | null = null;
  return {
    type: node.type,
    named: node.isNamed,
    start: node.startIndex + offset,
    end: node.endIndex + offset,
    missing: node.isMissing,
    children: () => (children ??= node.children.map((child) => wrap(child, offset))),
    field: (name) => {
      const child = node.childForFieldName(name);
      return child === null ? null : wrap(child, offset);
    },
    hasError: () => node.hasError,
  };
}

/** A tree without errors is walked once, when somebody looks below its root; one with errors node by node. */
function rootOf(tree: Tree, language: Language, offset: number): SyntaxNode {
  const root = wrap(tree.rootNode, offset);
  if (root.hasError()) return root;
  let walked: SyntaxNode | null = null;
  const whole = (): SyntaxNode => {
    if (walked !== null) return walked;
    const cursor = tree.walk();
    walked = walk(cursor, language, offset, 0);
    cursor.delete();
    return walked;
  };
  return { ...root, children: () => whole().children(), field: (name) => whole().field(name) };
}

function walkChildren(tree: Tree, language: Language, offset: number, visit: (node: SyntaxNode) => void): void {
  const cursor = tree.walk();
  if (cursor.gotoFirstChild()) do visit(walk(cursor, language, offset, 1)); while (cursor.gotoNextSibling());
  cursor.delete();
}

/** Nodes further down than this are made one by one: only text that nobody wrote nests so deep, and the stack is finite. */
const DEEPEST_WALK = 300;
const nobody: readonly SyntaxNode[] = [];
const childless = (): readonly SyntaxNode[] => nobody;
const fieldless = (): null => null;
const never = (): boolean => false;

function walk(cursor: TreeCursor, language: Language, offset: number, depth: number): SyntaxNode {
  if (depth > DEEPEST_WALK) return wrap(cursor.currentNode, offset);
  const id = cursor.nodeTypeId;
  const start = cursor.startIndex + offset;
  const end = cursor.endIndex + offset;
  const type = language.types[id] ?? '';
  const named = isNamed(language, id);
  if (!cursor.gotoFirstChild()) return { type, named, start, end, missing: false, children: childless, field: fieldless, hasError: never };
  const children: SyntaxNode[] = [];
  const fields: number[] = [];
  do {
    fields.push(cursor.currentFieldId);
    children.push(walk(cursor, language, offset, depth + 1));
  } while (cursor.gotoNextSibling());
  cursor.gotoParent();
  return {
    type,
    named,
    start,
    end,
    missing: false,
    children: () => children,
    field: (name) => {
      const field = fieldId(language, name);
      const at = field === 0 ? -1 : fields.indexOf(field);
      return children[at] ?? null;
    },
    hasError: never,
  };
}

const namedTypes = new WeakMap<Language, Map<number, boolean>>();
const fieldIds = new WeakMap<Language, Map<string, number>>();

function isNamed(language: Language, id: number): boolean {
  let known = namedTypes.get(language);
  if (known === undefined) namedTypes.set(language, (known = new Map()));
  let named = known.get(id);
  if (named === undefined) known.set(id, (named = language.nodeTypeIsNamed(id)));
  return named;
}

/** 0 where the grammar has no such field. */
function fieldId(language: Language, name: string): number {
  let known = fieldIds.get(language);
  if (known === undefined) fieldIds.set(language, (known = new Map()));
  let id = known.get(name);
  if (id === undefined) known.set(name, (id = language.fieldIdForName(name) ?? 0));
  return id;
}

/** Compared at once where texts are alike, which is nearly everywhere; single characters only near the change. */
const BLOCK = 1024;

function blockFromEnd(text: string, tail: number): string {
  return text.slice(text.length - tail - BLOCK, text.length - tail);
}

/** The one replacement that turns the old text into the new; null where they are equal. */
function editBetween(before: string, after: string): Edit | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start + BLOCK <= shorter && before.slice(start, start + BLOCK) === after.slice(start, start + BLOCK)) start += BLOCK;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  const longestTail = shorter - start;
  let tail = 0;
  while (tail + BLOCK <= longestTail && blockFromEnd(before, tail) === blockFromEnd(after, tail)) tail += BLOCK;
  while (tail < longestTail && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  const oldEnd = before.length - tail;
  const newEnd = after.length - tail;
  const startPosition = pointAt(before, start, { row: 0, column: 0 }, 0);
  return new Edit({
    startIndex: start,
    oldEndIndex: oldEnd,
    newEndIndex: newEnd,
    startPosition,
    oldEndPosition: pointAt(before, oldEnd, startPosition, start),
    newEndPosition: pointAt(after, newEnd, startPosition, start),
  });
}

/** Row and column of an offset, counted from a known earlier one. */
function pointAt(text: string, offset: number, from: Point, fromOffset: number): Point {
  let { row } = from;
  let lineStart = fromOffset - from.column;
  for (let at = text.indexOf('\n', fromOffset); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    row++;
    lineStart = at + 1;
  }
  return { row, column: offset - lineStart };
}
