// Sizes, offsets and constants of C on x86-64 (System V ABI, "Data Representation"). Knows types by their syntax and
// nothing of statements or the machine.
import { binaryValue, evaluateConstantText } from '../syntax/c-constant.ts';
import type { ConstantScope } from '../syntax/c-constant.ts';
import type { CMember, CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import type { AccessSize } from '../machine/code.ts';

export type CRecordType = Extract<CSyntaxType, { kind: 'record' }>;

/** The types, tags and constants in view. Filled while a file and its headers are read, then only read. */
export interface TypeTable {
  readonly typedefs: Map<string, CSyntaxType>;
  /** Records with a body by tag. */
  readonly records: Map<string, CRecordType>;
  readonly layouts: Map<CSyntaxType, Layout | null>;
  readonly constants: ConstantScope;
}

export interface LayoutField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: CSyntaxType;
  /** Bit-fields: place inside the storage unit that `offset` and `size` give. */
  readonly bits: { readonly shift: number; readonly width: number } | null;
}

export interface Layout {
  readonly size: number;
  readonly align: number;
  /** Members of anonymous structs and unions are listed as the record's own. */
  readonly fields: readonly LayoutField[];
}

export interface IntegerType {
  readonly size: AccessSize;
  readonly signed: boolean;
}

export function named(name: string): CSyntaxType {
  return { kind: 'named', name };
}

export const intType = named('int');
export const unsignedLong = named('unsigned long');

export function pointerTo(to: CSyntaxType): CSyntaxType {
  return { kind: 'pointer', to };
}

export function createTypeTable(constants: ConstantScope): TypeTable {
  return { typedefs: new Map(), records: new Map(), layouts: new Map(), constants };
}

const wellKnown: ReadonlyMap<string, readonly [AccessSize, boolean]> = new Map<string, readonly [AccessSize, boolean]>([
  ['bool', [1, false]], ['_Bool', [1, false]], ['u8', [1, false]], ['u16', [2, false]], ['u32', [4, false]], ['u64', [8, false]],
  ['s8', [1, true]], ['s16', [2, true]], ['s32', [4, true]], ['s64', [8, true]], ['size_t', [8, false]], ['ssize_t', [8, true]],
  ['uintptr_t', [8, false]], ['intptr_t', [8, true]], ['ptrdiff_t', [8, true]], ['loff_t', [8, true]], ['pid_t', [4, true]],
  ['gfp_t', [4, false]], ['phys_addr_t', [8, false]], ['dma_addr_t', [8, false]], ['resource_size_t', [8, false]], ['atomic_t', [4, true]],
  ['atomic64_t', [8, true]], ['atomic_long_t', [8, true]], ['pteval_t', [8, false]], ['raw_spinlock_t', [4, false]], ['spinlock_t', [4, false]],
  ['uint8_t', [1, false]], ['uint16_t', [2, false]], ['uint32_t', [4, false]], ['uint64_t', [8, false]],
  ['int8_t', [1, true]], ['int16_t', [2, true]], ['int32_t', [4, true]], ['int64_t', [8, true]],
]);

function builtIn(name: string): IntegerType | null {
  const plain = name.replace(/^__(?=[us](?:8|16|32|64)$)/, '');
  const known = wellKnown.get(plain);
  if (known !== undefined) return { size: known[0], signed: known[1] };
  const words = plain.split(' ').filter((word) => !/^(?:const|volatile|register|static|extern|inline)$/.test(word));
  if (words.length === 0 || !words.every((word) => /^(?:unsigned|signed|long|int|short|char)$/.test(word))) return null;
  const signed = !words.includes('unsigned');
  if (words.includes('char')) return { size: 1, signed };
  if (words.includes('short')) return { size: 2, signed };
  return { size: words.includes('long') ? 8 : 4, signed };
}

/** `struct pt_regs` where no header shows it (`arch/x86/include/asm/ptrace.h`, 64 bits): the names in frame order. */
const registerNames = 'r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss'.split(' ');
const registers: CRecordType = {
  kind: 'record',
  tag: 'struct',
  name: 'pt_regs',
  nameSpan: { start: 0, end: 0 },
  members: registerNames.map((name) => ({ name, type: unsignedLong, bits: null, attributes: [], span: { start: 0, end: 0 } })),
  attributes: [],
};

