// Statements of a C tree as plain syntax. Broken statements are noted and what stands between them is kept.
import { parts, spanOfNode, textOf } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import { declarationsOf } from './c-declarations.ts';
import { LEFT_OUT, LEFT_OUT_WORD } from './c-left-out.ts';
import type { CStatement, CTerm } from './c-syntax.ts';
import { termOf } from './c-terms.ts';
import { specifierOf } from './c-types.ts';
import type { SyntaxNode } from './parser.ts';

/** The statements of a block. */
export function statementsOf(conversion: Conversion, block: SyntaxNode): readonly CStatement[] {
  return block.children().flatMap((child) => inBlock(conversion, child));
}

function inBlock(conversion: Conversion, node: SyntaxNode): readonly CStatement[] {
  if (node.type === 'ERROR') {
    conversion.unreadable.push(spanOfNode(node));
    // An error often swallows statements that are whole in themselves.
    const inside = node.children().filter((child) => child.type.endsWith('_statement') || child.type === 'declaration');
    return inside.length === 0 ? [{ kind: 'unreadable', span: spanOfNode(node) }] : inside.map((child) => statementOf(conversion, child));
  }
  if (!node.named || node.type === 'comment') return [];
  if (node.type.startsWith('preproc_')) return [];
  return [statementOf(conversion, node)];
}

/** A call, at the three points. */
function leftOut(start: number): CTerm {
  const span = { start, end: start + LEFT_OUT.length };
  return { kind: 'call', callee: { kind: 'name', name: LEFT_OUT, span }, arguments: [], span };
}

function statementOf(conversion: Conversion, node: SyntaxNode): CStatement {
  const span = spanOfNode(node);
  const term = (name: string): CTerm | null => {
    const child = node.field(name);
    return child === null ? null : termOf(conversion, child);
  };
  const required = (name: string): CTerm => term(name) ?? { kind: 'unreadable', span };
  const body = (name: string): CStatement => {
    const child = node.field(name);
    return child === null ? { kind: 'empty', span } : statementOf(conversion, child);
  };
  switch (node.type) {
    case 'expression_statement': {
      const inside = parts(conversion, node)[0];
      if (inside?.type === 'identifier' && conversion.rewritten.text.startsWith(`${LEFT_OUT_WORD};`, node.start - conversion.rewritten.offset)) return { kind: 'expression', expression: leftOut(node.start), span };
      return inside === undefined ? { kind: 'empty', span } : { kind: 'expression', expression: termOf(conversion, inside), span };
    }
    case 'declaration':
      return { kind: 'declaration', declarations: declarationsOf(conversion, node, node.start), span };
    case 'compound_statement':
      return { kind: 'block', body: statementsOf(conversion, node), span };
    case 'if_statement': {
      const otherwise = node.field('alternative');
      const inside = otherwise?.type === 'else_clause' ? parts(conversion, otherwise)[0] : otherwise;
      return { kind: 'if', condition: required('condition'), then: body('consequence'), otherwise: inside === undefined || inside === null ? null : statementOf(conversion, inside), span };
    }
    case 'while_statement':
      if (conversion.rewritten.eachLoops.has(node.start)) return { kind: 'each', header: required('condition'), body: body('body'), span };
      return { kind: 'while', condition: required('condition'), body: body('body'), span };
    case 'do_statement':
      return { kind: 'do', body: body('body'), condition: required('condition'), span };
    case 'for_statement': {
      const start = node.field('initializer');
      return { kind: 'for', start: start === null ? null : startOf(conversion, start), condition: term('condition'), update: term('update'), body: body('body'), span };
    }
    case 'switch_statement':
      return { kind: 'switch', value: required('condition'), body: body('body'), span };
    case 'case_statement':
      return caseOf(conversion, node);
    case 'labeled_statement': {
      const label = node.field('label');
      const inside = node.children().filter((child) => child !== label && child.named && child.type !== 'comment' && child.start !== label?.start);
      const statement = inside[0];
      return { kind: 'label', name: label === null ? '' : textOf(conversion, label), body: statement === undefined ? null : statementOf(conversion, statement), span };
    }
    case 'goto_statement': {
      const label = node.field('label');
      return { kind: 'goto', label: label === null ? '' : textOf(conversion, label), span };
    }
    case 'break_statement':
      return { kind: 'break', span };
    case 'continue_statement':
      return { kind: 'continue', span };
    case 'return_statement': {
      const value = parts(conversion, node)[0];
      return { kind: 'return', value: value === undefined ? null : termOf(conversion, value), span };
    }
    case 'attributed_statement': {
      const inside = parts(conversion, node).at(-1);
      return inside === undefined ? { kind: 'empty', span } : statementOf(conversion, inside);
    }
    case 'type_definition':
    case 'struct_specifier':
    case 'union_specifier':
    case 'enum_specifier':
      specifierOf(conversion, node.field('type') ?? node, node.end);
      return { kind: 'empty', span };
    default:
      conversion.unreadable.push(span);
      return { kind: 'unreadable', span };
  }
}

function startOf(conversion: Conversion, node: SyntaxNode): CStatement {
  return node.type === 'declaration' ? statementOf(conversion, node) : { kind: 'expression', expression: termOf(conversion, node), span: spanOfNode(node) };
}

function caseOf(conversion: Conversion, node: SyntaxNode): CStatement {
  const value = node.field('value');
  const children = node.children();
  const colon = children.findIndex((child) => child.type === ':');
  // `case 2 ... 5`: the grammar takes the end of the range for an error.
  const range = children.slice(0, colon).find((child) => child.type === 'ERROR');
  const last = range?.children().find((child) => child.named) ?? null;
  return {
    kind: 'case',
    value: value === null ? null : termOf(conversion, value),
    last: last === null ? null : termOf(conversion, last),
    body: children.slice(colon + 1).flatMap((child) => inBlock(conversion, child)),
    span: spanOfNode(node),
  };
}
