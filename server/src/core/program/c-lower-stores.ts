// Writing to places: scalars, bit-fields, structs by the 8 bytes, initialiser lists.
import type { Span } from '../base/span.ts';
import type { AccessSize, CExpression } from '../machine/code.ts';
import type { CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import { emit, emitAssign, newTemporary, textAt } from './c-lower-builder.ts';
import type { Builder } from './c-lower-builder.ts';
import { arithmetic } from './c-lower-arithmetic.ts';
import { addressOf, lowerPlace } from './c-lower-places.ts';
import { lowerValue, readAt, stable } from './c-lower-terms.ts';
import { binary, constant, convert, shifted, unary, withoutExtension } from './c-lower-values.ts';
import type { LocalOrMemory, Value } from './c-lower-values.ts';
import { constantOf, integerOf, layoutOf, named, offsetOfField, resolveType, sizeOfType } from './c-types.ts';

/** Longer copies and clearings are a call of `memcpy` or `memset`. */
const longestCopy = 256;

export function isRecord(builder: Builder, type: CSyntaxType): boolean {
  return resolveType(builder.scope.types, type).kind === 'record';
}

/** One store, or one assignment of a local. Gives the value that the place has then. */
export function storeTo(builder: Builder, span: Span, to: LocalOrMemory, value: Value, form: string, target: string, previous: number | null = null): Value {
  const { types } = builder.scope;
  const expression = convert(types, value, to.type);
  if (to.kind === 'slot') {
    if (previous !== null) emitAssign(builder, span, previous, { kind: 'local', slot: to.slot });
    emitAssign(builder, span, to.slot, expression);
    return { expression: { kind: 'local', slot: to.slot }, type: to.type };
  }
  const size = integerOf(types, to.type)?.size ?? 8;
  emitStore(builder, span, to.address, size, to.bits === null ? lowBitsOnly(expression, size) : inserted(to, size, expression), form, target, previous);
  return { expression, type: to.type };
}

/** A store narrower than a register drops what sign extension and wrapping add. */
function lowBitsOnly(expression: CExpression, size: AccessSize): CExpression {
  if (size === 8) return expression;
  const bare = withoutMask(withoutExtension(expression), size);
  if (bare.kind !== 'binary' || !/^[-+&|^]$/.test(bare.operator)) return bare;
  return { ...bare, left: withoutExtension(bare.left), right: withoutExtension(bare.right) };
}

function withoutMask(expression: CExpression, size: AccessSize): CExpression {
  if (expression.kind !== 'binary' || expression.operator !== '&' || expression.right.kind !== 'constant') return expression;
  const low = (1n << BigInt(size * 8)) - 1n;
  return (expression.right.value & low) === low ? expression.left : expression;
}

/** The storage unit with a bit-field replaced. */
function inserted(to: Extract<LocalOrMemory, { kind: 'memory' }>, size: AccessSize, value: CExpression): CExpression {
  const { shift, width } = to.bits ?? { shift: 0, width: 64 };
  const field = (1n << BigInt(width)) - 1n;
  const unit: CExpression = { kind: 'load', address: to.address, size, text: 'the storage unit' };
  const kept = binary('&', unit, unary('~', constant(field << BigInt(shift))));
  return binary('|', kept, binary('<<', binary('&', value, constant(field)), constant(BigInt(shift))));
}

export function emitStore(builder: Builder, span: Span, address: CExpression, size: AccessSize, value: CExpression, form: string, target: string, previous: number | null = null): void {
  emit(builder, span, (next) => ({ kind: 'store', address, size, value, form, target, next, ...(previous === null ? {} : { previous }) }));
}

/** Sizes of the stores that cover so many bytes. */
function* chunks(size: number): Generator<{ readonly offset: number; readonly size: AccessSize }> {
  for (let offset = 0; offset < size; ) {
    const chunk: AccessSize = size - offset >= 8 ? 8 : size - offset >= 4 ? 4 : size - offset >= 2 ? 2 : 1;
    yield { offset, size: chunk };
    offset += chunk;
  }
}

function call(builder: Builder, span: Span, name: string, values: readonly CExpression[]): void {
  emit(builder, span, (next) => ({ kind: 'call', name, arguments: values, result: null, next, fixup: null }));
}

/** Gives a struct, union or array its value. */
export function fillFrom(builder: Builder, span: Span, to: Extract<LocalOrMemory, { kind: 'memory' }>, term: CTerm, target: string): void {
  if (term.kind === 'list') return fillFromList(builder, span, to, term, target);
  if (term.kind === 'literal') return fillFromList(builder, span, to, term.list, target);
  if (term.kind === 'string') return storeBytes(builder, span, to, target, null);
  const from = lowerPlace(builder, term);
  // A local pointer keeps its value while what it points to is copied.
  const kept = (address: CExpression): CExpression => (address.kind === 'local' ? address : stable(builder, { expression: address, type: named('unsigned long') }, span).expression);
  const address = kept(addressOf(from));
  const size = sizeOfType(builder.scope.types, to.type);
  const toAddress = kept(to.address);
  if (size === null || size > longestCopy) {
    call(builder, span, 'memcpy', [toAddress, address, size === null ? { kind: 'unknown', text: 'sizeof' } : constant(BigInt(size))]);
    return;
  }
  const text = textAt(builder, term.span);
  for (const chunk of chunks(size)) {
    const value: CExpression = address.kind === 'unknown' ? address : { kind: 'load', address: shifted(address, chunk.offset), size: chunk.size, text };
    emitStore(builder, span, shifted(toAddress, chunk.offset), chunk.size, value, 'plain', target);
  }
}

/** Every byte to zero, or to something unknown. */
function storeBytes(builder: Builder, span: Span, to: Extract<LocalOrMemory, { kind: 'memory' }>, target: string, value: bigint | null): void {
  const size = sizeOfType(builder.scope.types, to.type);
  const filling: CExpression = value === null ? { kind: 'unknown', text: textAt(builder, span) } : constant(value);
  if (size === null || size > longestCopy) {
    call(builder, span, value === null ? 'memcpy' : 'memset', [to.address, filling, size === null ? { kind: 'unknown', text: 'sizeof' } : constant(BigInt(size))]);
    return;
  }
  for (const chunk of chunks(size)) emitStore(builder, span, shifted(to.address, chunk.offset), chunk.size, filling, 'plain', target);
}

function fillFromList(builder: Builder, span: Span, to: Extract<LocalOrMemory, { kind: 'memory' }>, term: CTerm, target: string): void {
  storeBytes(builder, span, to, target, 0n);
  if (term.kind === 'list') fillListed(builder, to, term, target);
}

/** Stores what a list names; the rest is zero already. */
function fillListed(builder: Builder, to: Extract<LocalOrMemory, { kind: 'memory' }>, list: Extract<CTerm, { kind: 'list' }>, target: string): void {
  const { types } = builder.scope;
  const type = resolveType(types, to.type);
  const fields = layoutOf(types, type)?.fields ?? [];
  let position = 0;
  for (const item of list.items) {
    let inside: Extract<LocalOrMemory, { kind: 'memory' }> | null = null;
    if (type.kind === 'array') {
      const designator = item.designators[0];
      const index = designator?.kind === 'index' ? constantOf(types, designator.index) : BigInt(position);
      const size = sizeOfType(types, type.of);
      if (index !== null && size !== null) {
        position = Number(index);
        inside = { kind: 'memory', address: shifted(to.address, position * size), type: type.of, bits: null };
      }
    } else {
      const path = item.designators.flatMap((designator) => (designator.kind === 'field' ? [designator.name] : [])).join('.');
      const field = path === '' ? (fields[position] ?? null) : offsetOfField(types, type, path);
      if (field !== null) {
        if (path !== '') position = fields.findIndex((one) => path === one.name || path.startsWith(`${one.name}.`));
        inside = { kind: 'memory', address: shifted(to.address, field.offset), type: field.type, bits: field.bits };
      }
    }
    position++;
    if (inside === null) continue;
    if (item.value.kind === 'list') fillListed(builder, inside, item.value, target);
    else if (isRecord(builder, inside.type)) fillFrom(builder, item.value.span, inside, item.value, target);
    else if (item.value.kind === 'number' && item.value.value === 0n) continue;
    else storeTo(builder, item.value.span, inside, lowerValue(builder, item.value), 'plain', target);
  }
}

/** `(struct s){ ... }` */
export function temporaryRecord(builder: Builder, span: Span, type: CSyntaxType, list: CTerm): LocalOrMemory {
  const size = sizeOfType(builder.scope.types, type) ?? 8;
  const slot = builder.slots.length;
  for (let word = 0; word < Math.max(1, Math.ceil(size / 8)); word++) newTemporary(builder, `${slot}+${word * 8}`);
  const to = { kind: 'memory', address: { kind: 'local-address', slot, offset: 0 }, type, bits: null } as const;
  if (list.kind === 'list') fillFromList(builder, span, to, list, textAt(builder, span));
  return to;
}

/** Reads, changes and writes one word in one step. */
export function changeWord(builder: Builder, span: Span, at: LocalOrMemory, change: (old: CExpression) => CExpression, form: string, target: string, wordSpan: Span, previous: number | null): void {
  const old = readAt(builder, at, wordSpan);
  storeTo(builder, span, at, { expression: change(old.expression), type: arithmetic(builder.scope.types, '+', old, { expression: constant(0n), type: named('int') }).type }, form, target, previous);
}