/** The type behind typedefs and tags. */
export function resolveType(table: TypeTable, type: CSyntaxType): CSyntaxType {
  let found = type;
  for (let depth = 0; depth < 32; depth++) {
    if (found.kind === 'named') {
      const behind = table.typedefs.get(found.name);
      if (behind === undefined || behind === found) return found;
      found = behind;
    } else if (found.kind === 'record' && found.members === null && found.name !== null) {
      return table.records.get(found.name) ?? (found.name === 'pt_regs' ? registers : found);
    } else return found;
  }
  return found;
}

/** Integers, pointers and enumerations; null for everything else and for types out of view. */
export function integerOf(table: TypeTable, type: CSyntaxType): IntegerType | null {
  const found = resolveType(table, type);
  switch (found.kind) {
    case 'named':
      return builtIn(found.name);
    case 'pointer':
    case 'function':
    case 'array':
      return { size: 8, signed: false };
    case 'enum':
      return { size: 4, signed: false };
    default:
      return null;
  }
}

/** Bytes, or null where the type is not in view. */
export function sizeOfType(table: TypeTable, type: CSyntaxType): number | null {
  return sizeAndAlign(table, type)?.size ?? null;
}

function sizeAndAlign(table: TypeTable, type: CSyntaxType): { readonly size: number; readonly align: number } | null {
  const found = resolveType(table, type);
  switch (found.kind) {
    case 'array': {
      const element = sizeAndAlign(table, found.of);
      const length = found.length === null ? 0n : constantOf(table, found.length);
      return element === null || length === null ? null : { size: element.size * Number(length), align: element.align };
    }
    case 'record':
      return layoutOf(table, found);
    case 'named':
      if (found.name === 'void') return { size: 1, align: 1 };
      break;
    default:
      break;
  }
  const integer = integerOf(table, found);
  return integer === null ? null : { size: integer.size, align: integer.size };
}

