// One item of an assembler source off its node: what a line says and where, and the same item further on in the text.
// Knows no mnemonic and no macro; whether a statement is an instruction is for those who know the definitions.
import type { Span } from '../base/span.ts';
import { spanOf } from '../base/span.ts';
import { unreachable } from '../base/unreachable.ts';
import type { SyntaxNode } from './parser.ts';

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

const PREFIX = /^(lock|rep|repe|repz|repne|repnz|data16|addr32|rex64|rex\.w|notrack|bnd|xacquire|xrelease|cs|ds|es|fs|gs|ss)$/i;

/** null where a node is none, a comment for example. */
export function itemOf(node: SyntaxNode, text: string): AsmItem | null {
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

/** The same, `by` characters further on. */
export function movedItem(item: AsmItem, by: number): AsmItem {
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

export const moved = (span: Span, by: number): Span => spanOf(span.start + by, span.end + by);
