// Calls in C: the few forms that are accesses, assertions or nothing at all, and the call operation for the rest.
import type { Span } from '../base/span.ts';
import type { CExpression } from '../machine/code.ts';
import type { CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import { accessorNamed } from './c-accessors.ts';
import type { Accessor } from './c-accessors.ts';
import { emit, emitAssign, emitLast, findLocal, jump, labelNamed, newLabel, newTemporary, place, textAt } from './c-lower-builder.ts';
import type { Builder, Label } from './c-lower-builder.ts';
import { changeWord, isRecord, storeTo } from './c-lower-stores.ts';
import { containerMacro, isBuiltInForm } from './c-lower-forms.ts';
import { expansionOf, insideMacro } from './c-lower-macros.ts';
import { lowerPlace } from './c-lower-places.ts';
import { isTypeName, lowerCondition, lowerEffect, lowerValue, readAt, stable } from './c-lower-terms.ts';
import { binary, constant, convert, shifted, unknown } from './c-lower-values.ts';
import type { LocalOrMemory, Value } from './c-lower-values.ts';
import { assigningCalls, bugAssertions, compileTimeCalls, perCpuNames, perCpuPointers, transparentCalls, warnAssertions, wordAccessNamed } from './c-lower-words.ts';
import type { WordAccess } from './c-lower-words.ts';
import { constantOf, intType, integerOf, named, offsetOfField, pointerTo, resolveType, sizeOfType, unsignedLong } from './c-types.ts';

export type CallTerm = Extract<CTerm, { kind: 'call' }>;

const nothing: Value = { expression: constant(0n), type: named('void') };

/** The name of what is called where it is no local variable. */
function calledName(builder: Builder, term: CallTerm): string | null {
  return term.callee.kind === 'name' && findLocal(builder, term.callee.name) === null ? term.callee.name : null;
}

function argumentAt(term: CallTerm, index: number): CTerm {
  return term.arguments[index] ?? { kind: 'unreadable', span: term.span };
}

function valueOrText(builder: Builder, term: CTerm | undefined, span: Span): Value {
  return term === undefined ? { expression: unknown(textAt(builder, span)), type: unsignedLong } : lowerValue(builder, term);
}

export function lowerCall(builder: Builder, term: CallTerm, used: boolean): Value {
  const name = calledName(builder, term);
  if (name === null) return plainCall(builder, term, null, used, null, term.span);
  const special = specialCall(builder, term, name, used);
  const expansion = special === null ? expansionOfCall(builder, term, name) : null;
  if (expansion !== null) return insideMacro(builder, () => (used ? lowerValue(builder, expansion) : effectOnly(builder, expansion)));
  return special ?? plainCall(builder, term, name, used, null, term.span);
}

function expansionOfCall(builder: Builder, term: CallTerm, name: string): CTerm | null {
  return expansionOf(builder, name, term.arguments.map((argument) => argument.span), term.span);
}

function effectOnly(builder: Builder, term: CTerm): Value {
  lowerEffect(builder, term);
  return nothing;
}

/** `x = f()`: the result goes to the local in the same step. False where the term is no plain call. */
export function lowerCallInto(builder: Builder, term: CTerm, span: Span, to: Extract<LocalOrMemory, { kind: 'slot' }>): boolean {
  if (term.kind !== 'call') return false;
  const name = calledName(builder, term);
  if (name !== null && isSpecial(builder, term, name)) return false;
  plainCall(builder, term, name, true, to.slot, span);
  return true;
}

function isSpecial(builder: Builder, term: CallTerm, name: string): boolean {
  return isBuiltInForm(name) || isTypeName(builder, name) || constantOf(builder.scope.types, term) !== null || expansionOfCall(builder, term, name) !== null;
}

function specialCall(builder: Builder, term: CallTerm, name: string, used: boolean): Value | null {
  const { types } = builder.scope;
  if (compileTimeCalls.test(name)) return nothing;
  if (transparentCalls.has(name)) return lowerValue(builder, argumentAt(term, 0));
  const access = wordAccessNamed(name);
  if (access !== null) return wordAccess(builder, term, name, access);
  if (perCpuPointers.has(name)) {
    const pointer = lowerValue(builder, argumentAt(term, 0));
    for (const rest of term.arguments.slice(1)) lowerEffect(builder, rest);
    return pointer;
  }
  if (perCpuNames.has(name)) return readAt(builder, lowerPlace(builder, argumentAt(term, 0)), term.span);
  const accessor = accessorNamed(name);
  if (accessor !== null) return faultingAccess(builder, term, accessor, used);
  if (bugAssertions.has(name)) {
    assertion(builder, term, 'BUG');
    return nothing;
  }
  if (warnAssertions.has(name)) return warnValue(builder, term, used);
  const assigned = assigningCalls.get(name);
  if (assigned !== undefined) return assigningCall(builder, term, name, assigned);
  const known = constantOf(types, term);
  if (known !== null) return { expression: constant(known), type: integerOfMacro(known) };
  if (name === '__builtin_constant_p') return { expression: constant(0n), type: intType };
  if (containerMacro.test(name)) return containerOf(builder, term);
  if (isTypeName(builder, name) && term.arguments.length === 1) {
    return { expression: convert(types, lowerValue(builder, argumentAt(term, 0)), named(name)), type: named(name) };
  }
  return null;
}

function integerOfMacro(value: bigint): CSyntaxType {
  return value >= 0n && value <= 0x7fffffffn ? intType : unsignedLong;
}

function plainCall(builder: Builder, term: CallTerm, name: string | null, used: boolean, into: number | null, span: Span): Value {
  const values = term.arguments.map((argument) => (argument.kind === 'type' ? unknown(textAt(builder, argument.span)) : inRegister(builder, lowerValue(builder, argument), argument.span)));
  const returns = returnTypeOf(builder, term, name);
  const isVoid = returns.kind === 'named' && returns.name === 'void';
  const record = isRecord(builder, returns);
  const fits = !record || (sizeOfType(builder.scope.types, returns) ?? 16) <= 8;
  const result = into ?? (used && !isVoid && fits ? newTemporary(builder, name ?? 'result') : null);
  // `*` says that the name is the text of a function pointer.
  const called = name ?? `*${textAt(builder, term.callee.span)}`;
  emit(builder, span, (next) => ({ kind: 'call', name: called, arguments: values, result, next, fixup: null }));
  if (result === null) return { expression: unknown(textAt(builder, term.span)), type: returns };
  return { expression: record ? { kind: 'local-address', slot: result, offset: 0 } : { kind: 'local', slot: result }, type: returns };
}

/** What a register carries: a struct of up to 8 bytes itself, not its address (System V ABI, "Parameter Passing"). */
export function inRegister(builder: Builder, value: Value, span: Span): CExpression {
  if (!isRecord(builder, value.type)) return value.expression;
  const size = sizeOfType(builder.scope.types, value.type);
  if ((size !== 1 && size !== 2 && size !== 4 && size !== 8) || value.expression.kind === 'unknown') return unknown(textAt(builder, span));
  return { kind: 'load', address: value.expression, size, text: textAt(builder, span) };
}

function returnTypeOf(builder: Builder, term: CallTerm, name: string | null): CSyntaxType {
  if (name !== null) return builder.scope.functions.get(name) ?? unsignedLong;
  const scratch: Builder = { ...builder, operations: [], slots: [...builder.slots], problems: [], statics: [], current: newLabel() };
  let type = resolveType(builder.scope.types, lowerValue(scratch, term.callee).type);
  while (type.kind === 'pointer') type = resolveType(builder.scope.types, type.to);
  return type.kind === 'function' ? type.returns : unsignedLong;
}

/** Calls that name a place: `per_cpu(x, cpu)`, `READ_ONCE(x)` of a struct, `(*this_cpu_ptr(&x))`. */
export function placeOfCall(builder: Builder, term: CallTerm): LocalOrMemory | null {
  const name = calledName(builder, term);
  if (name === null) return null;
  if (perCpuNames.has(name) || transparentCalls.has(name)) return lowerPlace(builder, argumentAt(term, 0));
  const expansion = isBuiltInForm(name) ? null : expansionOfCall(builder, term, name);
  if (expansion !== null) return insideMacro(builder, () => lowerPlace(builder, expansion));
  const access = wordAccessNamed(name);
  return access?.update === null && access.by === 'name' ? lowerPlace(builder, argumentAt(term, 0)) : null;
}

function wordAccess(builder: Builder, term: CallTerm, name: string, access: WordAccess): Value {
  const word = argumentAt(term, access.word);
  const at = access.by === 'name' ? lowerPlace(builder, word) : pointedAt(builder, word);
  const target = targetText(builder, word, access);
  const { update } = access;
  if (update === null) return readAt(builder, at, term.span);
  const needsOld = access.result !== 'none' && access.result !== 'read';
  const operands = access.operands.map((index) => {
    const value = lowerValue(builder, argumentAt(term, index));
    return needsOld ? stable(builder, value, argumentAt(term, index).span).expression : value.expression;
  });
  const previous = needsOld ? newTemporary(builder, `old ${target}`) : null;
  changeWord(builder, term.span, at, (old) => update(old, operands), name, target, word.span, previous);
  if (previous === null) return nothing;
  const old: CExpression = { kind: 'local', slot: previous };
  if (access.result === 'new') return { expression: update(old, operands), type: at.type };
  if (access.result === 'test') return { expression: binary('&', binary('>>', old, operands[0] ?? constant(0n)), constant(1n)), type: intType };
  return { expression: old, type: at.type };
}

function pointedAt(builder: Builder, term: CTerm): LocalOrMemory {
  return lowerPlace(builder, { kind: 'unary', operator: '*', operand: term, span: term.span });
}

/** `&x` names x. */
function targetText(builder: Builder, word: CTerm, access: WordAccess): string {
  if (access.by === 'name') return textAt(builder, word.span);
  return word.kind === 'unary' && word.operator === '&' ? textAt(builder, word.operand.span) : `*${textAt(builder, word.span)}`;
}

function assertion(builder: Builder, term: CallTerm, callee: string): void {
  const hit = newLabel();
  const end = newLabel();
  lowerCondition(builder, argumentAt(term, 0), hit, end);
  place(builder, hit);
  emit(builder, term.span, (next) => ({ kind: 'call', name: callee, arguments: [], result: null, next, fixup: null }));
  place(builder, end);
}

/** `if (WARN_ON(c))`; false where the call is no such assertion. */
export function warnCondition(builder: Builder, term: CallTerm, yes: Label, no: Label): boolean {
  const name = calledName(builder, term);
  if (name !== null && transparentCalls.has(name)) {
    lowerCondition(builder, argumentAt(term, 0), yes, no);
    return true;
  }
  if (name === null || !warnAssertions.has(name)) return false;
  const hit = newLabel();
  lowerCondition(builder, argumentAt(term, 0), hit, no);
  place(builder, hit);
  emit(builder, term.span, (next) => ({ kind: 'call', name: '__WARN', arguments: [], result: null, next, fixup: null }));
  jump(builder, yes);
  return true;
}

function warnValue(builder: Builder, term: CallTerm, used: boolean): Value {
  if (!used) {
    assertion(builder, term, '__WARN');
    return nothing;
  }
  const yes = newLabel();
  const no = newLabel();
  const end = newLabel();
  const slot = newTemporary(builder, 'warned');
  warnCondition(builder, term, yes, no);
  place(builder, yes);
  emitAssign(builder, term.span, slot, constant(1n));
  jump(builder, end);
  place(builder, no);
  emitAssign(builder, term.span, slot, constant(0n));
  place(builder, end);
  return { expression: { kind: 'local', slot }, type: intType };
}

function assigningCall(builder: Builder, term: CallTerm, name: string, assigned: number): Value {
  const to = lowerPlace(builder, argumentAt(term, assigned));
  const values = term.arguments.filter((_, index) => index !== assigned).map((argument) => lowerValue(builder, argument).expression);
  const result = to.kind === 'slot' ? to.slot : newTemporary(builder, name);
  emit(builder, term.span, (next) => ({ kind: 'call', name, arguments: values, result, next, fixup: null }));
  if (to.kind === 'memory') storeTo(builder, term.span, to, { expression: { kind: 'local', slot: result }, type: unsignedLong }, 'plain', textAt(builder, argumentAt(term, assigned).span));
  return nothing;
}

/** `container_of(pointer, struct s, member)`, whose type argument was joined to one word before parsing. */
function containerOf(builder: Builder, term: CallTerm): Value {
  const pointer = lowerValue(builder, argumentAt(term, 0));
  const typeTerm = argumentAt(term, 1);
  const [, tag, name] = /^(struct|union)\s+(\w+)/.exec(textAt(builder, typeTerm.span)) ?? [];
  const type: CSyntaxType =
    name === undefined ? named(textAt(builder, typeTerm.span)) : { kind: 'record', tag: tag === 'union' ? 'union' : 'struct', name, nameSpan: typeTerm.span, members: null, attributes: [] };
  const field = offsetOfField(builder.scope.types, type, textAt(builder, argumentAt(term, 2).span));
  return { expression: field === null ? unknown(textAt(builder, term.span)) : shifted(pointer.expression, -field.offset), type: pointerTo(type) };
}

/** An access that may fault: the call goes on at one label, a fixed-up fault at another. */
function faultingAccess(builder: Builder, term: CallTerm, accessor: Accessor, used: boolean): Value {
  const { types } = builder.scope;
  const done = newLabel();
  const failed = newLabel();
  const end = newLabel();
  const reads = accessor.shape === 'get' || accessor.shape === 'get-or-jump';
  const moves = reads || accessor.shape === 'put' || accessor.shape === 'put-or-jump';
  const to = reads ? lowerPlace(builder, argumentAt(term, 0)) : null;
  const pointer = moves ? lowerValue(builder, argumentAt(term, 1)) : null;
  let values: readonly CExpression[];
  if (pointer !== null) {
    const pointee = resolveType(types, pointer.type);
    const size = (pointee.kind === 'pointer' ? integerOf(types, pointee.to)?.size : null) ?? (to === null ? null : sizeOfType(types, to.type)) ?? 8;
    const written = reads ? [] : [lowerValue(builder, argumentAt(term, 0)).expression];
    values = [pointer.expression, ...written, constant(BigInt(size))];
  } else {
    const given = accessor.shape === 'typed-or-jump' ? term.arguments.slice(0, 2) : term.arguments;
    values = given.map((argument) => valueOrText(builder, argument, term.span).expression);
  }
  const rest = accessor.failed === 'rest' ? stable(builder, { expression: values[2] ?? unknown('bytes not copied'), type: unsignedLong }, term.span).expression : null;
  const labelTerm = accessor.failed === 'label' ? term.arguments.at(-1) : undefined;
  const escape = labelTerm?.kind === 'name' ? labelNamed(builder, labelTerm.name) : null;
  const result = used && escape === null ? newTemporary(builder, accessor.name) : null;
  const onFault = escape ?? failed;
  done.used = true;
  onFault.used = true;
  emitLast(builder, term.span, (resolve) => ({ kind: 'call', name: accessor.name, arguments: values, result, next: resolve(done), fixup: resolve(onFault) }));
  place(builder, done);
  const target = to === null ? '' : textAt(builder, argumentAt(term, 0).span);
  if (to !== null) storeTo(builder, term.span, to, { expression: unknown(`*${textAt(builder, argumentAt(term, 1).span)}`), type: to.type }, accessor.name, target);
  if (escape !== null) return nothing;
  jump(builder, end);
  place(builder, failed);
  if (to !== null) storeTo(builder, term.span, to, { expression: constant(0n), type: to.type }, accessor.name, target);
  if (result !== null) emitAssign(builder, term.span, result, rest ?? constant(BigInt(typeof accessor.failed === 'number' ? accessor.failed : 0)), `${textAt(builder, term.span)} after a fixup`);
  place(builder, end);
  return result === null ? nothing : { expression: { kind: 'local', slot: result }, type: rest === null ? intType : unsignedLong };
}
