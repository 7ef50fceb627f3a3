// Plain items of an assembler source, before preprocessing: what each line says and where. Knows no mnemonic and no
// macro; whether a statement is an instruction or a macro's use is for those who know the definitions.
import type { Span } from '../base/span.ts';
import { spanOf } from '../base/span.ts';
import { unreachable } from '../base/unreachable.ts';
import type { ParsedTree, SyntaxNode, TreeChange } from './parser.ts';

export interface Comment {
  readonly span: Span;
  /** With its delimiters. */
  readonly text: string;
}

export interface SyntaxProblem {
  readonly span: Span;
  readonly message: string;
}

export interface MacroParameter {
  readonly name: string;
  readonly span: Span;
}

/** Names are as written, `\arg` and `\@` included. */
export type AsmItem =
  | { readonly kind: 'label'; readonly name: string; readonly scope: 'numeric' | 'local' | 'global'; readonly span: Span; readonly nameSpan: Span }
  /** Its span ends behind `.endm`, or behind the header where there is none. */
  | { readonly kind: 'macroDefinition'; readonly name: string; readonly span: Span; readonly nameSpan: Span; readonly parameters: readonly MacroParameter[] }
  | AsmStatement
  /** `name = value`, and `.set`, `.equ`, `.equiv`. */
  | { readonly kind: 'assignment'; readonly name: string; readonly span: Span; readonly nameSpan: Span; readonly value: Span }
  /** The name with its dot, as written. */
  | { readonly kind: 'directive'; readonly name: string; readonly span: Span; readonly nameSpan: Span; readonly operands: readonly Span[] }
  | AsmPreprocessor;

export interface AsmStatement {
  readonly kind: 'statement';
  /** `rep`, `lock` and the like before the mnemonic on one line. */
  readonly prefixes: readonly Span[];
  readonly name: string;
  readonly span: Span;
  readonly nameSpan: Span;
  /** Written `NAME(...)`: the operands in the parentheses come first. */
  readonly called: boolean;
  /** One for each place between commas or blanks; empty where nothing is written there. */
  readonly operands: readonly Span[];
}

export interface AsmPreprocessor {
  readonly kind: 'preprocessor';
  /** Without `#`: 'define', 'ifdef'. */
  readonly directive: string;
  readonly span: Span;
  readonly directiveSpan: Span;
  /** The macro of define, undef, ifdef, ifndef; the path of include without its delimiters; else null. */
  readonly name: string | null;
  readonly nameSpan: Span | null;
  /** Everything behind the directive; the condition of if and elif. Empty where nothing is there. */
  readonly argument: Span;
}

export interface AsmSource {
  readonly items: readonly AsmItem[];
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
}

const MOST_PROBLEMS = 50;

/** Deeper than any source that a person wrote; below it only hostile text nests, and the stack is finite. */
const DEEPEST = 500;

const PREFIX = /^(lock|rep|repe|repz|repne|repnz|data16|addr32|rex64|rex\.w|notrack|bnd|xacquire|xrelease|cs|ds|es|fs|gs|ss)$/i;

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

const moved = (span: Span, by: number): Span => spanOf(span.start + by, span.end + by);