/** null where the record has no body in view or contains itself. */
export function layoutOf(table: TypeTable, type: CSyntaxType): Layout | null {
  const found = resolveType(table, type);
  if (found.kind !== 'record' || found.members === null) return null;
  const known = table.layouts.get(found);
  if (known !== undefined) return known;
  table.layouts.set(found, null);
  const layout = layOut(table, found, found.members);
  table.layouts.set(found, layout);
  return layout;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** `__aligned(16)`, `__attribute__((aligned(16)))`; 1 where there is none. */
function alignmentOf(table: TypeTable, attributes: readonly string[]): number {
  let align = 1;
  for (const attribute of attributes) {
    const inside = /aligned(?:__)?\s*\((.*?)\)*$/.exec(attribute)?.[1];
    const value = inside === undefined ? null : evaluateConstantText(inside, table.constants);
    if (value !== null) align = Math.max(align, Number(value));
    else if (/cacheline/.test(attribute)) align = Math.max(align, 64);
    else if (/^__attribute.*\(\(aligned\)\)/.test(attribute)) align = Math.max(align, 16);
  }
  return align;
}

function layOut(table: TypeTable, record: CRecordType, members: readonly CMember[]): Layout {
  const packed = record.attributes.some((attribute) => /packed/.test(attribute));
  const fields: LayoutField[] = [];
  let bit = 0;
  let size = 0;
  let align = alignmentOf(table, record.attributes);
  for (const member of members) {
    const type = sizeAndAlign(table, member.type) ?? { size: 8, align: 8 };
    const own = alignmentOf(table, member.attributes);
    const tight = packed || member.attributes.some((attribute) => /packed/.test(attribute));
    const natural = Math.max(tight ? 1 : type.align, own);
    if (record.tag === 'union') bit = 0;
    const width = member.bits === null ? null : Number(constantOf(table, member.bits) ?? 1n);
    if (width !== null) {
      const unit = type.size * 8;
      if (width === 0 || (!packed && Math.floor(bit / unit) !== Math.floor((bit + width - 1) / unit))) bit = roundUp(bit, unit);
      const start = Math.floor(bit / unit) * unit;
      if (member.name !== null) fields.push({ name: member.name, offset: start / 8, size: type.size, type: member.type, bits: { shift: bit - start, width } });
      bit += width;
      if (member.name !== null) align = Math.max(align, natural);
    } else {
      const offset = roundUp(Math.ceil(bit / 8), natural);
      if (member.name !== null) fields.push({ name: member.name, offset, size: type.size, type: member.type, bits: null });
      else for (const inner of layoutOf(table, member.type)?.fields ?? []) fields.push({ ...inner, offset: inner.offset + offset });
      bit = (offset + type.size) * 8;
      align = Math.max(align, natural);
    }
    size = Math.max(size, Math.ceil(bit / 8));
  }
  return { size: roundUp(size, align), align, fields };
}

/** Value of a constant expression, or null. */
export function constantOf(table: TypeTable, term: CTerm): bigint | null {
  switch (term.kind) {
    case 'number':
      return term.value;
    case 'name':
      return evaluateConstantText(term.name, table.constants);
    case 'unary': {
      const value = constantOf(table, term.operand);
      if (value === null) return null;
      if (term.operator === '-') return -value;
      if (term.operator === '~') return ~value;
      if (term.operator === '!') return value === 0n ? 1n : 0n;
      return term.operator === '+' ? value : null;
    }
    case 'binary': {
      const left = constantOf(table, term.left);
      const right = constantOf(table, term.right);
      return left === null || right === null ? null : binaryValue(term.operator, left, right);
    }
    case 'conditional': {
      const condition = constantOf(table, term.condition);
      if (condition === null) return null;
      return condition === 0n ? constantOf(table, term.otherwise) : term.then === null ? condition : constantOf(table, term.then);
    }
    case 'cast':
      return integerOf(table, term.type) === null ? null : constantOf(table, term.operand);
    case 'sizeof': {
      const size = term.type !== null ? sizeOfType(table, term.type) : term.operand?.kind === 'name' ? sizeOfType(table, named(term.operand.name)) : null;
      return size === null ? null : BigInt(size);
    }
    case 'offsetof': {
      const offset = offsetOfField(table, term.type, term.field)?.offset;
      return offset === undefined ? null : BigInt(offset);
    }
    case 'call': {
      if (term.callee.kind !== 'name') return null;
      if (term.callee.name.startsWith('IS_ENABLED')) {
        const option = term.arguments[0];
        return option?.kind === 'name' ? evaluateConstantText(`IS_ENABLED(${option.name})`, table.constants) : null;
      }
      const values = term.arguments.map((argument) => constantOf(table, argument));
      return values.includes(null) ? null : evaluateConstantText(`${term.callee.name}(${values.join(',')})`, table.constants);
    }
    default:
      return null;
  }
}

/** Slots of a record whose body is not in view, behind the first: that one is kept for what assembler code names. */
const INVENTED_SLOTS = 511;

/** Bytes that a record out of view is given. */
export const INVENTED_BYTES = 8 * (INVENTED_SLOTS + 1);

/** Slots by the name of the member, in the order in which they are first asked for. */
const inventedSlots = new Map<string, number>();

/** Where a member of a record out of view is taken to be: the same name is at the same place in every file, and two names are
 * at two places as long as there is room. */
export function inventedOffset(name: string): number {
  const slot = inventedSlots.get(name) ?? inventedSlots.size % INVENTED_SLOTS;
  inventedSlots.set(name, slot);
  return 8 * (1 + slot);
}

/** The member of a record whose body is not in view, or of something that nothing declares; null where it is of a known type. */
export function inventedField(table: TypeTable, type: CSyntaxType, path: string): LayoutField | null {
  const found = resolveType(table, type);
  const unseen = (found.kind === 'record' && found.members === null) || found === unsignedLong;
  return unseen && /^\w+$/.test(path) ? { name: path, offset: inventedOffset(path), size: 8, type: unsignedLong, bits: null } : null;
}

/** A member by its path: `a`, `a.b`. */
export function offsetOfField(table: TypeTable, type: CSyntaxType, path: string): LayoutField | null {
  let offset = 0;
  let field: LayoutField | null = null;
  let inside = type;
  for (const name of path.split('.')) {
    const next = layoutOf(table, inside)?.fields.find((one) => one.name === name.trim());
    if (next === undefined) return null;
    offset += next.offset;
    field = { ...next, offset };
    inside = next.type;
  }
  return field;
}
