// Where terms of C live: variables, members, elements, what pointers point to.
import type { Span } from '../base/span.ts';
import type { CExpression } from '../machine/code.ts';
import type { CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import { emitAssign, findLocal, newTemporary, textAt } from './c-lower-builder.ts';
import type { Builder } from './c-lower-builder.ts';
import { arithmetic } from './c-lower-arithmetic.ts';
import { placeOfCall } from './c-lower-calls.ts';
import { expansionOf, insideMacro } from './c-lower-macros.ts';
import { isRecord, temporaryRecord } from './c-lower-stores.ts';
import { lowerEffect, lowerValue } from './c-lower-terms.ts';
import { shifted, unknown } from './c-lower-values.ts';
import type { LocalOrMemory } from './c-lower-values.ts';
import { inventedField, offsetOfField, resolveType, unsignedLong } from './c-types.ts';

export function addressOf(found: LocalOrMemory): CExpression {
  return found.kind === 'slot' ? { kind: 'local-address', slot: found.slot, offset: 0 } : found.address;
}

function nowhere(builder: Builder, span: Span, type: CSyntaxType): LocalOrMemory {
  return { kind: 'memory', address: unknown(`address of ${textAt(builder, span)}`), type, bits: null };
}

export function placeOfName(builder: Builder, name: string): LocalOrMemory {
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
    case 'name': {
      const expansion = builder.scope.variables.has(term.name) ? null : expansionOf(builder, term.name, null, term.span);
      return expansion === null ? placeOfName(builder, term.name) : insideMacro(builder, () => lowerPlace(builder, expansion));
    }
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
      const found = arithmetic(builder.scope.types, '+', base, index);
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
  if (isRecord(builder, value.type) && value.expression.kind !== 'unknown') return { kind: 'memory', address: value.expression, type: value.type, bits: null };
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
  const field = offsetOfField(types, type, term.field.text) ?? inventedField(types, type, term.field.text);
  if (field === null) return nowhere(builder, term.span, unsignedLong);
  return { kind: 'memory', address: address.kind === 'unknown' ? address : shifted(address, field.offset), type: field.type, bits: field.bits };
}
