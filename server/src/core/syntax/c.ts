// C text to plain C syntax. Never throws for text of any kind, and lets no object of the parser out.
import type { Span } from '../base/span.ts';
import { attributesBetween, spanOfNode, textOf, wordOf } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import { declarationsOf } from './c-declarations.ts';
import { rewriteForGrammar } from './c-rewrite.ts';
import type { Rewritten } from './c-rewrite.ts';
import { statementsOf } from './c-statements.ts';
import type { CFunctionDefinition, CItem, CParameter, CSyntaxType, CTranslationUnit } from './c-syntax.ts';
import { termOf } from './c-terms.ts';
import { declaredBy, specifierOf } from './c-types.ts';
import type { ParsedTree, Parsers, SyntaxNode } from './parser.ts';

/** Parses one C text. Directives should be blanked before (`activeText`); those left are skipped. */
export function parseC(parsers: Parsers, source: string): CTranslationUnit {
  const rewritten = rewriteForGrammar(source);
  const tree = parsers.parse('c', rewritten.text);
  try {
    return converted(source, rewritten, tree);
  } finally {
    parsers.release(tree);
  }
}

function converted(source: string, rewritten: Rewritten, tree: ParsedTree): CTranslationUnit {
  const conversion: Conversion = { source, rewritten, types: [], unreadable: [] };
  const items = itemsOf(conversion, tree.root);
  // An ERROR that the conversion read around, or a token that the parser put in: broken text must never look whole.
  if (conversion.unreadable.length === 0 && tree.root.hasError()) {
    const first = firstError(tree.root);
    if (first !== null) conversion.unreadable.push(first);
  }
  return { items, types: conversion.types, unreadable: conversion.unreadable };
}

/** The innermost first place that no rule covers, or where a token is missing. */
function firstError(root: SyntaxNode): Span | null {
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

/** Trees kept for the next edit: one for each file that is being edited, in practice. */
const keptTrees = 3;

/**
 * A parser that remembers what it parsed, by text; the least recently used go first. A text that differs from a recent
 * one in one place is parsed from that one's tree.
 */
export function createCParser(parsers: Parsers, remembered = 2000): (text: string) => CTranslationUnit {
  const units = new Map<string, CTranslationUnit>();
  const trees: ParsedTree[] = [];

  function parseNew(source: string): CTranslationUnit {
    const rewritten = rewriteForGrammar(source);
    const near = trees.findIndex((tree) => isEditOf(tree.text, rewritten.text));
    const old = near === -1 ? undefined : trees.splice(near, 1)[0];
    const tree = old === undefined ? parsers.parse('c', rewritten.text) : parsers.reparse(old, rewritten.text);
    trees.push(tree);
    const unit = converted(source, rewritten, tree);
    if (trees.length > keptTrees) for (const oldest of trees.splice(0, 1)) parsers.release(oldest);
    return unit;
  }

  return (text) => {
    const unit = units.get(text) ?? parseNew(text);
    units.delete(text);
    units.set(text, unit);
    if (units.size > remembered) for (const oldest of units.keys()) {
      units.delete(oldest);
      break;
    }
    return unit;
  };
}

/** Whether most of the text is that of another, before and behind one changed place. */
function isEditOf(before: string, after: string): boolean {
  const shorter = Math.min(before.length, after.length);
  if (shorter < 200 || Math.abs(before.length - after.length) > shorter / 4) return false;
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let tail = 0;
  while (tail < shorter - start && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return start + tail > shorter * 0.75;
}

function itemsOf(conversion: Conversion, root: SyntaxNode): readonly CItem[] {
  const items: CItem[] = [];
  let previousEnd = root.start;
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'ERROR') conversion.unreadable.push(spanOfNode(node));
    if (node.type === 'ERROR' || node.type === 'linkage_specification' || node.type === 'declaration_list' || node.type.startsWith('preproc_')) {
      node.children().forEach(visit);
      return;
    }
    if (!node.named || node.type === 'comment') return;
    const item = itemOf(conversion, node, previousEnd);
    previousEnd = node.end;
    if (item !== null) items.push(item);
  };
  root.children().forEach(visit);
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
      return { kind: 'type', type: specifierOf(conversion, node, conversion.rewritten.text.indexOf(';', node.end) + 1 || node.end), span };
    case 'expression_statement': {
      const inside = node.children()[0];
      const call = inside === undefined || inside.type !== 'call_expression' ? null : termOf(conversion, inside);
      return call === null ? null : { kind: 'call', call, span };
    }
    default:
      return null;
  }
}