function movedItem(item: AsmItem, by: number): AsmItem {
  const span = moved(item.span, by);
  switch (item.kind) {
    case 'label':
      return { ...item, span, nameSpan: moved(item.nameSpan, by) };
    case 'macroDefinition':
      return { ...item, span, nameSpan: moved(item.nameSpan, by), parameters: item.parameters.map((parameter) => ({ name: parameter.name, span: moved(parameter.span, by) })) };
    case 'statement':
      return { ...item, span, nameSpan: moved(item.nameSpan, by), prefixes: item.prefixes.map((one) => moved(one, by)), operands: item.operands.map((one) => moved(one, by)) };
    case 'assignment':
      return { ...item, span, nameSpan: moved(item.nameSpan, by), value: moved(item.value, by) };
    case 'directive':
      return { ...item, span, nameSpan: moved(item.nameSpan, by), operands: item.operands.map((one) => moved(one, by)) };
    case 'preprocessor':
      return { ...item, span, directiveSpan: moved(item.directiveSpan, by), nameSpan: item.nameSpan === null ? null : moved(item.nameSpan, by), argument: moved(item.argument, by) };
    default:
      return unreachable(item);
  }
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

function problemsOf({ root, text }: ParsedTree): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  function visit(node: SyntaxNode, parent: SyntaxNode, depth: number): void {
    if (problems.length >= MOST_PROBLEMS) return;
    if (node.type === 'ERROR' || node.missing || (depth === DEEPEST && node.hasError())) problems.push(problemAt(node, parent, text));
    else if (node.hasError()) for (const child of node.children()) visit(child, node, depth + 1);
  }
  visit(root, root, 0);
  return problems;
}

function itemOf(node: SyntaxNode, text: string): AsmItem | null {
  const span = spanOf(node.start, node.end);
  const name = node.field('name');
  switch (node.type) {
    case 'label':
      return name === null ? null : { kind: 'label', span, scope: scopeOf(textOf(name, text)), ...named(name, text) };
    case 'macro_header': {
      if (name === null) return null;
      const parameters = node.children().flatMap((child): MacroParameter[] => {
        const parameter = child.type === 'parameter' ? child.field('name') : null;
        return parameter === null ? [] : [{ name: textOf(parameter, text), span: spanOf(parameter.start, parameter.end) }];
      });
      return { kind: 'macroDefinition', span, parameters, ...named(name, text) };
    }
    case 'assignment': {
      const value = node.field('value');
      return name === null || value === null ? null : { kind: 'assignment', span, value: spanOf(value.start, value.end), ...named(name, text) };
    }
    case 'directive': {
      if (name === null) return null;
      const operands = operandsOf(node.children(), name.end);
      const [target, value] = operands;
      if (/^\.(set|equ|equiv)$/i.test(textOf(name, text)) && target !== undefined && value !== undefined) {
        return { kind: 'assignment', span, name: text.slice(target.start, target.end), nameSpan: target, value };
      }
      return { kind: 'directive', span, operands, ...named(name, text) };
    }
    case 'statement':
      return name === null ? null : statementOf(node, name, text);
    case 'preprocessor':
      return preprocessorOf(node, text);
    default:
      return null;
  }
}

function statementOf(node: SyntaxNode, name: SyntaxNode, text: string): AsmStatement {
  const inParentheses = node.field('arguments');
  const first = inParentheses === null ? [] : operandsOf(inParentheses.children(), inParentheses.start);
  const operands = [...first, ...operandsOf(node.children(), inParentheses?.end ?? name.end)];
  const statement = { kind: 'statement' as const, span: spanOf(node.start, node.end), called: inParentheses !== null };
  const prefixes: Span[] = [];
  let nameSpan = spanOf(name.start, name.end);
  // `lock cmpxchg ...` is parsed as the word `lock` with operands; the mnemonic is the word behind the prefixes.
  for (let next = operands[0]; inParentheses === null && next !== undefined; next = operands[0]) {
    if (!PREFIX.test(text.slice(nameSpan.start, nameSpan.end))) break;
    const word = /^[A-Za-z_\\][\w.\\]*/.exec(text.slice(next.start, next.end));
    if (word === null) break;
    prefixes.push(nameSpan);
    nameSpan = spanOf(next.start, next.start + word[0].length);
    const rest = text.slice(nameSpan.end, next.end);
    const start = nameSpan.end + (rest.length - rest.trimStart().length);
    operands.splice(0, 1, ...(start < next.end ? [spanOf(start, next.end)] : []));
  }
  return { ...statement, prefixes, name: text.slice(nameSpan.start, nameSpan.end), nameSpan, operands };
}

