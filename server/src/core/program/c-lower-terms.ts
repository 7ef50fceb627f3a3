// Expressions of C into values and places, with what they do emitted on the way, in source order.
import type { Span } from '../base/span.ts';
import { unreachable } from '../base/unreachable.ts';
import type { CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import { emitAssign, emitBranch, findLocal, jump, newLabel, newTemporary, place, textAt } from './c-lower-builder.ts';
import type { Builder, Label } from './c-lower-builder.ts';
import { arithmetic, numberType, wrapped } from './c-lower-arithmetic.ts';
import { lowerAssembly } from './c-lower-assembly.ts';
import { lowerCall, lowerCallInto, warnCondition } from './c-lower-calls.ts';
import { expansionOf, insideMacro } from './c-lower-macros.ts';
import { addressOf, lowerPlace, placeOfName } from './c-lower-places.ts';
import { fillFrom, isRecord, storeTo } from './c-lower-stores.ts';
import { lowerBlock } from './c-lower-statements.ts';
import { commonType, constant, convert, isStable, read, unary, unknown, withoutExtension } from './c-lower-values.ts';
import type { LocalOrMemory, Value } from './c-lower-values.ts';
import { constantOf, intType, named, offsetOfField, pointerTo, resolveType, sizeOfType, unsignedLong } from './c-types.ts';

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
      const changed = arithmetic(builder.scope.types, term.operator === '++' ? '+' : '-', kept ?? old, { expression: constant(1n), type: intType });
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

function valueOfName(builder: Builder, name: string, span: Span): Value {
  const { types, variables, functions } = builder.scope;
  if (findLocal(builder, name) === null && !variables.has(name)) {
    if (name === 'NULL') return { expression: constant(0n), type: pointerTo(named('void')) };
    const value = constantOf(types, { kind: 'name', name, span });
    if (value !== null) return { expression: constant(value), type: numberType(value, /* EFAULT and the like are int */ '') };
    const returns = functions.get(name);
    if (returns !== undefined) return { expression: { kind: 'symbol', name, area: 'function', offset: 0 }, type: pointerTo({ kind: 'function', returns }) };
    const expansion = expansionOf(builder, name, null, span);
    if (expansion !== null) return insideMacro(builder, () => lowerValue(builder, expansion));
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
      return { expression: wrapped(builder.scope.types, unary(term.operator, value.expression), type), type };
    }
    default:
      return unreachable(term.operator);
  }
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
  return arithmetic(builder.scope.types, operator, left, right);
}

export function isTypeName(builder: Builder, name: string): boolean {
  if (findLocal(builder, name) !== null || builder.scope.variables.has(name)) return false;
  return builder.scope.types.typedefs.has(name) || sizeOfType(builder.scope.types, named(name)) !== null;
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
  const value = term.operator === '' ? given : arithmetic(builder.scope.types, term.operator, readAt(builder, target, term.target.span), given);
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
  return { expression: { kind: 'local', slot }, type: named('_Bool') };
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
