// Values of C macros and conditions by name: `#define X86_TRAP_VE 20` is 20. Knows only what a stream has collected.
import type { Place } from '../base/span.ts';
import type { Definitions } from './cpp-macros.ts';
import { expandClosed } from './cpp-macros.ts';
import { evaluateTokens } from './cpp-condition.ts';
import type { Token } from './lex.ts';
import { lexText } from './lex.ts';
import type { CMacro } from './stream.ts';

const tables = new WeakMap<readonly CMacro[], Definitions>();

/** The integer that an expression over the macros stands for; null where a name in it has no value. */
export function evaluateCondition(text: string, macros: readonly CMacro[]): bigint | null {
  return evaluateWith(definitionsOf(macros), lexText(text, '<expression>', [0, 0]));
}

export function evaluateWith(definitions: Definitions, given: readonly Token[]): bigint | null {
  const silent = (_place: Place, _message: string): void => {};
  const tokens = expandClosed(given, { definitions, budget: { tokens: 100_000 }, report: silent, more: () => null, callGoesOn: () => false });
  if (tokens.length === 0 || tokens.some((token) => token.kind === 'identifier')) return null;
  return evaluateTokens(tokens);
}

/** The integer value of an object-like macro, or null. */
export function constantOf(name: string, stream: { readonly cMacros: readonly CMacro[] }): bigint | null {
  return definitionsOf(stream.cMacros).get(name)?.parameters === null ? evaluateCondition(name, stream.cMacros) : null;
}

function definitionsOf(macros: readonly CMacro[]): Definitions {
  const known = tables.get(macros);
  if (known !== undefined) return known;
  const definitions: Definitions = new Map();
  for (const macro of macros) {
    const variadic = macro.parameters?.at(-1)?.endsWith('...') ?? false;
    const parameters = macro.parameters?.map((each) => (each === '...' ? '__VA_ARGS__' : each.replace(/\.\.\.$/, ''))) ?? null;
    definitions.set(macro.name, { name: macro.name, parameters, variadic, body: lexText(macro.body, macro.definition.file, [0, macro.definition.span.start]), place: macro.definition, nameSpan: macro.nameSpan });
  }
  tables.set(macros, definitions);
  return definitions;
}
