// 64-bit values of which only some bits may be known: constants, saved machine facts with known bits, and opaque
// values that user space or a caller chose. Words are interned: equal words are the same object.
import { common, coverage, declarationOf, declare, invert, isWholeValue, join, keyOf, move, nameOf, NO_FIELDS, restrict } from './fields.ts';
import type { Fields } from './fields.ts';

export interface Word {
  readonly id: number;
  /** Bits that are known. */
  readonly known: bigint;
  /** Their values; unknown bits are 0. */
  readonly value: bigint;
  /** Whose bits the unknown ones are, as far as that is known. */
  readonly fields: Fields;
  /** How a word is shown whose every bit is known or some opaque value's; '' for others, which equal nothing for certain. */
  readonly name: string;
}

export type Size = 1 | 2 | 4 | 8;

export const ALL = 0xffff_ffff_ffff_ffffn;
export const SIGN = 1n << 63n;

/** Constants by value, all other words by their fields, known bits and value. */
const constants = new Map<bigint, Word>();
const others = new Map<string, Map<bigint, Map<bigint, Word>>>();
let made = 0;

/** The word with these known bits, the others being those of the opaque value of that name, or nobody's where it is ''. */
export function word(known: bigint, value: bigint, name: string): Word {
  if (known === ALL) return constant(value);
  return intern(name, known, value & known, null);
}

function wordOf(known: bigint, value: bigint, fields: Fields): Word {
  if (known === ALL) return constant(value);
  const only = fields[0];
  if (only === undefined) return intern('', known, value & known, null);
  if (fields.length === 1 && only.shift === 0 && only.mask === (ALL & ~known)) return intern(only.root, known, value & known, fields);
  return intern(keyOf(fields), known, value & known, fields);
}

function intern(key: string, known: bigint, value: bigint, given: Fields | null): Word {
  let byKnown = others.get(key);
  if (byKnown === undefined) others.set(key, (byKnown = new Map()));
  let byValue = byKnown.get(known);
  if (byValue === undefined) byKnown.set(known, (byValue = new Map()));
  const found = byValue.get(value);
  if (found !== undefined) return found;
  made += 1;
  const fields = given ?? (key === '' ? NO_FIELDS : [{ root: key, shift: 0, mask: ALL & ~known }]);
  const name = (coverage(fields) | known) === ALL ? nameOf(fields, value) : '';
  const fresh: Word = { id: made, known, value, fields, name };
  byValue.set(value, fresh);
  return fresh;
}

export function constant(value: bigint): Word {
  const bits = value >= 0n && value <= ALL ? value : BigInt.asUintN(64, value);
  const found = constants.get(bits);
  if (found !== undefined) return found;
  made += 1;
  const fresh: Word = { id: made, known: ALL, value: bits, fields: NO_FIELDS, name: '' };
  constants.set(bits, fresh);
  return fresh;
}

/** A value nobody knows: a branch on it goes both ways. */
export const UNKNOWN = word(0n, 0n, '');

export const ZERO = constant(0n);
export const ONE = constant(1n);

/** An opaque value with an identity, of which some bits may be known. */
export function opaque(name: string, known = 0n, value = 0n): Word {
  declare(name, ALL & ~known, value & known);
  return word(known, value, name);
}

export function isConstant(w: Word): boolean {
  return w.known === ALL;
}

export function mask(size: Size): bigint {
  return size === 8 ? ALL : (1n << BigInt(size * 8)) - 1n;
}

/** Whether two words are equal: true, false, or null where it is not known. */
export function equal(a: Word, b: Word): boolean | null {
  const both = a.known & b.known;
  if (((a.value ^ b.value) & both) !== 0n) return false;
  if (a.known === ALL && b.known === ALL) return true;
  return a === b && a.name !== '' ? true : null;
}

export function and(a: Word, b: Word): Word {
  const zeros = (a.known & ~a.value) | (b.known & ~b.value);
  const ones = a.value & b.value;
  const known = (zeros | ones) & ALL;
  if (known === ALL) return constant(ones);
  if (a === b) return a;
  return wordOf(known, ones, survivors(a, b, a.value, b.value, known));
}

export function or(a: Word, b: Word): Word {
  const ones = a.value | b.value;
  const zeros = a.known & ~a.value & b.known & ~b.value;
  const known = (ones | zeros) & ALL;
  if (known === ALL) return constant(ones);
  if (a === b) return a;
  return wordOf(known, ones, survivors(a, b, a.known & ~a.value, b.known & ~b.value, known));
}

/** What is left of two operands' opaque bits: those that the other lets through, and those that are the same in both. */
function survivors(a: Word, b: Word, aLets: bigint, bLets: bigint, known: bigint): Fields {
  if (a.fields.length === 0 && b.fields.length === 0) return NO_FIELDS;
  const apart = join(restrict(a.fields, bLets), restrict(b.fields, aLets));
  if (a.fields.length === 0 || b.fields.length === 0) return apart;
  return join(apart, restrict(common(a.fields, b.fields), ALL & ~known));
}

export function xor(a: Word, b: Word): Word {
  if (a === b && (isConstant(a) || a.name !== '')) return ZERO;
  const known = a.known & b.known;
  if (known === ALL) return constant(a.value ^ b.value);
  return wordOf(known, a.value ^ b.value, join(invert(restrict(a.fields, b.known), b.value), invert(restrict(b.fields, a.known), a.value)));
}

export function not(a: Word): Word {
  return isConstant(a) ? constant(~a.value) : wordOf(a.known, ~a.value, invert(a.fields, ALL));
}

