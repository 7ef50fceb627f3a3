// Declarations of a C tree as plain syntax.
import { attributesBetween, spanOfNode, textOf } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import type { CDeclaration } from './c-syntax.ts';
import { termOf } from './c-terms.ts';
import { declaredBy, parametersOf, specifierOf, typeTextOf } from './c-types.ts';
import type { SyntaxNode } from './parser.ts';

/** What a declaration or type definition declares. Attributes count from `from` on, which may lie before the node. */
export function declarationsOf(conversion: Conversion, node: SyntaxNode, from: number): readonly CDeclaration[] {
  const base = specifierOf(conversion, node.field('type'), node.end);
  const children = node.children();
  const storage = children.filter((child) => child.type === 'storage_class_specifier').map((child) => textOf(conversion, child));
  const typeEnd = node.field('type')?.end ?? node.start;
  const declarations: CDeclaration[] = [];
  for (const child of children) {
    if (child.start < typeEnd || !/declarator$|^identifier$|^type_identifier$|^primitive_type$/.test(child.type)) continue;
    const initialised = child.type === 'init_declarator';
    const declarator = initialised ? child.field('declarator') : child;
    const declared = declarator === null ? null : declaredBy(conversion, declarator, base);
    if (declared === null) continue;
    const { name, type } = declared;
    const shared = { name, type, span: spanOfNode(child), attributes: attributesBetween(conversion, from, node.end) };
    const byMacro = conversion.rewritten.declaredBy.get(node.field('type')?.start ?? -1) ?? conversion.rewritten.declaredBy.get(name.span.start);
    const value = initialised ? child.field('value') : null;
    if (node.type === 'type_definition') declarations.push({ ...shared, kind: 'typedef' });
    else if (type.kind === 'function') declarations.push({ ...shared, kind: 'prototype', parameters: declared.parameters ?? parametersOf(conversion, child) });
    else {
      declarations.push({
        ...shared,
        kind: 'variable',
        storage: byMacro === undefined ? storage : [...storage, byMacro],
        initialiser: value === null ? null : termOf(conversion, value),
        typeText: typeTextOf(conversion, spanOfNode(node), name.span),
      });
    }
  }
  return declarations;
}
