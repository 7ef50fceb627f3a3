// One function of C as the operations that a run of it goes through.
import type { Problem, Span } from '../base/span.ts';
import type { CFunctionDefinition } from '../syntax/c-syntax.ts';
import { declareLocal, finish, newLabel } from './c-lower-builder.ts';
import type { Builder, LoweringScope } from './c-lower-builder.ts';
import { lowerEnd, lowerEnter, lowerStatement } from './c-lower-statements.ts';
import type { CFunction } from './c-source.ts';

export interface LoweredFunction {
  readonly function: CFunction;
  readonly statics: Builder['statics'];
  readonly problems: readonly Problem[];
}

export function lowerFunction(scope: LoweringScope, file: string, source: string, definition: CFunctionDefinition): LoweredFunction {
  const { name, span, parameters, bodySpan } = definition;
  const head: Span = { start: span.start, end: bodySpan.start };
  const builder: Builder = {
    scope,
    file,
    source,
    operations: [],
    slots: [],
    blocks: [new Map()],
    labels: new Map(),
    sharedNames: namesWithAddress(definition.body, new Set()),
    loops: [],
    problems: [],
    statics: [],
    inExpansion: false,
    returns: definition.returns,
    current: { ...newLabel(), used: true },
  };
  for (const parameter of parameters) declareLocal(builder, parameter.name, parameter.type, 1);
  lowerEnter(builder, head, parameters.length);
  for (const statement of definition.body) lowerStatement(builder, statement);
  lowerEnd(builder, bodySpan);
  for (const [label, target] of builder.labels) {
    if (target.used && target.index === null && target.alias === null) {
      builder.problems.push({ place: { file, span: name.span }, message: `label ${label} is not in ${name.text}()` });
    }
  }
  const lowered: CFunction = {
    name: name.text,
    nameSpan: name.span,
    span,
    file,
    definedBy: definition.definedBy,
    attributes: definition.attributes,
    parameters: parameters.map((parameter) => ({ name: parameter.name, type: parameter.typeText })),
    slots: builder.slots,
    operations: finish(builder, name.span),
  };
  return { function: lowered, statics: builder.statics, problems: builder.problems };
}

/** Names under a `&`, wherever they stand: locals that others may write through a pointer. */
function namesWithAddress(syntax: unknown, found: Set<string>): ReadonlySet<string> {
  if (Array.isArray(syntax)) for (const part of syntax) namesWithAddress(part, found);
  else if (typeof syntax === 'object' && syntax !== null) {
    const { kind, operator, operand } = syntax as { readonly kind?: string; readonly operator?: string; readonly operand?: { readonly kind: string; readonly name?: string } };
    if (kind === 'unary' && operator === '&' && operand?.kind === 'name' && operand.name !== undefined) found.add(operand.name);
    for (const part of Object.values(syntax)) if (typeof part === 'object') namesWithAddress(part, found);
  }
  return found;
}
