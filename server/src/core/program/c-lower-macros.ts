// Uses of macros in expressions, expanded where the macro is in view and no row of the kernel's primitives stands for
// it. What comes out of an expansion has the place of the use.
import type { Span } from '../base/span.ts';
import { PRIMITIVE_BY_NAME } from '../kernel/primitives.ts';
import { substitute } from '../syntax/c-constant.ts';
import type { CMacroDefinition } from '../syntax/c-constant.ts';
import type { CTerm } from '../syntax/c-syntax.ts';
import { isWordStart, matchParenthesis, skipBlank, skipOpaque, wordEnd } from '../syntax/c-text.ts';
import type { Parenthesised } from '../syntax/c-text.ts';
import { findLocal } from './c-lower-builder.ts';
import type { Builder } from './c-lower-builder.ts';
import { isKeptCall } from './c-lower-forms.ts';

const deepest = 12;

/** The expansion of `name(...)`, or of `name` alone where `given` is null; null where it is none to expand. */
export function expansionOf(builder: Builder, name: string, given: readonly Span[] | null, span: Span): CTerm | null {
  // What an expansion holds is expanded already.
  if (builder.inExpansion || isKept(builder, name)) return null;
  const macro = builder.scope.types.constants.macro(name);
  if (macro === null || macro.body === '' || (macro.parameters === null) !== (given === null)) return null;
  const written = (given ?? []).map((one) => builder.source.slice(one.start, one.end));
  return parsedExpression(builder, expandedText(builder, substitutedBody(macro, written), [name]), span);
}

/** Names that mean more here than their macros say. */
function isKept(builder: Builder, name: string): boolean {
  return PRIMITIVE_BY_NAME.has(name) || isKeptCall(name) || findLocal(builder, name) !== null || builder.scope.functions.has(name) || builder.scope.variables.has(name);
}

function substitutedBody(macro: CMacroDefinition, given: readonly string[]): string {
  if (macro.parameters === null) return macro.body;
  const last = macro.parameters.length - 1;
  const variadic = macro.parameters[last] === '...';
  const values = variadic ? [...given.slice(0, last), given.slice(last).join(', ')] : given;
  return substitute({ ...macro, parameters: macro.parameters.map((one) => (one === '...' ? '__VA_ARGS__' : one)) }, values);
}

/** Macros inside macros; a macro never expands inside itself. */
function expandedText(builder: Builder, text: string, hidden: readonly string[]): string {
  if (hidden.length > deepest) return text;
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const behind = skipOpaque(text, at);
    if (behind > at || !isWordStart(text[at])) {
      at = behind > at ? behind : /\d/.test(text.charAt(at)) ? wordEnd(text, at) : at + 1;
      continue;
    }
    const end = wordEnd(text, at);
    const name = text.slice(at, end);
    const macro = hidden.includes(name) || isKept(builder, name) ? null : builder.scope.types.constants.macro(name);
    const open = skipBlank(text, end);
    const group = macro !== null && macro.parameters !== null && text[open] === '(' ? matchParenthesis(text, open) : null;
    if (macro === null || macro.body === '' || (macro.parameters !== null && group === null)) {
      at = end;
      continue;
    }
    const until = group?.end ?? end;
    parts.push(text.slice(copied, at), expandedText(builder, substitutedBody(macro, group === null ? [] : argumentsIn(text, open, group)), [...hidden, name]));
    copied = until;
    at = until;
  }
  return parts.join('') + text.slice(copied);
}

function argumentsIn(text: string, open: number, group: Parenthesised): readonly string[] {
  const bounds = [open, ...group.commas, group.end - 1];
  return bounds.slice(1).map((end, index) => text.slice((bounds[index] ?? open) + 1, end).trim());
}

/** An expression or a list of statements read from text; null where it is neither. */
function parsedExpression(builder: Builder, text: string, span: Span): CTerm | null {
  const unit = builder.scope.parse(`void expansion(void) { ${text}; }`);
  const item = unit.items[0];
  if (unit.unreadable.length > 0 || unit.items.length !== 1 || item?.kind !== 'function') return null;
  const body = item.function.body.filter((statement) => statement.kind !== 'empty');
  const [only] = body;
  if (only === undefined) return null;
  const term: CTerm = only.kind === 'expression' && body.length === 1 ? only.expression : { kind: 'statements', body, span };
  return moved(term, span) as CTerm;
}

/** The same syntax with every span replaced. */
function moved(syntax: unknown, span: Span): unknown {
  if (Array.isArray(syntax)) return syntax.map((part) => moved(part, span));
  if (typeof syntax !== 'object' || syntax === null) return syntax;
  return Object.fromEntries(Object.entries(syntax).map(([key, part]) => [key, key === 'span' || key === 'nameSpan' ? span : moved(part, span)]));
}

/** Lowers what a macro expanded to. */
export function insideMacro<T>(builder: Builder, lower: () => T): T {
  builder.inExpansion = true;
  const value = lower();
  builder.inExpansion = false;
  return value;
}
