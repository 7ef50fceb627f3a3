// A function of a C tree as plain syntax, with what the macros that define functions add to it.
import { firstWhere } from '../base/first.ts';
import type { Span } from '../base/span.ts';
import { attributesBetween, spanOfNode, textOf, wordOf } from './c-context.ts';
import type { Conversion } from './c-context.ts';
import { statementsOf } from './c-statements.ts';
import type { CFunctionDefinition, CParameter, CSyntaxType } from './c-syntax.ts';
import { declaredBy, specifierOf } from './c-types.ts';
import type { SyntaxNode } from './parser.ts';

/** A definition; attributes of it may begin at `from`, the end of what stands before. */
export function functionOf(conversion: Conversion, node: SyntaxNode, from: number): CFunctionDefinition | null {
  const declarator = node.field('declarator');
  const body = node.field('body');
  const typeNode = node.field('type');
  if (declarator === null || body === null) return null;
  const returns = specifierOf(conversion, typeNode, declarator.start);
  const declared = declaredBy(conversion, declarator, returns);
  if (declared === null) return null;
  const head = typeNode === null ? '' : textOf(conversion, typeNode);
  const storage = node.children().filter((child) => child.start < declarator.start && /^(?:storage_class_specifier|inline)$/.test(child.type)).map((child) => wordOf(conversion, child).text);
  const { name } = declared;
  const attributes = attributesBetween(conversion, from, body.start);
  const { start } = firstAttribute(conversion, from, node.start) ?? node;
  const shared = { span: { start: Math.min(node.start, start), end: node.end }, attributes: [...storage, ...attributes], body: statementsOf(conversion, body), bodySpan: spanOfNode(body) };
  if (definingMacro.test(head)) {
    const named = { text: prefixOfMacro(head) + name.text, span: name.span };
    return { ...shared, name: named, returns: { kind: 'named', name: 'void' }, parameters: parametersOfMacro(head), definedBy: head };
  }
  const type = declared.type.kind === 'function' ? declared.type.returns : declared.type;
  const definedBy = conversion.rewritten.declaredBy.get(name.span.start) ?? null;
  return { ...shared, name: { text: prefixOfSystemCall(definedBy) + name.text, span: name.span }, returns: type, parameters: declared.parameters ?? [], definedBy };
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

/** Where the first attribute between two offsets was written. */
function firstAttribute({ rewritten: { attributes } }: Conversion, start: number, end: number): Span | null {
  const first = attributes[firstWhere(attributes, ({ span }) => span.start >= start)];
  return first !== undefined && first.span.start < end ? first.span : null;
}
