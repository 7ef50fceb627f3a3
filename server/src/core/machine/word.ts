// 64-bit values of which only some bits may be known: constants, saved machine facts with known bits, and opaque
// values that user space or a caller chose. Words are interned: equal words are the same object.

export interface Word {
  readonly id: number;
  /** Bits that are known. */
  readonly known: bigint;
  /** Their values; unknown bits are 0. */
  readonly value: bigint;
  /** Identity of an opaque value, '' for a plain one: two opaque words are equal only by the same name. */
  readonly name: string;
}

export const ALL = 0xffff_ffff_ffff_ffffn;
export const SIGN = 1n << 63n;

/** Constants by value, all other words by name, known bits and value. */
const constants = new Map<bigint, Word>();
const others = new Map<string, Map<bigint, Map<bigint, Word>>>();
let made = 0;

export function word(known: bigint, value: bigint, name: string): Word {
  if (known === ALL) return constant(value);
  const bits = value & known;
  let byKnown = others.get(name);
  if (byKnown === undefined) others.set(name, (byKnown = new Map()));
  let byValue = byKnown.get(known);
  if (byValue === undefined) byKnown.set(known, (byValue = new Map()));
  const found = byValue.get(bits);
  if (found !== undefined) return found;
  made += 1;
  const fresh: Word = { id: made, known, value: bits, name };
  byValue.set(bits, fresh);
  return fresh;
}

export function constant(value: bigint): Word {
  const bits = value >= 0n && value <= ALL ? value : BigInt.asUintN(64, value);
  const found = constants.get(bits);
  if (found !== undefined) return found;
  made += 1;
  const fresh: Word = { id: made, known: ALL, value: bits, name: '' };
  constants.set(bits, fresh);
  return fresh;
}

/** A value nobody knows: a branch on it goes both ways. */
export const UNKNOWN = word(0n, 0n, '');

export const ZERO = constant(0n);
export const ONE = constant(1n);

/** An opaque value with an identity, of which some bits may be known. */
export function opaque(name: string, known = 0n, value = 0n): Word {
  return word(known, value, name);
}

export function isConstant(w: Word): boolean {
  return w.known === ALL;
}

/** Known and equal bits stay, the rest is unknown: what both words have in common. */
export function mask(size: 1 | 2 | 4 | 8): bigint {
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
  const ones = a.known & a.value & b.known & b.value;
  const known = (zeros | ones) & ALL;
  if (known === ALL) return constant(ones);
  if (a === b) return a;
  return word(known, ones, '');
}

export function or(a: Word, b: Word): Word {
  const ones = (a.known & a.value) | (b.known & b.value);
  const zeros = a.known & ~a.value & b.known & ~b.value;
  const known = (ones | zeros) & ALL;
  if (isConstant(a) && a.value === 0n) return b;
  if (isConstant(b) && b.value === 0n) return a;
  return word(known, ones, '');
}

export function xor(a: Word, b: Word): Word {
  if (a === b && (isConstant(a) || a.name !== '')) return ZERO;
  const known = a.known & b.known;
  return word(known, a.value ^ b.value, '');
}

export function not(a: Word): Word {
  return word(a.known, ~a.value, a.name === '' ? '' : `~${a.name}`);
}

export function add(a: Word, b: Word): Word {
  if (isConstant(a) && isConstant(b)) return constant(a.value + b.value);
  if (isConstant(a)) return add(b, a);
  if (isConstant(b)) {
    if (b.value === 0n) return a;
    return addToOpaque(a, BigInt.asIntN(64, b.value));
  }
  return UNKNOWN;
}

export function subtract(a: Word, b: Word): Word {
  if (isConstant(b)) return add(a, constant(-b.value));
  if (a === b && a.name !== '') return ZERO;
  return UNKNOWN;
}

/** `name+8`: keeps the identity of an opaque pointer while code steps through what it points to. */
function addToOpaque(a: Word, offset: bigint): Word {
  if (a.name === '') return UNKNOWN;
  const match = /^(.*?)([+-]0x[0-9a-f]+)?$/.exec(a.name);
  const root = match?.[1] ?? a.name;
  const before = match?.[2] === undefined ? 0n : signedHex(match[2]);
  const total = before + offset;
  const name = total === 0n ? root : `${root}${total < 0n ? '-' : '+'}0x${(total < 0n ? -total : total).toString(16)}`;
  const high = a.known & SIGN;
  return word(high, a.value & high, name);
}

function signedHex(text: string): bigint {
  const magnitude = BigInt(text.slice(1));
  return text.startsWith('-') ? -magnitude : magnitude;
}

/** The low `size` bytes, zero-extended. */
export function truncate(a: Word, size: 1 | 2 | 4 | 8): Word {
  if (size === 8) return a;
  const low = mask(size);
  const known = (a.known & low) | (ALL & ~low);
  if (known === ALL) return constant(a.value & low);
  return word(known, a.value & low, a.name === '' ? '' : `${a.name}[${size}]`);
}

/** The low `size` bytes, sign-extended. */
export function signExtend(a: Word, size: 1 | 2 | 4 | 8): Word {
  if (size === 8) return a;
  const bits = BigInt(size * 8);
  const low = mask(size);
  const top = 1n << (bits - 1n);
  if ((a.known & top) === 0n) return word(a.known & low, a.value & low, '');
  const high = (a.value & top) === 0n ? 0n : ALL & ~low;
  return word((a.known & low) | (ALL & ~low), (a.value & low) | high, '');
}

/** `old` with `size` bytes at byte `offset` replaced by the low bytes of `part`. */
export function insertBytes(old: Word, offset: number, size: 1 | 2 | 4 | 8, part: Word): Word {
  if (size === 8 && offset === 0) return part;
  const shift = BigInt(offset * 8);
  const field = mask(size) << shift;
  const known = (old.known & ~field) | ((part.known << shift) & field);
  const value = (old.value & ~field) | ((part.value << shift) & field);
  return word(known & ALL, value & ALL, '');
}

/** `size` bytes at byte `offset`, zero-extended. */
export function extractBytes(whole: Word, offset: number, size: 1 | 2 | 4 | 8): Word {
  if (size === 8 && offset === 0) return whole;
  const shift = BigInt(offset * 8);
  const low = mask(size);
  const known = ((whole.known >> shift) & low) | (ALL & ~low);
  const value = (whole.value >> shift) & low;
  if (known === ALL) return constant(value);
  return word(known, value, whole.name === '' ? '' : `${whole.name}[${offset}:${size}]`);
}

export function shiftLeft(a: Word, count: number): Word {
  const by = BigInt(count & 63);
  return word(((a.known << by) | ((1n << by) - 1n)) & ALL, (a.value << by) & ALL, '');
}

export function shiftRight(a: Word, count: number): Word {
  const by = BigInt(count & 63);
  const high = by === 0n ? 0n : ALL & ~(ALL >> by);
  return word((a.known >> by) | high, a.value >> by, '');
}

export function show(w: Word): string {
  if (isConstant(w)) return w.value < 10n ? w.value.toString() : `0x${w.value.toString(16)}`;
  if (w.name !== '') return w.name;
  return w.known === 0n ? 'unknown' : 'partly known';
}