/** The operands that start at or behind an offset. */
function operandsOf(children: readonly SyntaxNode[], from: number): Span[] {
  const operands: Span[] = [];
  let afterOperand = false;
  for (const child of children) {
    if (child.start < from) continue;
    if (child.type === ',') {
      if (!afterOperand) operands.push(spanOf(child.start, child.start));
      afterOperand = false;
    } else if (child.named && child.type !== 'comment' && child.type !== 'hash_comment' && child.type !== 'ERROR') {
      operands.push(spanOf(child.start, child.end));
      afterOperand = true;
    }
  }
  return operands;
}

function preprocessorOf(node: SyntaxNode, text: string): AsmPreprocessor | null {
  const directive = node.field('directive');
  if (directive === null) return null;
  const word = /[a-z]+$/.exec(textOf(directive, text))?.[0] ?? '';
  const behind = text.slice(directive.end, node.end);
  const start = node.end - behind.trimStart().length;
  const argument = spanOf(start, Math.max(start, start + behind.trim().length));
  const pattern = word === 'include' ? /^[<"]([^>"\n]*)/ : /^(?:define|undef|ifdef|ifndef)$/.test(word) ? /^([A-Za-z_]\w*)/ : null;
  const name = pattern?.exec(text.slice(argument.start, argument.end))?.[1] ?? null;
  const nameStart = argument.start + (word === 'include' ? 1 : 0);
  return {
    kind: 'preprocessor',
    directive: word,
    span: spanOf(node.start, Math.max(directive.end, argument.end)),
    directiveSpan: spanOf(directive.start, directive.end),
    name,
    nameSpan: name === null ? null : spanOf(nameStart, nameStart + name.length),
    argument,
  };
}

/** On the first line of what cannot be read, where its reader looks first. */
function problemAt(node: SyntaxNode, parent: SyntaxNode, text: string): SyntaxProblem {
  if (node.missing) return { span: lastWrittenBefore(node.start, text), message: `${node.named ? 'an operand' : `\`${node.type}\``} is missing here` };
  const whole = text.slice(node.start, node.end);
  const line = whole.trimStart().split('\n', 1)[0]?.trimEnd() ?? '';
  if (line === '') return { span: lastWrittenBefore(node.start, text), message: 'more must follow here' };
  const start = node.start + (whole.length - whole.trimStart().length);
  const span = spanOf(start, start + line.length);
  return { span, message: messageFor(line, parent) };
}

/** The character before the blanks before an offset. */
function lastWrittenBefore(offset: number, text: string): Span {
  let end = offset;
  while (end > 1 && /\s/.test(text[end - 1] ?? '')) end--;
  return spanOf(Math.max(0, end - 1), end);
}

function messageFor(line: string, parent: SyntaxNode): string {
  if (line.includes('/*') && !line.includes('*/')) return 'this comment is not closed by */';
  const plain = line.replace(/"([^"\\]|\\.)*"/g, '');
  if (plain.includes('"')) return 'this string has no closing quote on its line';
  const depth = [...plain].reduce((count, character) => count + (character === '(' ? 1 : character === ')' ? -1 : 0), 0);
  if (depth > 0) return 'a parenthesis opened here is not closed';
  if (plain.startsWith(')')) return 'no parenthesis is open here';
  return parent.type === 'source_file' ? 'cannot read this as a statement' : 'cannot read this as an operand list';
}

function mayHoldComment(text: string, node: SyntaxNode): boolean {
  const own = text.slice(node.start, node.end);
  return own.includes('/*') || own.includes('//') || own.includes('#');
}

function named(name: SyntaxNode, text: string): { readonly name: string; readonly nameSpan: Span } {
  return { name: textOf(name, text), nameSpan: spanOf(name.start, name.end) };
}

function textOf(node: SyntaxNode, text: string): string {
  return text.slice(node.start, node.end);
}

function scopeOf(name: string): 'numeric' | 'local' | 'global' {
  if (/^[0-9]/.test(name)) return 'numeric';
  return name.startsWith('.L') ? 'local' : 'global';
}
