// Plain items of an assembler source, before preprocessing: what each line says and where. After an edit only what it
// touches is read off the tree again. Knows no mnemonic and no macro.
import type { Span } from '../base/span.ts';
import { spanOf } from '../base/span.ts';
import { itemOf, moved, movedItem } from './asm-item.ts';
import type { AsmItem } from './asm-item.ts';
import { DEEPEST, MOST_PROBLEMS, problemsOf } from './asm-problems.ts';
import type { SyntaxProblem } from './asm-problems.ts';
import type { ParsedTree, SyntaxNode, TreeChange } from './parser.ts';

export interface Comment {
  readonly span: Span;
  /** With its delimiters. */
  readonly text: string;
}

export interface AsmSource {
  readonly items: readonly AsmItem[];
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
}

/** What was read off a tree before macros were closed, for the next reading. */
const kept = new WeakMap<AsmSource, Pieces>();

/** In text order; the span of a macro definition is that of its header. */
interface Pieces {
  readonly items: readonly AsmItem[];
  readonly comments: readonly Comment[];
}

/** Items and comments in text order; at most 50 problems. `before` is what the tree that this one was made from gave. */
export function asmItems(tree: ParsedTree, before: AsmSource | null = null): AsmSource {
  const last = before === null ? undefined : kept.get(before);
  const pieces = tree.change !== null && last !== undefined ? changedPieces(tree, tree.change, last) : tree.root.type === 'ERROR' ? piecesOf(tree, [tree.root]) : piecesOf(tree, null);
  const problems = problemsOf(tree);
  const source = { items: withClosedMacros(pieces.items, problems), comments: pieces.comments, problems };
  // A tree with errors says nothing of the next one.
  if (!tree.root.hasError()) kept.set(source, pieces);
  return source;
}

/** Of the nodes, or of all there are. */
function piecesOf({ text, eachChild }: ParsedTree, nodes: readonly SyntaxNode[] | null): Pieces {
  const items: AsmItem[] = [];
  const comments: Comment[] = [];

  function visit(node: SyntaxNode): void {
    switch (node.type) {
      case 'comment':
      case 'hash_comment':
        comments.push({ span: spanOf(node.start, node.end), text: text.slice(node.start, node.end) });
        return;
      case 'ERROR':
        // One inside another holds no whole line.
        for (const child of node.children()) if (child.type !== 'ERROR') visit(child);
        return;
      default:
    }
    const item = itemOf(node, text);
    if (item === null) return;
    items.push(item);
    if (mayHoldComment(text, node)) visitComments(node, 0);
  }

  function visitComments(node: SyntaxNode, depth: number): void {
    for (const child of node.children()) {
      if (child.type === 'comment' || child.type === 'hash_comment') visit(child);
      else if (depth < DEEPEST) visitComments(child, depth + 1);
    }
  }

  // A text of which nothing can be read is one ERROR in the place of the root.
  if (nodes === null) eachChild(visit);
  else for (const node of nodes) visit(node);
  return { items, comments };
}

function mayHoldComment(text: string, node: SyntaxNode): boolean {
  const own = text.slice(node.start, node.end);
  return own.includes('/*') || own.includes('//') || own.includes('#');
}

/** Only what touches the change is read off the tree; the rest is what it was, moved. */
function changedPieces(tree: ParsedTree, change: TreeChange, before: Pieces): Pieces {
  const nodes = tree.topLevel(change.start, change.newEnd);
  const by = change.newEnd - change.oldEnd;
  const start = Math.min(change.start, nodes[0]?.start ?? change.start);
  const end = Math.max(change.newEnd, nodes.at(-1)?.end ?? change.newEnd);
  const fresh = piecesOf(tree, nodes);
  const behind = ({ span }: { readonly span: Span }): boolean => span.start + by > change.newEnd && span.start + by >= end;
  const spliced = <T extends { readonly span: Span }>(old: readonly T[], made: readonly T[], move: (one: T) => T): readonly T[] => {
    const first = old.findIndex(({ span }) => span.start >= start);
    const from = first === -1 ? old.length : first;
    let rest = from;
    while (rest < old.length && !behind(old[rest]!)) rest++;
    return [...old.slice(0, from), ...made, ...(by === 0 ? old.slice(rest) : old.slice(rest).map(move))];
  };
  return { items: spliced(before.items, fresh.items, (item) => movedItem(item, by)), comments: spliced(before.comments, fresh.comments, ({ span, text }) => ({ span: moved(span, by), text })) };
}

/** Macro definitions end at their `.endm`; those without one are problems. */
function withClosedMacros(headers: readonly AsmItem[], problems: SyntaxProblem[]): readonly AsmItem[] {
  const items = [...headers];
  /** Indices of the macro definitions that are still open. */
  const open: number[] = [];
  headers.forEach((item, at) => {
    if (item.kind === 'macroDefinition') open.push(at);
    if (item.kind !== 'directive' || !/^\.endm$/i.test(item.name)) return;
    const index = open.pop();
    const header = index === undefined ? undefined : headers[index];
    if (index !== undefined && header?.kind === 'macroDefinition') items[index] = { ...header, span: spanOf(header.span.start, item.span.end) };
  });
  for (const index of open) {
    const header = headers[index];
    if (header?.kind === 'macroDefinition' && problems.length < MOST_PROBLEMS) problems.push({ span: header.nameSpan, message: `.macro ${header.name} has no .endm` });
  }
  return items;
}
