// Types and declarators of a C tree as plain syntax. Lays nothing out: sizes are the program's business.
import type { Span } from '../base/span.ts';
import { attributesBetween, parts, rewrittenText, sourceOf, spanOfNode, textOf, wordOf } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import { termOf } from './c-terms.ts';
import type { CEnumerator, CMember, CParameter, CSyntaxType, CWord } from './c-syntax.ts';
import { normalised } from './c-text.ts';
import type { SyntaxNode } from './parser.ts';

const unknownType: CSyntaxType = { kind: 'named', name: 'int' };

/** The type specifier of a declaration, without its declarators. `until` bounds the attributes that belong to it. */
export function specifierOf(conversion: Conversion, node: SyntaxNode | null, until: number): CSyntaxType {
  switch (node?.type) {
    case 'struct_specifier':
    case 'union_specifier':
      return recordOf(conversion, node, until);
    case 'enum_specifier':
      return enumOf(conversion, node);
    case 'type_descriptor':
      return describedType(conversion, node);
    case undefined:
      return unknownType;
    default:
      return node === null ? unknownType : { kind: 'named', name: normalised(textOf(conversion, node)) };
  }
}

function recordOf(conversion: Conversion, node: SyntaxNode, until: number): CSyntaxType {
  const name = node.field('name');
  const body = node.field('body');
  const type: CSyntaxType = {
    kind: 'record',
    tag: node.type === 'union_specifier' ? 'union' : 'struct',
    name: name === null ? null : textOf(conversion, name),
    nameSpan: spanOfNode(name ?? node),
    members: body === null ? null : membersOf(conversion, body),
    attributes: body === null ? [] : [...attributesBetween(conversion, node.start, body.start), ...attributesBetween(conversion, body.end, until)],
  };
  if (body !== null) conversion.types.push(type);
  return type;
}

function membersOf(conversion: Conversion, body: SyntaxNode): readonly CMember[] {
  const members: CMember[] = [];
  for (const field of parts(conversion, body)) {
    if (field.type !== 'field_declaration') continue;
    const base = specifierOf(conversion, field.field('type'), field.end);
    const children = field.children();
    const declarators = children.filter((child) => /declarator$|^field_identifier$/.test(child.type));
    const attributes = base.kind === 'record' && base.members !== null ? attributesBetween(conversion, field.end - 1, field.end) : attributesBetween(conversion, field.start, field.end);
    const bits = (from: number): CMember['bits'] => {
      const next = children.find((child) => child.start >= from && child.end > child.start && child.named && child.type !== 'comment');
      if (next?.type !== 'bitfield_clause') return null;
      const width = parts(conversion, next)[0];
      return width === undefined ? null : termOf(conversion, width);
    };
    if (declarators.length === 0) {
      members.push({ name: null, type: base, bits: bits(field.field('type')?.end ?? field.start), attributes, span: spanOfNode(field) });
    }
    for (const declarator of declarators) {
      const declared = declaredBy(conversion, declarator, base);
      // In `int : 0` the grammar puts an empty name.
      if (declared !== null) members.push({ name: declared.name.text === '' ? null : declared.name.text, type: declared.type, bits: bits(declarator.end), attributes, span: declared.name.span });
    }
  }
  return members;
}

function enumOf(conversion: Conversion, node: SyntaxNode): CSyntaxType {
  const name = node.field('name');
  const body = node.field('body');
  const enumerators: CEnumerator[] = [];
  for (const one of body === null ? [] : parts(conversion, body)) {
    const word = one.type === 'enumerator' ? one.field('name') : null;
    const value = one.field('value');
    if (word !== null) enumerators.push({ name: wordOf(conversion, word), value: value === null ? null : termOf(conversion, value) });
  }
  const type: CSyntaxType = { kind: 'enum', name: name === null ? null : textOf(conversion, name), enumerators: body === null ? null : enumerators };
  if (body !== null) conversion.types.push(type);
  return type;
}

/** The type of a cast, of `sizeof` and the like. */
export function describedType(conversion: Conversion, node: SyntaxNode): CSyntaxType {
  const base = specifierOf(conversion, node.field('type'), node.end);
  const declarator = node.field('declarator');
  return declarator === null ? base : abstractType(conversion, declarator, base);
}

function abstractType(conversion: Conversion, node: SyntaxNode, base: CSyntaxType): CSyntaxType {
  const wrapped = wrappedType(conversion, node, base);
  const inner = innerDeclarator(node);
  return inner === null ? wrapped : abstractType(conversion, inner, wrapped);
}

export interface Declared {
  readonly name: CWord;
  readonly type: CSyntaxType;
  /** Those of the function declarator next to the name, null where what is declared is no function. */
  readonly parameters: readonly CParameter[] | null;
}

/** What a declarator declares; null where it holds no name. */
export function declaredBy(conversion: Conversion, node: SyntaxNode, base: CSyntaxType): Declared | null {
  if (/^(?:identifier|field_identifier|type_identifier|primitive_type)$/.test(node.type)) {
    return { name: wordOf(conversion, node), type: base, parameters: null };
  }
  const inner = innerDeclarator(node);
  if (inner === null) return null;
  const declared = declaredBy(conversion, inner, wrappedType(conversion, node, base));
  if (declared === null || node.type !== 'function_declarator' || declared.type.kind !== 'function' || declared.parameters !== null) return declared;
  return { ...declared, parameters: parametersOf(conversion, node) };
}

function wrappedType(conversion: Conversion, node: SyntaxNode, base: CSyntaxType): CSyntaxType {
  switch (node.type) {
    case 'pointer_declarator':
    case 'abstract_pointer_declarator':
      return { kind: 'pointer', to: base };
    case 'array_declarator':
    case 'abstract_array_declarator': {
      const length = node.field('size');
      return { kind: 'array', of: base, length: length === null ? null : termOf(conversion, length) };
    }
    case 'function_declarator':
    case 'abstract_function_declarator':
      return { kind: 'function', returns: base };
    default:
      return base;
  }
}

function innerDeclarator(node: SyntaxNode): SyntaxNode | null {
  return node.field('declarator') ?? node.children().find((child) => /declarator$|^(?:identifier|field_identifier|type_identifier)$/.test(child.type)) ?? null;
}

export function parametersOf(conversion: Conversion, declarator: SyntaxNode): readonly CParameter[] {
  const list = declarator.field('parameters');
  const parameters: CParameter[] = [];
  for (const one of list === null ? [] : parts(conversion, list)) {
    if (one.type !== 'parameter_declaration') continue;
    const base = specifierOf(conversion, one.field('type'), one.end);
    const inner = one.field('declarator');
    const declared = inner === null ? null : declaredBy(conversion, inner, base);
    if (declared === null && inner === null && base.kind === 'named' && base.name === 'void') continue;
    const type = declared?.type ?? (inner === null ? base : abstractType(conversion, inner, base));
    const typeText = typeTextOf(conversion, spanOfNode(one), declared?.name.span ?? null);
    // Arrays and functions as parameters are pointers (C11 6.7.6.3).
    const passed: CSyntaxType = type.kind === 'array' ? { kind: 'pointer', to: type.of } : type.kind === 'function' ? { kind: 'pointer', to: type } : type;
    parameters.push({ name: declared?.name.text ?? '', type: passed, typeText });
  }
  return parameters;
}

/** The declaration's text without the declared name and what follows it. */
export function typeTextOf(conversion: Conversion, span: Span, name: Span | null): string {
  if (name === null) return sourceOf(conversion, span);
  return normalised(rewrittenText(conversion, span.start, name.start).replace(/\b(?:static|extern|const|volatile|register)\b/g, ' '));
}
