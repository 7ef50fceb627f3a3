// Expressions of C into values and places, with what they do emitted on the way, in source order.
import type { Span } from '../base/span.ts';
import type { CExpression } from '../machine/code.ts';
import { unreachable } from '../base/unreachable.ts';
import type { CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import { emitAssign, emitBranch, findLocal, jump, newLabel, newTemporary, place, textAt } from './c-lower-builder.ts';
import type { Builder, Label } from './c-lower-builder.ts';
import { lowerAssembly } from './c-lower-assembly.ts';
import { lowerCall, lowerCallInto, placeOfCall, warnCondition } from './c-lower-calls.ts';
import { fillFrom, isRecord, storeTo, temporaryRecord } from './c-lower-stores.ts';
import { lowerBlock } from './c-lower-statements.ts';
import { binary, commonType, constant, convert, isStable, narrowed, read, shifted, unary, unknown, withoutExtension } from './c-lower-values.ts';
import type { LocalOrMemory, Value } from './c-lower-values.ts';
import { constantOf, integerOf, intType, named, offsetOfField, pointerTo, resolveType, sizeOfType, unsignedLong } from './c-types.ts';

/** The value of a term; for a struct or union, its address. */
export function lowerValue(builder: Builder, term: CTerm): Value {
  const { types } = builder.scope;
  switch (term.kind) {
    case 'number':
      return { expression: constant(term.value), type: numberType(term.value, term.suffix) };
    case 'string':
      return { expression: unknown(textAt(builder, term.span)), type: pointerTo(named('char')) };
    case 'name':
      return valueOfName(builder, term.name, term.span);
    case 'unary':
      return lowerUnary(builder, term);
    case 'update': {
      const target = lowerPlace(builder, term.operand);
      const old = readAt(builder, target, term.operand.span);
      const kept = term.prefix ? null : stable(builder, old, term.span);
      const changed = arithmetic(builder, term.operator === '++' ? '+' : '-', kept ?? old, { expression: constant(1n), type: intType });
      const after = storeTo(builder, term.span, target, changed, 'plain', textAt(builder, term.operand.span));
      return kept ?? after;
    }
    case 'binary':
      return lowerBinary(builder, term);
    case 'assign':
      return lowerAssign(builder, term, true);
    case 'conditional':
      return lowerConditional(builder, term);
    case 'call':
      return lowerCall(builder, term, true);
    case 'member':
    case 'index':
    case 'literal': {
      const found = lowerPlace(builder, term);
      return found.kind === 'memory' && isRecord(builder, found.type) ? { expression: found.address, type: found.type } : readAt(builder, found, term.span);
    }
    case 'cast': {
      const value = lowerValue(builder, term.operand);
      return { expression: convert(types, value, term.type), type: term.type };
    }
    case 'sizeof': {
      const size = sizeOfTerm(builder, term);
      return { expression: size === null ? unknown(textAt(builder, term.span)) : constant(BigInt(size)), type: unsignedLong };
    }
    case 'offsetof': {
      const field = offsetOfField(types, term.type, term.field);
      return { expression: field === null ? unknown(textAt(builder, term.span)) : constant(BigInt(field.offset)), type: unsignedLong };
    }
    case 'comma':
      lowerEffect(builder, term.left);
      return lowerValue(builder, term.right);
    case 'statements':
      return lowerBlock(builder, term.body) ?? { expression: constant(0n), type: named('void') };
    case 'asm':
      lowerAssembly(builder, term);
      return { expression: constant(0n), type: named('void') };
    case 'list':
    case 'type':
    case 'unreadable':
      return { expression: unknown(textAt(builder, term.span)), type: unsignedLong };
    default:
      return unreachable(term);
  }
}

/** A term whose value nobody wants. */
export function lowerEffect(builder: Builder, term: CTerm): void {
  switch (term.kind) {
    case 'assign':
      lowerAssign(builder, term, false);
      return;
    case 'update':
      lowerValue(builder, { ...term, prefix: true });
      return;
    case 'call':
      lowerCall(builder, term, false);
      return;
    case 'comma':
      lowerEffect(builder, term.left);
      lowerEffect(builder, term.right);
      return;
    case 'cast':
      lowerEffect(builder, term.operand);
      return;
    case 'conditional':
    case 'binary': {
      if (term.kind === 'binary' && term.operator !== '&&' && term.operator !== '||') break;
      const yes = newLabel();
      const no = newLabel();
      const end = newLabel();
      if (term.kind === 'conditional') {
        lowerCondition(builder, term.condition, yes, no);
        place(builder, yes);
        if (term.then !== null) lowerEffect(builder, term.then);
        jump(builder, end);
        place(builder, no);
        lowerEffect(builder, term.otherwise);
      } else {
        lowerCondition(builder, term.left, term.operator === '&&' ? yes : end, term.operator === '&&' ? end : yes);
        place(builder, yes);
        lowerEffect(builder, term.right);
      }
      place(builder, end);
      return;
    }
    default:
      break;
  }
  lowerValue(builder, term);
}

function numberType(value: bigint, suffix: string): CSyntaxType {
  const signed = !suffix.includes('u');
  const long = suffix.includes('l') || value > 0xffffffffn || (signed && (value > 0x7fffffffn || value < -0x80000000n));
  return named(`${signed ? '' : 'unsigned '}${long ? 'long' : 'int'}`);
}

function valueOfName(builder: Builder, name: string, span: Span): Value {
  const { types, variables, functions } = builder.scope;
  if (findLocal(builder, name) === null && !variables.has(name)) {
    if (name === 'NULL') return { expression: constant(0n), type: pointerTo(named('void')) };
    const value = constantOf(types, { kind: 'name', name, span });
    if (value !== null) return { expression: constant(value), type: numberType(value, /* EFAULT and the like are int */ '') };
    const returns = functions.get(name);
    if (returns !== undefined) return { expression: { kind: 'symbol', name, area: 'function', offset: 0 }, type: pointerTo({ kind: 'function', returns }) };
    if (name === 'current') return { expression: unknown(name), type: pointerTo(named('struct task_struct')) };
    return { expression: unknown(name), type: unsignedLong };
  }
  const found = placeOfName(builder, name);
  return found.kind === 'memory' && isRecord(builder, found.type) ? { expression: found.address, type: found.type } : readAt(builder, found, span);
}

/** Reads a place; what is there is named by the source text. */
export function readAt(builder: Builder, from: LocalOrMemory, span: Span): Value {
  return read(builder.scope.types, from, textAt(builder, span));
}

/** The same value, kept in a temporary where evaluating it later could give another. */
export function stable(builder: Builder, value: Value, span: Span): Value {
  if (isStable(value.expression)) return value;
  const slot = newTemporary(builder, String(builder.slots.length));
  emitAssign(builder, span, slot, value.expression);
  return { expression: { kind: 'local', slot }, type: value.type };
}

function lowerUnary(builder: Builder, term: Extract<CTerm, { kind: 'unary' }>): Value {
  const { types } = builder.scope;
  switch (term.operator) {
    case '*': {
      const found = lowerPlace(builder, term);
      return found.kind === 'memory' && isRecord(builder, found.type) ? { expression: found.address, type: found.type } : readAt(builder, found, term.span);
    }
    case '&': {
      const found = lowerPlace(builder, term.operand);
      return { expression: addressOf(found), type: pointerTo(found.type) };
    }
    case '!': {
      const value = lowerValue(builder, term.operand);
      return { expression: unary('!', withoutExtension(value.expression)), type: intType };
    }
    case '+':
      return lowerValue(builder, term.operand);
    case '-':
    case '~': {
      const value = lowerValue(builder, term.operand);
      const type = commonType(types, value.type, intType);
      return { expression: wrapped(builder, unary(term.operator, value.expression), type), type };
    }
    default:
      return unreachable(term.operator);
  }
}

export function addressOf(found: LocalOrMemory): CExpression {
  return found.kind === 'slot' ? { kind: 'local-address', slot: found.slot, offset: 0 } : found.address;
}

/** Unsigned int wraps; for int that is undefined, and 64 bits wrap by themselves. */
function wrapped(builder: Builder, expression: CExpression, type: CSyntaxType): CExpression {
  const integer = integerOf(builder.scope.types, type);
  return integer !== null && integer.size === 4 && !integer.signed ? narrowed(expression, integer) : expression;
}

function lowerBinary(builder: Builder, term: Extract<CTerm, { kind: 'binary' }>): Value {
  const { operator } = term;
  if (operator === '&&' || operator === '||') return flagValue(builder, term);
  // `(u64)-x` and `(u64)&x` read as arithmetic where the type is a name.
  if (term.left.kind === 'name' && isTypeName(builder, term.left.name) && (operator === '-' || operator === '&' || operator === '*' || operator === '+')) {
    const operand: CTerm = { kind: 'unary', operator, operand: term.right, span: term.span };
    return lowerValue(builder, { kind: 'cast', type: named(term.left.name), operand, span: term.span });
  }
  const left = lowerValue(builder, term.left);
  const right = lowerValue(builder, term.right);
  return arithmetic(builder, operator, left, right);
}

export function isTypeName(builder: Builder, name: string): boolean {
  if (findLocal(builder, name) !== null || builder.scope.variables.has(name)) return false;
  return builder.scope.types.typedefs.has(name) || sizeOfType(builder.scope.types, named(name)) !== null;
}

/**
 * Where signedness matters, `<`, `/`, `%` are signed and `u<`, `u/`, `u%` unsigned; `>>` shifts zeros in, `s>>` the sign.
 */
export function arithmetic(builder: Builder, operator: string, left: Value, right: Value): Value {
  const { types } = builder.scope;
  const leftType = resolveType(types, left.type);
  const rightType = resolveType(types, right.type);
  if (leftType.kind === 'pointer' && (operator === '+' || operator === '-')) {
    const size = sizeOfType(types, leftType.to) ?? 1;
    if (rightType.kind === 'pointer' && operator === '-') {
      return { expression: binary('/', binary('-', left.expression, right.expression), constant(BigInt(size))), type: named('long') };
    }
    return { expression: moved(left.expression, operator, right.expression, size), type: left.type };
  }
  if (rightType.kind === 'pointer' && operator === '+') {
    return { expression: moved(right.expression, '+', left.expression, sizeOfType(types, rightType.to) ?? 1), type: right.type };
  }
  const type = operator === '<<' || operator === '>>' ? commonType(types, left.type, intType) : commonType(types, left.type, right.type);
  const integer = integerOf(types, type);
  const wide = integer !== null && !integer.signed && integer.size === 8;
  if (/^(?:[<>]=?|[=!]=)$/.test(operator)) {
    const a = convert(types, left, type);
    const b = convert(types, right, type);
    const equality = operator === '==' || operator === '!=';
    return { expression: binary(wide && !equality ? `u${operator}` : operator, a, b), type: intType };
  }
  const expression = binary(
    wide && /^[/%]$/.test(operator) ? `u${operator}` : operator === '>>' && integer?.signed === true ? 's>>' : operator,
    convert(types, left, type),
    operator === '<<' || operator === '>>' ? right.expression : convert(types, right, type),
  );
  return { expression: /^(?:[-+*]|<<)$/.test(operator) ? wrapped(builder, expression, type) : expression, type };
}

function moved(pointer: CExpression, operator: '+' | '-', count: CExpression, size: number): CExpression {
  if (count.kind === 'constant') return shifted(pointer, Number(operator === '+' ? count.value : -count.value) * size);
  return binary(operator, pointer, size === 1 ? count : binary('*', count, constant(BigInt(size))));
}

function lowerAssign(builder: Builder, term: Extract<CTerm, { kind: 'assign' }>, used: boolean): Value {
  const target = lowerPlace(builder, term.target);
  const text = textAt(builder, term.target.span);
  if (term.operator === '' && target.kind === 'memory' && isRecord(builder, target.type)) {
    fillFrom(builder, term.span, target, term.value, text);
    return { expression: target.address, type: target.type };
  }
  if (term.operator === '' && target.kind === 'slot' && lowerCallInto(builder, term.value, term.span, target)) return readAt(builder, target, term.target.span);
  const given = lowerValue(builder, term.value);
  const value = term.operator === '' ? given : arithmetic(builder, term.operator, readAt(builder, target, term.target.span), given);
  const kept = used && target.kind === 'memory' ? stable(builder, value, term.value.span) : value;
  return storeTo(builder, term.span, target, kept, 'plain', text);
}

function lowerConditional(builder: Builder, term: Extract<CTerm, { kind: 'conditional' }>): Value {
  const known = constantOf(builder.scope.types, term.condition);
  if (known !== null && term.then !== null) return lowerValue(builder, known === 0n ? term.otherwise : term.then);
  const slot = newTemporary(builder, String(builder.slots.length));
  const yes = newLabel();
  const no = newLabel();
  const end = newLabel();
  let then: Value | null = null;
  if (term.then === null) {
    const condition = lowerValue(builder, term.condition);
    emitAssign(builder, term.condition.span, slot, condition.expression);
    emitBranch(builder, term.condition.span, { kind: 'local', slot }, end, no);
    then = condition;
  } else {
    lowerCondition(builder, term.condition, yes, no);
    place(builder, yes);
    then = lowerValue(builder, term.then);
    emitAssign(builder, term.then.span, slot, then.expression);
    jump(builder, end);
  }
  place(builder, no);
  const otherwise = lowerValue(builder, term.otherwise);
  emitAssign(builder, term.otherwise.span, slot, otherwise.expression);
  place(builder, end);
  const kind = resolveType(builder.scope.types, then.type).kind;
  const type = kind === 'pointer' || kind === 'record' ? then.type : resolveType(builder.scope.types, otherwise.type).kind === 'pointer' ? otherwise.type : commonType(builder.scope.types, then.type, otherwise.type);
  return { expression: { kind: 'local', slot }, type };
}

/** 1 or 0 by control flow. */
function flagValue(builder: Builder, term: CTerm): Value {
  const known = constantOf(builder.scope.types, term);
  if (known !== null) return { expression: constant(known), type: intType };
  const slot = newTemporary(builder, String(builder.slots.length));
  const yes = newLabel();
  const no = newLabel();
  const end = newLabel();
  lowerCondition(builder, term, yes, no);
  place(builder, yes);
  emitAssign(builder, term.span, slot, constant(1n));
  jump(builder, end);
  place(builder, no);
  emitAssign(builder, term.span, slot, constant(0n));
  place(builder, end);
  return { expression: { kind: 'local', slot }, type: intType };
}

/** Goes on at one of two labels. A condition that is constant takes no step. */
export function lowerCondition(builder: Builder, term: CTerm, yes: Label, no: Label): void {
  if (term.kind === 'unary' && term.operator === '!') return lowerCondition(builder, term.operand, no, yes);
  if (term.kind === 'binary' && (term.operator === '&&' || term.operator === '||')) {
    const between = newLabel();
    if (term.operator === '&&') lowerCondition(builder, term.left, between, no);
    else lowerCondition(builder, term.left, yes, between);
    place(builder, between);
    return lowerCondition(builder, term.right, yes, no);
  }
  if (term.kind === 'call' && warnCondition(builder, term, yes, no)) return;
  const { expression } = lowerValue(builder, term);
  const condition = withoutExtension(expression);
  if (condition.kind === 'constant') return jump(builder, condition.value === 0n ? no : yes);
  emitBranch(builder, term.span, condition, yes, no);
}

function nowhere(builder: Builder, span: Span, type: CSyntaxType): LocalOrMemory {
  return { kind: 'memory', address: unknown(`address of ${textAt(builder, span)}`), type, bits: null };
}

function placeOfName(builder: Builder, name: string): LocalOrMemory {
  const local = findLocal(builder, name);
  if (local !== null) {
    if (local.symbol !== null) return { kind: 'memory', address: { kind: 'symbol', name: local.symbol, area: 'global', offset: 0 }, type: local.type, bits: null };
    const type = resolveType(builder.scope.types, local.type);
    if (type.kind === 'record' || type.kind === 'array') return { kind: 'memory', address: { kind: 'local-address', slot: local.slot, offset: 0 }, type: local.type, bits: null };
    return { kind: 'slot', slot: local.slot, type: local.type, shared: local.shared };
  }
  const returns = builder.scope.functions.get(name);
  const variable = builder.scope.variables.get(name);
  if (variable === undefined && returns !== undefined) {
    return { kind: 'memory', address: { kind: 'symbol', name, area: 'function', offset: 0 }, type: { kind: 'function', returns }, bits: null };
  }
  return { kind: 'memory', address: { kind: 'symbol', name, area: variable?.area ?? 'global', offset: 0 }, type: variable?.type ?? unsignedLong, bits: null };
}

/** Where a term lives. A term that lives nowhere gets a place of unknown address. */
export function lowerPlace(builder: Builder, term: CTerm): LocalOrMemory {
  const { types } = builder.scope;
  switch (term.kind) {
    case 'name':
      return placeOfName(builder, term.name);
    case 'unary': {
      if (term.operator !== '*') break;
      const pointer = lowerValue(builder, term.operand);
      const type = resolveType(types, pointer.type);
      const to = type.kind === 'pointer' ? type.to : type.kind === 'array' ? type.of : unsignedLong;
      return { kind: 'memory', address: pointer.expression, type: to, bits: null };
    }
    case 'member':
      return placeOfMember(builder, term);
    case 'index': {
      const base = lowerValue(builder, term.object);
      const index = lowerValue(builder, term.index);
      const found = arithmetic(builder, '+', base, index);
      const type = resolveType(types, found.type);
      return type.kind === 'pointer' ? { kind: 'memory', address: found.expression, type: type.to, bits: null } : nowhere(builder, term.span, unsignedLong);
    }
    case 'call':
      return placeOfCall(builder, term) ?? valueInPlace(builder, term);
    case 'comma':
      lowerEffect(builder, term.left);
      return lowerPlace(builder, term.right);
    case 'literal':
      return temporaryRecord(builder, term.span, term.type, term.list);
    case 'cast': {
      const inside = lowerPlace(builder, term.operand);
      return { ...inside, type: term.type };
    }
    default:
      break;
  }
  return valueInPlace(builder, term);
}

/** A struct given as a value is given by its address already; anything else goes to a temporary. */
function valueInPlace(builder: Builder, term: CTerm): LocalOrMemory {
  const value = lowerValue(builder, term);
  if (isRecord(builder, value.type)) return { kind: 'memory', address: value.expression, type: value.type, bits: null };
  if (value.expression.kind === 'unknown') return nowhere(builder, term.span, value.type);
  const slot = newTemporary(builder, String(builder.slots.length));
  emitAssign(builder, term.span, slot, value.expression);
  return { kind: 'slot', slot, type: value.type, shared: false };
}

function placeOfMember(builder: Builder, term: Extract<CTerm, { kind: 'member' }>): LocalOrMemory {
  const { types } = builder.scope;
  let address: CExpression;
  let type: CSyntaxType;
  if (term.arrow) {
    const pointer = lowerValue(builder, term.object);
    const resolved = resolveType(types, pointer.type);
    address = pointer.expression;
    type = resolved.kind === 'pointer' ? resolved.to : resolved.kind === 'array' ? resolved.of : unsignedLong;
  } else {
    const object = lowerPlace(builder, term.object);
    address = addressOf(object);
    type = object.type;
  }
  const field = offsetOfField(types, type, term.field.text);
  if (field === null) return nowhere(builder, term.span, unsignedLong);
  return { kind: 'memory', address: address.kind === 'unknown' ? address : shifted(address, field.offset), type: field.type, bits: field.bits };
}

export function sizeOfTerm(builder: Builder, term: Extract<CTerm, { kind: 'sizeof' }>): number | null {
  const { types } = builder.scope;
  if (term.type !== null) return sizeOfType(types, term.type);
  const { operand } = term;
  if (operand === null) return null;
  if (operand.kind === 'name' && isTypeName(builder, operand.name)) return sizeOfType(types, named(operand.name));
  return sizeOfType(types, typeOfTerm(builder, operand));
}

/** The type alone: lowers into a builder that is thrown away. */
export function typeOfTerm(builder: Builder, term: CTerm): CSyntaxType {
  const scratch: Builder = { ...builder, operations: [], slots: [...builder.slots], problems: [], statics: [], current: newLabel() };
  return lowerPlace(scratch, term).type;
}
