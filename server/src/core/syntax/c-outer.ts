// The outer items of a C tree as plain syntax: functions, declarations, types, calls of macros.
import type { Span } from '../base/span.ts';
import { spanOfNode } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import { declarationsOf } from './c-declarations.ts';
import { functionOf } from './c-functions.ts';
import type { CItem } from './c-syntax.ts';
import { termOf } from './c-terms.ts';
import { specifierOf } from './c-types.ts';
import type { ParsedTree, SyntaxNode } from './parser.ts';

/** What stands below the root. Attributes of the first item may begin at `from`. */
export function itemsOf(conversion: Conversion, tree: ParsedTree, from: number): readonly CItem[] {
  const items: CItem[] = [];
  let previousEnd = from;
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'ERROR') conversion.unreadable.push(spanOfNode(node));
    if (node.type === 'ERROR' || node.type === 'linkage_specification' || node.type === 'declaration_list' || node.type.startsWith('preproc_')) {
      node.children().forEach(visit);
      return;
    }
    // Attributes before it belong to what it ends.
    if (node.type === ';') previousEnd = node.end;
    if (!node.named || node.type === 'comment') return;
    const item = itemOf(conversion, node, previousEnd);
    previousEnd = node.end;
    if (item !== null) items.push(item);
  };
  tree.eachChild(visit);
  return items;
}

function itemOf(conversion: Conversion, node: SyntaxNode, from: number): CItem | null {
  const span = spanOfNode(node);
  switch (node.type) {
    case 'function_definition': {
      const definition = functionOf(conversion, node, from);
      return definition === null ? null : { kind: 'function', function: definition, span: definition.span };
    }
    case 'declaration':
    case 'type_definition': {
      const declarations = declarationsOf(conversion, node, from);
      return { kind: 'declaration', declarations, span };
    }
    case 'struct_specifier':
    case 'union_specifier':
    case 'enum_specifier':
      return { kind: 'type', type: specifierOf(conversion, node, behindSemicolon(conversion, node.end)), span };
    case 'expression_statement': {
      const inside = node.children()[0];
      const call = inside === undefined || inside.type !== 'call_expression' ? null : termOf(conversion, inside);
      return call === null ? null : { kind: 'call', call, span };
    }
    default:
      return null;
  }
}

/** The innermost first place that no rule covers, or where a token is missing. */
export function firstError(root: SyntaxNode): Span | null {
  let node = root;
  for (;;) {
    const inner = node.children().find((child) => child.missing || child.type === 'ERROR' || child.hasError());
    if (inner === undefined) return spanOfNode(node);
    if (inner.missing || (inner.type === 'ERROR' && !inner.children().some((child) => child.hasError()))) {
      return inner.missing ? { start: Math.max(0, inner.start - 1), end: inner.end } : spanOfNode(inner);
    }
    node = inner;
  }
}

function behindSemicolon({ rewritten: { text, offset } }: Conversion, from: number): number {
  const found = text.indexOf(';', from - offset);
  return found === -1 ? from : found + offset + 1;
}
