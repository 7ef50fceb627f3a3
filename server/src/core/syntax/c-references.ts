// Where names are used and defined in parsed C, for the editor. Matches names, not scopes.
import type { Span } from '../base/span.ts';
import type { CTranslationUnit } from './c-syntax.ts';

export interface CReferences {
  /** Names in expressions: variables, functions, constants. In text order. */
  readonly uses: ReadonlyMap<string, readonly Span[]>;
  /** Functions, variables, prototypes and typedefs at the top level. */
  readonly definitions: ReadonlyMap<string, readonly Span[]>;
}

export function cReferences(unit: CTranslationUnit): CReferences {
  const uses = new Map<string, Span[]>();
  const definitions = new Map<string, Span[]>();
  for (const item of unit.items) {
    if (item.kind === 'function') note(definitions, item.function.name.text, item.function.name.span);
    else if (item.kind === 'declaration') for (const one of item.declarations) note(definitions, one.name.text, one.name.span);
  }
  collect(unit.items, uses);
  for (const spans of uses.values()) spans.sort((a, b) => a.start - b.start);
  return { uses, definitions };
}

function note(into: Map<string, Span[]>, name: string, span: Span): void {
  const known = into.get(name);
  if (known === undefined) into.set(name, [span]);
  else known.push(span);
}

/** Every `name` term below, whatever holds it. */
function collect(syntax: unknown, uses: Map<string, Span[]>): void {
  if (Array.isArray(syntax)) {
    for (const part of syntax) collect(part, uses);
    return;
  }
  if (typeof syntax !== 'object' || syntax === null) return;
  const { kind, name, span } = syntax as { readonly kind?: unknown; readonly name?: unknown; readonly span?: Span };
  if (kind === 'name' && typeof name === 'string' && span !== undefined) note(uses, name, span);
  for (const part of Object.values(syntax)) if (typeof part === 'object') collect(part, uses);
}