export function add(a: Word, b: Word): Word {
  if (isConstant(a) && isConstant(b)) return constant(a.value + b.value);
  if (isConstant(a)) return add(b, a);
  if (!isConstant(b)) return lowSum(a, b);
  if (b.value === 0n) return a;
  return isWholeValue(a.fields, a.value) ? addToOpaque(a, BigInt.asIntN(64, b.value)) : lowSum(a, b);
}

/** The low bits that both words know add up to known bits. */
function lowSum(a: Word, b: Word): Word {
  const unknown = ALL & ~(a.known & b.known);
  const low = (unknown & -unknown) - 1n;
  return low <= 0n ? UNKNOWN : word(low, (a.value + b.value) & low, '');
}

export function subtract(a: Word, b: Word): Word {
  if (isConstant(b)) return add(a, constant(-b.value));
  if (a === b && a.name !== '') return ZERO;
  const unknown = ALL & ~(a.known & b.known);
  const low = (unknown & -unknown) - 1n;
  return low <= 0n ? UNKNOWN : word(low, (a.value - b.value) & low, '');
}

/** `name+0x8`: keeps the identity of an opaque pointer while code steps through what it points to. */
function addToOpaque(a: Word, offset: bigint): Word {
  const match = /^(.*?)([+-]0x[0-9a-f]+)?$/.exec(a.name);
  const root = match?.[1] ?? a.name;
  const before = match?.[2] === undefined ? 0n : signedHex(match[2]);
  const total = before + offset;
  const original = total === 0n ? declarationOf(root) : null;
  if (original !== null && (ALL & ~original.open & SIGN) === (a.known & SIGN)) return word(ALL & ~original.open, original.value, root);
  const unknown = ALL & ~a.known;
  const low = (unknown & -unknown) - 1n;
  return opaque(
    `${root}${total < 0n ? '-' : '+'}0x${(total < 0n ? -total : total).toString(16)}`,
    (a.known & SIGN) | low,
    (a.value & SIGN) | ((a.value + offset) & low),
  );
}

function signedHex(text: string): bigint {
  const magnitude = BigInt(text.slice(1));
  return text.startsWith('-') ? -magnitude : magnitude;
}

/** The low `size` bytes, zero-extended. */
export function truncate(a: Word, size: Size): Word {
  if (size === 8) return a;
  const low = mask(size);
  if (isConstant(a)) return a.value <= low ? a : constant(a.value & low);
  const known = (a.known & low) | (ALL & ~low);
  return wordOf(known, a.value & low, restrict(a.fields, low));
}

/** The low `size` bytes, sign-extended. */
export function signExtend(a: Word, size: Size): Word {
  if (size === 8) return a;
  const low = mask(size);
  const top = 1n << BigInt(size * 8 - 1);
  const fields = restrict(a.fields, low);
  if ((a.known & top) === 0n) return wordOf(a.known & low, a.value & low, fields);
  const high = (a.value & top) === 0n ? 0n : ALL & ~low;
  return wordOf((a.known & low) | (ALL & ~low), (a.value & low) | high, fields);
}

/** `old` with `size` bytes at byte `offset` replaced by the low bytes of `part`. */
export function insertBytes(old: Word, offset: number, size: Size, part: Word): Word {
  if (size === 8 && offset === 0) return part;
  const shift = BigInt(offset * 8);
  const field = mask(size) << shift;
  const known = (old.known & ~field) | ((part.known << shift) & field);
  const value = (old.value & ~field) | ((part.value << shift) & field);
  return wordOf(known & ALL, value & ALL, join(restrict(old.fields, ALL & ~field), restrict(move(part.fields, offset * 8), field)));
}

/** `size` bytes at byte `offset`, zero-extended. */
export function extractBytes(whole: Word, offset: number, size: Size): Word {
  return offset === 0 ? truncate(whole, size) : truncate(shiftRight(whole, offset * 8), size);
}

/** `old` with the bits of `field` replaced: `known` of them are known and have `value`, the others are nobody's. */
export function replaceBits(old: Word, field: bigint, known: bigint, value: bigint): Word {
  const kept = ALL & ~field;
  return wordOf((old.known & kept) | (known & field), (old.value & kept) | (value & known & field), restrict(old.fields, kept));
}

export function shiftLeft(a: Word, count: number): Word {
  const by = BigInt(count & 63);
  return wordOf(((a.known << by) | ((1n << by) - 1n)) & ALL, (a.value << by) & ALL, move(a.fields, count & 63));
}

export function shiftRight(a: Word, count: number): Word {
  const by = BigInt(count & 63);
  const high = ALL & ~(ALL >> by);
  return wordOf((a.known >> by) | high, a.value >> by, move(a.fields, -(count & 63)));
}

/** Shifts right and fills with the sign; copies of an unknown sign are nobody's bits. */
export function shiftRightArithmetic(a: Word, count: number): Word {
  const by = BigInt(count & 63);
  const high = ALL & ~(ALL >> by);
  const known = (a.known & SIGN) === 0n ? 0n : high;
  return wordOf((a.known >> by) | known, (a.value >> by) | ((a.value & SIGN) === 0n ? 0n : known), move(a.fields, -(count & 63)));
}

export function show(w: Word): string {
  if (isConstant(w)) return w.value < 10n ? w.value.toString() : `0x${w.value.toString(16)}`;
  if (w.name !== '') return w.name;
  return w.known === 0n ? 'unknown' : 'partly known';
}
