// Which unknown bits of a word are bits of which opaque value: what keeps a value's identity while code takes it apart
// and puts it together again. Knows bits and names only.

/** Bits of one opaque value inside a word. */
export interface Field {
  /** The opaque value; `~NAME` is its complement. */
  readonly root: string;
  /** Position in the word less position in the value. */
  readonly shift: number;
  /** The bits, by their position in the word. */
  readonly mask: bigint;
}

export type Fields = readonly Field[];

export const NO_FIELDS: Fields = [];

const BITS = 0xffff_ffff_ffff_ffffn;

/** A word put together from more pieces than this keeps no identity, so that names and keys stay bounded. */
const MOST_FIELDS = 8;

/** The fields inside `mask`. */
export function restrict(fields: Fields, mask: bigint): Fields {
  const only = fields[0];
  if (only === undefined) return NO_FIELDS;
  if (fields.length === 1) {
    const kept = only.mask & mask;
    return kept === only.mask ? fields : kept === 0n ? NO_FIELDS : [{ ...only, mask: kept }];
  }
  return fields.flatMap((field) => ((field.mask & mask) === 0n ? [] : [{ ...field, mask: field.mask & mask }]));
}

/** The fields moved up by `by` bits, or down where it is negative. */
export function move(fields: Fields, by: number): Fields {
  if (by === 0) return fields;
  return fields.flatMap((field) => {
    const mask = by > 0 ? (field.mask << BigInt(by)) & BITS : field.mask >> BigInt(-by);
    return mask === 0n ? [] : [{ root: field.root, shift: field.shift + by, mask }];
  });
}

/** Both lists together, in one order, equal neighbours joined; the masks of the two must not overlap. */
export function join(a: Fields, b: Fields): Fields {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const out: Field[] = [];
  for (const field of [...a, ...b].sort(byRoot)) {
    const last = out.at(-1);
    if (last !== undefined && last.root === field.root && last.shift === field.shift) out[out.length - 1] = { ...last, mask: last.mask | field.mask };
    else out.push(field);
  }
  return out.length > MOST_FIELDS ? NO_FIELDS : out;
}

function byRoot(a: Field, b: Field): number {
  return a.root === b.root ? a.shift - b.shift : a.root < b.root ? -1 : 1;
}

/** Bits that are the same bit of the same value in both. */
export function common(a: Fields, b: Fields): Fields {
  const out: Field[] = [];
  for (const field of a) {
    const other = b.find((one) => one.root === field.root && one.shift === field.shift);
    if (other !== undefined && (field.mask & other.mask) !== 0n) out.push({ ...field, mask: field.mask & other.mask });
  }
  return out;
}

/** The fields with the bits of `mask` inverted. */
export function invert(fields: Fields, mask: bigint): Fields {
  const turned = restrict(fields, mask).map((field) => ({ ...field, root: field.root.startsWith('~') ? field.root.slice(1) : `~${field.root}` }));
  return join(restrict(fields, BITS & ~mask), turned.sort(byRoot));
}

export function coverage(fields: Fields): bigint {
  let mask = 0n;
  for (const field of fields) mask |= field.mask;
  return mask;
}

export function keyOf(fields: Fields): string {
  let key = '';
  for (const field of fields) key += `\0${field.root}\0${field.shift}\0${field.mask.toString(36)}`;
  return key;
}

/** Bits that an opaque value was declared to leave open, by the declaration that leaves the fewest. */
const declared = new Map<string, { readonly open: bigint; readonly value: bigint }>();

export function declare(root: string, open: bigint, value: bigint): void {
  const before = declared.get(root);
  if (before === undefined || (before.open !== open && (open & ~before.open) === 0n)) declared.set(root, { open, value });
}

/** The open bits of a value and what its others are, null where it was never declared. */
export function declarationOf(root: string): { readonly open: bigint; readonly value: bigint } | null {
  return declared.get(root) ?? null;
}

/** Whether the fields and known bits are exactly a declared value, nothing masked and nothing set. */
export function isWholeValue(fields: Fields, value: bigint): boolean {
  const only = fields[0];
  if (only === undefined || fields.length !== 1 || only.shift !== 0) return false;
  const root = declared.get(only.root);
  return root !== undefined && (root.open & ~only.mask) === 0n && (root.value & ~only.mask) === value;
}

/** `CR3`, `CR3&~0x1800`, `CR3[31:0]`, `RDX[31:0]<<32|RAX[31:0]`: what a reader is shown. */
export function nameOf(fields: Fields, value: bigint): string {
  const only = fields[0];
  if (only === undefined) return '';
  if (fields.length === 1 && only.shift === 0) {
    const root = declared.get(only.root);
    if (root === undefined) return only.root;
    const lost = root.open & ~only.mask;
    if (lost === 0n) return value === (root.value & ~only.mask) ? only.root : `${only.root}|0x${value.toString(16)}`;
    const ones = value & lost;
    if (!isRange(lost) || lost >> 63n === 0n || value !== 0n) return `${only.root}&~0x${lost.toString(16)}${ones === 0n ? '' : `|0x${ones.toString(16)}`}`;
  }
  const pieces = fields.map((field) => `${slice(field)}${field.shift > 0 ? `<<${field.shift}` : field.shift < 0 ? `>>${-field.shift}` : ''}`);
  if (value !== 0n) pieces.push(`0x${value.toString(16)}`);
  return pieces.join('|');
}

function isRange(mask: bigint): boolean {
  const low = mask & -mask;
  return ((mask + low) & mask) === 0n;
}

/** The bits of the value that a field takes: `X[31:0]`, or `X&0x5` where they are no range. */
function slice(field: Field): string {
  const mask = field.shift >= 0 ? field.mask >> BigInt(field.shift) : field.mask << BigInt(-field.shift);
  if (!isRange(mask)) return `${field.root}&0x${mask.toString(16)}`;
  const high = mask.toString(2).length - 1;
  const low = (mask & -mask).toString(2).length - 1;
  return high === low ? `${field.root}[${high}]` : `${field.root}[${high}:${low}]`;
}
