// Statements of C into operations and jumps.
import type { Span } from '../base/span.ts';
import type { CDeclaration, CStatement, CTerm } from '../syntax/c-syntax.ts';
import { declareLocal, emit, emitAssign, emitBranch, emitLast, isReached, jump, labelNamed, newLabel, place, problem, textAt } from './c-lower-builder.ts';
import type { Builder, Label } from './c-lower-builder.ts';
import { inRegister, lowerCallInto } from './c-lower-calls.ts';
import { fillFrom, isRecord, storeTo } from './c-lower-stores.ts';
import { lowerPlace } from './c-lower-places.ts';
import { lowerCondition, lowerEffect, lowerValue, stable, typeOfTerm } from './c-lower-terms.ts';
import { binary, constant, convert, unknown } from './c-lower-values.ts';
import type { LocalOrMemory, Value } from './c-lower-values.ts';
import { constantOf, resolveType, sizeOfType, unsignedLong } from './c-types.ts';
import { unreachable } from '../base/unreachable.ts';

/** The statements of a block; the value is that of the last one, as `({ })` has it. */
export function lowerBlock(builder: Builder, body: readonly CStatement[]): Value | null {
  builder.blocks.push(new Map());
  let value: Value | null = null;
  body.forEach((statement, index) => {
    const last = index === body.length - 1;
    if (last && statement.kind === 'expression') value = lowerValueOrEffect(builder, statement.expression);
    else lowerStatement(builder, statement);
  });
  builder.blocks.pop();
  return value;
}

function lowerValueOrEffect(builder: Builder, term: CTerm): Value | null {
  if (term.kind === 'cast' || term.kind === 'update') {
    lowerEffect(builder, term);
    return null;
  }
  return lowerValue(builder, term);
}

function lowerBody(builder: Builder, body: readonly CStatement[]): void {
  builder.blocks.push(new Map());
  for (const statement of body) lowerStatement(builder, statement);
  builder.blocks.pop();
}

export function lowerStatement(builder: Builder, statement: CStatement): void {
  switch (statement.kind) {
    case 'expression':
      return lowerEffect(builder, statement.expression);
    case 'declaration':
      for (const declaration of statement.declarations) {
        const alone = statement.declarations.length === 1;
        lowerDeclaration(builder, declaration, alone ? { start: statement.span.start, end: declaration.span.end } : declaration.span);
      }
      return;
    case 'block':
      return lowerBody(builder, statement.body);
    case 'if': {
      const yes = newLabel();
      const no = newLabel();
      const end = newLabel();
      lowerCondition(builder, statement.condition, yes, statement.otherwise === null ? end : no);
      place(builder, yes);
      lowerStatement(builder, statement.then);
      if (statement.otherwise !== null) {
        jump(builder, end);
        place(builder, no);
        lowerStatement(builder, statement.otherwise);
      }
      return place(builder, end);
    }
    case 'while':
      return lowerLoop(builder, statement.condition, null, statement.body);
    case 'for':
      builder.blocks.push(new Map());
      if (statement.start !== null) lowerStatement(builder, statement.start);
      lowerLoop(builder, statement.condition, statement.update, statement.body);
      builder.blocks.pop();
      return;
    case 'do': {
      const head = newLabel();
      const test = newLabel();
      const end = newLabel();
      place(builder, head);
      inLoop(builder, end, test, statement.body);
      place(builder, test);
      lowerCondition(builder, statement.condition, head, end);
      return place(builder, end);
    }
    case 'each':
      return lowerEach(builder, statement.header, statement.body);
    case 'switch':
      return lowerSwitch(builder, statement);
    case 'case':
      // Reached where the switch around it was not read; its statements still count.
      return lowerBody(builder, statement.body);
    case 'label':
      place(builder, labelNamed(builder, statement.name));
      if (statement.body !== null) lowerStatement(builder, statement.body);
      return;
    case 'goto':
      return jump(builder, labelNamed(builder, statement.label));
    case 'break':
    case 'continue': {
      const loop = statement.kind === 'break' ? builder.loops.at(-1)?.onBreak : [...builder.loops].reverse().find((one) => one.onContinue !== null)?.onContinue;
      if (loop === undefined || loop === null) return problem(builder, statement.span, `${statement.kind} stands outside a loop`);
      return jump(builder, loop);
    }
    case 'return':
      return lowerReturn(builder, statement.value, statement.span);
    case 'empty':
      return;
    case 'unreadable':
      // Its place is a problem of the file already.
      return;
    default:
      return unreachable(statement);
  }
}

