// Expressions of a C tree as plain syntax. Parentheses vanish; what no rule covers becomes `unreadable` in place.
import { parts, sourceOf, spanOfNode, textOf, wordOf } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import { characterValue } from './c-constant.ts';
import { statementsOf } from './c-statements.ts';
import type { CListItem, CTerm } from './c-syntax.ts';
import { describedType, specifierOf } from './c-types.ts';
import type { SyntaxNode } from './parser.ts';

export function termOf(conversion: Conversion, node: SyntaxNode): CTerm {
  const span = spanOfNode(node);
  const child = (name: string): CTerm => optional(conversion, node.field(name)) ?? unreadable(conversion, node);
  switch (node.type) {
    case 'number_literal':
      return numberOf(textOf(conversion, node), node, conversion);
    case 'char_literal':
      return { kind: 'number', value: characterValue(textOf(conversion, node)), suffix: '', span };
    case 'string_literal':
    case 'concatenated_string':
      return { kind: 'string', span };
    case 'true':
    case 'false':
      return { kind: 'number', value: node.type === 'true' ? 1n : 0n, suffix: '', span };
    case 'null':
      return { kind: 'number', value: 0n, suffix: '', span };
    case 'identifier':
    case 'field_identifier':
    case 'type_identifier':
    case 'primitive_type':
    case 'statement_identifier':
      return { kind: 'name', name: textOf(conversion, node), span };
    case 'parenthesized_expression':
      return parenthesized(conversion, node);
    case 'compound_statement':
      return { kind: 'statements', body: statementsOf(conversion, node), span };
    case 'unary_expression':
    case 'pointer_expression':
      return unary(conversion, node, child('argument'));
    case 'update_expression': {
      const operator = node.field('operator');
      const operand = child('argument');
      return { kind: 'update', operator: operator !== null && textOf(conversion, operator) === '--' ? '--' : '++', prefix: operator !== null && operator.start < operand.span.start, operand, span };
    }
    case 'binary_expression':
      return { kind: 'binary', operator: operatorOf(conversion, node), left: child('left'), right: child('right'), span };
    case 'assignment_expression':
      return { kind: 'assign', operator: operatorOf(conversion, node).slice(0, -1), target: child('left'), value: child('right'), span };
    case 'conditional_expression':
      return { kind: 'conditional', condition: child('condition'), then: optional(conversion, node.field('consequence')), otherwise: child('alternative'), span };
    case 'call_expression': {
      const list = node.field('arguments');
      return { kind: 'call', callee: child('function'), arguments: list === null ? [] : parts(conversion, list).map((one) => termOf(conversion, one)), span };
    }
    case 'field_expression': {
      const field = node.field('field');
      if (field === null) return unreadable(conversion, node);
      return { kind: 'member', object: child('argument'), arrow: operatorOf(conversion, node) === '->', field: wordOf(conversion, field), span };
    }
    case 'subscript_expression':
      return { kind: 'index', object: child('argument'), index: child('index'), span };
    case 'cast_expression': {
      const type = node.field('type');
      return type === null ? child('value') : { kind: 'cast', type: describedType(conversion, type), operand: child('value'), span };
    }
    case 'sizeof_expression':
    case 'alignof_expression': {
      const type = node.field('type');
      return { kind: 'sizeof', type: type === null ? null : describedType(conversion, type), operand: optional(conversion, node.field('value')), span };
    }
    case 'offsetof_expression':
      return offsetOf(conversion, node);
    case 'comma_expression':
      return { kind: 'comma', left: child('left'), right: child('right'), span };
    case 'initializer_list':
      return { kind: 'list', items: listItems(conversion, node), span };
    case 'compound_literal_expression': {
      const type = node.field('type');
      return type === null ? unreadable(conversion, node) : { kind: 'literal', type: describedType(conversion, type), list: child('value'), span };
    }
    case 'type_descriptor':
      return { kind: 'type', type: describedType(conversion, node), span };
    case 'struct_specifier':
    case 'union_specifier':
    case 'macro_type_specifier':
      return { kind: 'type', type: specifierOf(conversion, node, node.end), span };
    case 'extension_expression': {
      const inner = parts(conversion, node)[0];
      return inner === undefined ? unreadable(conversion, node) : termOf(conversion, inner);
    }
    case 'gnu_asm_expression':
      return assemblyOf(conversion, node);
    default:
      return unreadable(conversion, node);
  }
}