function parameter(name: string, typeText: string, type: CSyntaxType): CParameter {
  return { name, type, typeText };
}

const registers: CSyntaxType = { kind: 'record', tag: 'struct', name: 'pt_regs', nameSpan: { start: 0, end: 0 }, members: null, attributes: [] };
const regs = parameter('regs', 'struct pt_regs *', { kind: 'pointer', to: registers });
const errorCode = parameter('error_code', 'unsigned long', { kind: 'named', name: 'unsigned long' });
const vector = parameter('vector', 'u32', { kind: 'named', name: 'u32' });

/** The parameters that a defining macro gives its function on 64 bits (`arch/x86/include/asm/idtentry.h`). */
function parametersOfMacro(macro: string): readonly CParameter[] {
  if (macro === 'DEFINE_IDTENTRY_IRQ') return [regs, vector];
  return /ERRORCODE|_DF$|_VC/.test(macro) ? [regs, errorCode] : [regs];
}

/** What a defining macro puts before the name (the same header). */
function prefixOfMacro(macro: string): string {
  if (macro.startsWith('DEFINE_FREDENTRY')) return 'fred_';
  if (/_NOIST$|_USER$/.test(macro)) return macro.includes('_VC_') ? 'user_' : 'noist_';
  return macro.endsWith('_VC_KERNEL') ? 'kernel_' : '';
}

/** The function that holds the body of a system call (`include/linux/syscalls.h`, `compat.h`). */
function prefixOfSystemCall(macro: string | null): string {
  if (macro === null || !macro.includes('SYSCALL_DEFINE')) return '';
  return macro.startsWith('COMPAT_') ? '__do_compat_sys_' : '__do_sys_';
}

/** A macro of this kind in front of `(name) {` defines the function of that name. */
const definingMacro = /^DEFINE_(?:IDTENTRY|FREDENTRY|FRED)\w*$/;

function functionOf(conversion: Conversion, node: SyntaxNode, from: number): CFunctionDefinition | null {
  const declarator = node.field('declarator');
  const body = node.field('body');
  const typeNode = node.field('type');
  if (declarator === null || body === null) return null;
  const returns = specifierOf(conversion, typeNode, declarator.start);
  const declared = declaredBy(conversion, declarator, returns);
  if (declared === null) return null;
  const { name } = declared;
  const head = typeNode === null ? '' : textOf(conversion, typeNode);
  const attributes = attributesBetween(conversion, from, body.start);
  const storage = node.children().filter((child) => child.start < declarator.start && /^(?:storage_class_specifier|inline)$/.test(child.type)).map((child) => wordOf(conversion, child).text);
  const first = conversion.rewritten.attributes.find((attribute) => attribute.span.start >= from && attribute.span.start < node.start);
  const shared = {
    span: { start: Math.min(node.start, first?.span.start ?? node.start), end: node.end },
    attributes: [...storage, ...attributes],
    body: statementsOf(conversion, body),
    bodySpan: spanOfNode(body),
  };
  if (definingMacro.test(head)) {
    const named = { text: prefixOfMacro(head) + name.text, span: name.span };
    return { ...shared, name: named, returns: { kind: 'named', name: 'void' }, parameters: parametersOfMacro(head), definedBy: head };
  }
  const type = declared.type.kind === 'function' ? declared.type.returns : declared.type;
  const definedBy = conversion.rewritten.declaredBy.get(name.span.start) ?? null;
  return { ...shared, name: { text: prefixOfSystemCall(definedBy) + name.text, span: name.span }, returns: type, parameters: declared.parameters ?? [], definedBy };
}