function lowerReturn(builder: Builder, term: CTerm | null, span: Span): void {
  let value = null;
  if (term !== null) {
    const lowered = lowerValue(builder, term);
    const isVoid = builder.returns.kind === 'named' && builder.returns.name === 'void';
    value = isVoid ? null : isRecord(builder, lowered.type) ? inRegister(builder, lowered, span) : convert(builder.scope.types, lowered, builder.returns);
  }
  emitLast(builder, span, () => ({ kind: 'return', value }), textAt(builder, span).replace(/;$/, ''));
}

/** The end of a function without `return`. */
export function lowerEnd(builder: Builder, body: Span): void {
  if (!isReached(builder)) return;
  emitLast(builder, { start: body.end - 1, end: body.end }, () => ({ kind: 'return', value: null }));
}

function inLoop(builder: Builder, onBreak: Label, onContinue: Label, body: CStatement): void {
  builder.loops.push({ onBreak, onContinue });
  lowerStatement(builder, body);
  builder.loops.pop();
}

function lowerLoop(builder: Builder, condition: CTerm | null, update: CTerm | null, body: CStatement): void {
  const head = newLabel();
  const inside = newLabel();
  const next = newLabel();
  const end = newLabel();
  place(builder, head);
  if (condition === null) jump(builder, inside);
  else lowerCondition(builder, condition, inside, end);
  place(builder, inside);
  inLoop(builder, end, next, body);
  place(builder, next);
  if (update !== null) lowerEffect(builder, update);
  jump(builder, head);
  place(builder, end);
}

/** Any number of rounds, with anything in the loop's variables. */
function lowerEach(builder: Builder, header: CTerm, body: CStatement): void {
  const head = newLabel();
  const inside = newLabel();
  const end = newLabel();
  place(builder, head);
  emitBranch(builder, header.span, unknown(textAt(builder, header.span)), inside, end);
  place(builder, inside);
  let first: CTerm = header;
  while (first.kind === 'comma') first = first.left;
  if (first.kind === 'name') {
    const to = lowerPlace(builder, first);
    if (to.kind === 'slot') emitAssign(builder, header.span, to.slot, unknown(first.name));
  }
  inLoop(builder, end, head, body);
  jump(builder, head);
  place(builder, end);
}

type CaseStatement = Extract<CStatement, { kind: 'case' }>;

/** The cases of a switch in order, those inside blocks included, those of inner switches not. */
function casesOf(statement: CStatement): readonly CaseStatement[] {
  switch (statement.kind) {
    case 'block':
      return statement.body.flatMap(casesOf);
    case 'case':
      return [statement, ...statement.body.flatMap(casesOf)];
    default:
      return [];
  }
}

function lowerSwitch(builder: Builder, statement: Extract<CStatement, { kind: 'switch' }>): void {
  const given = lowerValue(builder, statement.value);
  const value = given.expression.kind === 'local' ? given : stable(builder, given, statement.value.span);
  const end = newLabel();
  const labels = new Map<CaseStatement, Label>();
  const cases = casesOf(statement.body);
  for (const one of cases) {
    const label = newLabel();
    labels.set(one, label);
    if (one.value !== null) testCase(builder, value, one, one.value, label);
  }
  const fallback = cases.find((one) => one.value === null);
  jump(builder, (fallback === undefined ? undefined : labels.get(fallback)) ?? end);
  builder.loops.push({ onBreak: end, onContinue: null });
  lowerCases(builder, statement.body, labels);
  builder.loops.pop();
  place(builder, end);
}