function optional(conversion: Conversion, node: SyntaxNode | null): CTerm | null {
  return node === null ? null : termOf(conversion, node);
}

function unreadable(conversion: Conversion, node: SyntaxNode): CTerm {
  conversion.unreadable.push(spanOfNode(node));
  return { kind: 'unreadable', span: spanOfNode(node) };
}

function operatorOf(conversion: Conversion, node: SyntaxNode): string {
  const operator = node.field('operator');
  return operator === null ? '=' : textOf(conversion, operator);
}

function parenthesized(conversion: Conversion, node: SyntaxNode): CTerm {
  const inner = parts(conversion, node)[0];
  return inner === undefined ? unreadable(conversion, node) : termOf(conversion, inner);
}

function numberOf(text: string, node: SyntaxNode, conversion: Conversion): CTerm {
  // The grammar takes the sign of a constant for a part of it.
  const [, sign = '', digits = '', suffix = ''] = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$/.exec(text) ?? [];
  if (digits === '') return unreadable(conversion, node);
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return { kind: 'number', value: sign === '-' ? -value : value, suffix: suffix.toLowerCase(), span: spanOfNode(node) };
}

function unary(conversion: Conversion, node: SyntaxNode, operand: CTerm): CTerm {
  const operator = operatorOf(conversion, node);
  switch (operator) {
    case '-':
    case '+':
    case '~':
    case '!':
    case '*':
    case '&':
      return { kind: 'unary', operator, operand, span: spanOfNode(node) };
    default:
      return unreadable(conversion, node);
  }
}

function offsetOf(conversion: Conversion, node: SyntaxNode): CTerm {
  const type = node.field('type');
  const member = node.field('member');
  if (type === null || member === null) return unreadable(conversion, node);
  return { kind: 'offsetof', type: describedType(conversion, type), field: sourceOf(conversion, spanOfNode(member)), span: spanOfNode(node) };
}

function listItems(conversion: Conversion, node: SyntaxNode): readonly CListItem[] {
  return parts(conversion, node).map((item) => {
    if (item.type !== 'initializer_pair') return { designators: [], value: termOf(conversion, item) };
    const value = item.field('value');
    const designators: CListItem['designators'][number][] = [];
    for (const one of item.children()) {
      const inside = one.named && one.type.endsWith('designator') ? parts(conversion, one)[0] : undefined;
      if (inside === undefined) continue;
      designators.push(one.type === 'field_designator' ? { kind: 'field', name: textOf(conversion, inside) } : { kind: 'index', index: termOf(conversion, inside) });
    }
    return { designators, value: value === null ? unreadable(conversion, item) : termOf(conversion, value) };
  });
}

function assemblyOf(conversion: Conversion, node: SyntaxNode): CTerm {
  const code = node.field('assembly_code');
  const written = code === null ? undefined : conversion.rewritten.assembly.get(code.start);
  const operands = (name: string): readonly CTerm[] => {
    const list = node.field(name);
    if (list === null) return [];
    return parts(conversion, list).flatMap((operand) => optional(conversion, operand.field('value')) ?? []);
  };
  const macroOutputs = (written?.outputNames ?? []).map((name): CTerm => ({ kind: 'name', name, span: spanOfNode(node) }));
  const labels = node.field('goto_labels');
  return {
    kind: 'asm',
    span: spanOfNode(node),
    template: written?.template ?? (code === null ? '' : textOf(conversion, code).slice(1, -1)),
    extable: written?.extable ?? null,
    outputs: [...operands('output_operands'), ...macroOutputs],
    inputs: operands('input_operands'),
    labels: labels === null ? [] : parts(conversion, labels).map((label) => textOf(conversion, label)),
  };
}
