// What is seen at an entry point, as names and numbers that do not depend on where the code and the stacks lie: the one
// form in which the image's log and our machine's runs are compared. Knows how the image writes its log.
import { GENERAL_REGISTERS, pointName, POINTS } from './names.ts';
import type { Variant } from './variant.ts';

/**
 * Fields by name. `at` is the entry point; `saved_rip` to `saved_ss` and `error` are what delivery pushed; `cs`, `ss`,
 * `rflags` and `rsp` are those of the handler. General and system registers are there where they differ from the start
 * of the variant. At `exit` the fields tell the state in which the code ended.
 */
export type Observation = Readonly<Record<string, string>>;

/** Words of a log record, in order (record.h). */
const WORDS: readonly string[] = [
  'variant', 'point', 'rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15',
  'rflags', 'cs', 'ss', 'cr2', 'cr3', 'dr6', 'dr7', 'gs_base', 'kernel_gs_base', 'mcg_status', 'irr', 'frame0', 'frame1', 'frame2', 'frame3', 'frame4', 'frame5',
];
const RECORD_BYTES = 320;
/** The INT n that ends a variant: its frame points behind it. */
const EXIT_BYTES = 2n;

/** Fields whose value is told only where it differs from the start. */
export const CHANGES: readonly string[] = [...GENERAL_REGISTERS.filter((name) => name !== 'rsp'), 'cr2', 'cr3', 'dr6', 'dr7', 'gs_base', 'kernel_gs_base', 'mcg_status', 'irr'];

export type NameAddress = (value: bigint) => string | null;

export function hexadecimal(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Frames without error code leave RSP at 8 modulo 16, those with one at 0 (DEL-02): so much is decided by the frame alone. */
export function frameOf(rsp: bigint, word: (index: number) => bigint): Readonly<Record<string, bigint>> {
  const first = (rsp & 0xfn) === 0n ? 1 : 0;
  const names = ['saved_rip', 'saved_cs', 'saved_rflags', 'saved_rsp', 'saved_ss'];
  return Object.fromEntries([...(first === 1 ? [['error', word(0)] as const] : []), ...names.map((name, index) => [name, word(first + index)] as const)]);
}

const ADDRESSES: ReadonlySet<string> = new Set(['saved_rip', 'rip', 'saved_rsp', 'rsp', 'cr2', 'cr3', ...GENERAL_REGISTERS]);

/** The observation of raw values; `start` holds what CHANGES are compared with. */
export function observe(point: number, values: Readonly<Record<string, bigint>>, frame: Readonly<Record<string, bigint>>, start: Readonly<Record<string, bigint>>, name: NameAddress): Observation {
  const seen: Record<string, string> = { at: pointName(point) };
  const tell = (field: string, value: bigint | undefined): void => {
    if (value !== undefined) seen[field] = (ADDRESSES.has(field) ? name(value) : null) ?? hexadecimal(value);
  };
  if (point === POINTS.shutdown || point === POINTS.runaway) return seen;
  if (point === POINTS.exit) for (const field of ['rip', 'cs', 'rflags', 'rsp', 'ss']) tell(field, frame[`saved_${field}`]);
  else {
    // An entry point that is no vector has pushed nothing.
    if (point < 256) for (const field of ['error', 'saved_rip', 'saved_cs', 'saved_rflags', 'saved_rsp', 'saved_ss']) tell(field, frame[field]);
    for (const field of ['rsp', 'rflags', 'cs', 'ss']) tell(field, values[field]);
  }
  for (const field of CHANGES) if (values[field] !== start[field]) tell(field, values[field]);
  return seen;
}

export interface ImageNames {
  readonly symbols: ReadonlyMap<string, bigint>;
  /** `v3_code_1` to `code+1`. */
  readonly instructions: ReadonlyMap<string, string>;
}

const STACK_BYTES = 0x1000n;
const UNMAPPED_BYTES = 0x20_0000n;

/** Names of addresses in the image, from its symbols. */
export function imageNames({ symbols, instructions }: ImageNames): NameAddress {
  const code = new Map<bigint, string>();
  for (const [symbol, shown] of instructions) {
    const address = symbols.get(symbol);
    if (address !== undefined) code.set(address, shown);
  }
  const at = (name: string): bigint => symbols.get(name) ?? 0n;
  const stacks = [...symbols].filter(([name]) => name.startsWith('stack_'));
  const unmapped = at('unmapped');
  const cells = at('cells');
  const tables = at('page_tables');
  return (value) => {
    const instruction = code.get(value);
    if (instruction !== undefined) return instruction;
    for (const [name, top] of stacks) if (value <= top && value > top - STACK_BYTES) return value === top ? name : `${name}-${hexadecimal(top - value)}`;
    if (value === at('stack_edge') - STACK_BYTES) return `stack_edge-${hexadecimal(STACK_BYTES)}`;
    if (value >= unmapped && value < unmapped + UNMAPPED_BYTES) return value === unmapped ? 'unmapped' : `unmapped+${hexadecimal(value - unmapped)}`;
    if (value === tables || value === tables + 0x1000n) return value === tables ? 'page_tables' : 'page_tables+0x1000';
    if (value >= cells && value < cells + 64n) return nameCell(value - cells);
    return null;
  };
}

export function nameCell(offset: bigint): string {
  const rest = offset % 8n;
  return `cell${offset / 8n}${rest === 0n ? '' : `+${rest}`}`;
}

/** A place in the code that is no boundary of a sequence: the log of an entry point, which nothing may interrupt. */
export function insideImage(shown: string | undefined, symbols: ReadonlyMap<string, bigint>): boolean {
  if (shown === undefined || !/^0x[0-9a-f]+$/.test(shown)) return false;
  const address = BigInt(shown);
  return address >= (symbols.get('payload_start') ?? 0n) && address < (symbols.get('payload_end') ?? 0n);
}

/** Observations of each variant from the bytes of the image's log, in the order in which they were made. */
export function readLog(log: Uint8Array, variants: readonly Variant[], starts: (variant: number) => Readonly<Record<string, bigint>>, name: NameAddress): ReadonlyMap<number, readonly Observation[]> {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const found = new Map<number, Observation[]>();
  for (let offset = 0; offset + RECORD_BYTES <= log.byteLength; offset += RECORD_BYTES) {
    const values: Record<string, bigint> = {};
    WORDS.forEach((word, index) => (values[word] = view.getBigUint64(offset + index * 8, true)));
    const number = Number(values['variant'] ?? 0n) - 1;
    if (variants[number] === undefined) throw new Error(`the log names variant ${number}, which is none`);
    const point = Number(values['point'] ?? 0n);
    const pushed = frameOf(values['rsp'] ?? 0n, (index) => values[`frame${index}`] ?? 0n);
    const frame = point === POINTS.exit ? { ...pushed, saved_rip: (pushed['saved_rip'] ?? 0n) - EXIT_BYTES } : pushed;
    const list = found.get(number) ?? [];
    list.push(observe(point, values, frame, starts(number), name));
    found.set(number, list);
  }
  return found;
}