function testCase(builder: Builder, value: Value, one: CaseStatement, term: CTerm, label: Label): void {
  const span = { start: one.span.start, end: one.last?.span.end ?? term.span.end };
  const next = newLabel();
  const bound = (limit: CTerm): ReturnType<typeof constant> => {
    const known = constantOf(builder.scope.types, limit);
    return known === null ? unknown(textAt(builder, limit.span)) : constant(known);
  };
  if (one.last === null) emitOrJump(builder, span, binary('==', value.expression, bound(term)), label, next);
  else {
    const above = newLabel();
    emitOrJump(builder, span, binary('>=', value.expression, bound(term)), above, next);
    place(builder, above);
    emitOrJump(builder, span, binary('<=', value.expression, bound(one.last)), label, next);
  }
  place(builder, next);
}

function emitOrJump(builder: Builder, span: Span, condition: ReturnType<typeof constant>, yes: Label, no: Label): void {
  if (condition.kind === 'constant') jump(builder, condition.value === 0n ? no : yes);
  else emitBranch(builder, span, condition, yes, no);
}

function lowerCases(builder: Builder, statement: CStatement, labels: ReadonlyMap<CaseStatement, Label>): void {
  if (statement.kind === 'block') {
    builder.blocks.push(new Map());
    for (const inside of statement.body) lowerCases(builder, inside, labels);
    builder.blocks.pop();
    return;
  }
  const label = statement.kind === 'case' ? labels.get(statement) : undefined;
  if (label === undefined || statement.kind !== 'case') return lowerStatement(builder, statement);
  place(builder, label);
  for (const inside of statement.body) lowerCases(builder, inside, labels);
}

/** `span` is what the steps of the initialiser show. */
function lowerDeclaration(builder: Builder, declaration: CDeclaration, span: Span): void {
  if (declaration.kind !== 'variable') return;
  const { types } = builder.scope;
  const { name, initialiser } = declaration;
  const written = declaration.type;
  if (declaration.storage.includes('extern')) return;
  // `auto`-like types, `typeof(x)`, are those of the initialiser.
  const inferred = written.kind === 'named' && /^(?:__auto_type|auto|(?:__)?typeof\w*)$/.test(written.name) && initialiser !== null ? typeOfTerm(builder, initialiser) : written;
  const listed = initialiser?.kind === 'list' ? initialiser.items.length : 0;
  const type = inferred.kind === 'array' && inferred.length === null ? { ...inferred, length: { kind: 'number', value: BigInt(listed), suffix: '', span } as const } : inferred;
  if (declaration.storage.includes('static')) {
    builder.blocks.at(-1)?.set(name.text, { slot: 0, type, shared: true, symbol: name.text });
    builder.statics.push({ name: name.text, type, typeText: declaration.typeText, span: name.span });
    return;
  }
  const kind = resolveType(types, type).kind;
  const aggregate = kind === 'record' || kind === 'array';
  const size = aggregate ? (sizeOfType(types, type) ?? 8) : 8;
  const local = declareLocal(builder, name.text, type, Math.max(1, Math.ceil(size / 8)));
  if (initialiser === null) return;
  if (aggregate) {
    const to = { kind: 'memory', address: { kind: 'local-address', slot: local.slot, offset: 0 }, type, bits: null } as const;
    fillFrom(builder, span, to, initialiser, name.text);
    return;
  }
  const to: Extract<LocalOrMemory, { kind: 'slot' }> = { kind: 'slot', slot: local.slot, type, shared: local.shared };
  const term = initialiser.kind === 'list' ? (initialiser.items[0]?.value ?? initialiser) : initialiser;
  if (lowerCallInto(builder, term, span, to)) return;
  storeTo(builder, span, to, term.kind === 'list' ? { expression: constant(0n), type: unsignedLong } : lowerValue(builder, term), 'plain', name.text);
}

/** The prologue: parameters to the first slots. How many slots there are is known at the end. */
export function lowerEnter(builder: Builder, span: Span, parameters: number): void {
  emit(builder, span, (next) => ({ kind: 'enter', parameters, slots: builder.slots.length, next }));
}
