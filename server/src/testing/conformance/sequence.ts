// The sequences of the conformance test as they are written in test-fixtures/conformance/sequences: a start, gates, a few
// instructions and handlers, and what arrives at their boundaries. Unknown keys and names are errors.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { GENERAL_REGISTERS, pointNumber, SYSTEM_NAMES } from './names.ts';

/** A number, or an expression that the assembler evaluates: `stack_ist1-0x8`, `cell0`, `@label`. */
export type Value = string;

export interface GateSpec {
  /** Type field of the descriptor: 0xe interrupt gate, 0xf trap gate. */
  readonly type: number;
  readonly dpl: number;
  readonly ist: number;
  readonly present: boolean;
  readonly selector: number;
  /** Null is the handler of the vector. */
  readonly offset: Value | null;
}

export interface MachineCheck {
  readonly bank: number;
  readonly status: string;
  /** IA32_MCG_STATUS after delivery: RIPV 1, EIPV 2, MCIP 4. */
  readonly global: number;
  /** An NMI comes with it. */
  readonly nmi: boolean;
  /** Reported by the other processor. */
  readonly other: boolean;
  /** All processors get it, not only the one that reports it. */
  readonly broadcast: boolean;
}

export interface Sequence {
  readonly name: string;
  /** IDs of facts.yaml. */
  readonly facts: readonly string[];
  readonly mode: 'kernel' | 'user';
  readonly flags: readonly string[];
  readonly registers: ReadonlyMap<string, Value>;
  readonly system: ReadonlyMap<string, Value>;
  readonly machineCheck: MachineCheck | null;
  readonly gates: ReadonlyMap<number, GateSpec>;
  readonly code: readonly Line[];
  /** By point: a vector, or an entry point that is no vector. */
  readonly handlers: ReadonlyMap<number, readonly Line[]>;
  /** Instructions put in at each boundary in turn. */
  readonly insert: readonly string[];
  /** Vectors, NMI among them, that the timer raises at each of so many boundaries of the code in turn. */
  readonly timer: ReadonlyMap<number, number>;
}

export interface Line {
  readonly labels: readonly string[];
  readonly text: string;
}

const folder = 'test-fixtures/conformance/sequences';

export function readSequences(root = '.'): readonly Sequence[] {
  const files = readdirSync(join(root, folder)).filter((name) => name.endsWith('.yaml')).sort();
  const all = files.flatMap((file) => sequencesOf(readFileSync(join(root, folder, file), 'utf8'), file));
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) throw new Error(`two sequences are named ${name}`);
    names.add(name);
  }
  return all;
}

export function sequencesOf(text: string, file: string): readonly Sequence[] {
  const rows: unknown = parse(text, { intAsBigInt: true });
  if (!Array.isArray(rows)) throw new Error(`${file}: a list of sequences is expected`);
  return rows.flatMap((row: unknown, index) => {
    const record = fields(row, `${file}: sequence ${index + 1}`);
    try {
      return repeated(record).map(sequenceOf);
    } catch (error) {
      throw new Error(`${file}: ${String(record.get('name'))}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
}

/** `each: { VECTOR: [8, 13] }` writes the sequence down once for each value; the word stands for it everywhere. */
function repeated(row: ReadonlyMap<string, unknown>): readonly ReadonlyMap<string, unknown>[] {
  if (!row.has('each')) return [row];
  const [[word, values] = ['', []], ...more] = fields(row.get('each'), 'each');
  if (more.length > 0 || !/^[A-Z]+$/.test(word)) throw new Error('each has one word in capitals with its values');
  const rest = [...row].filter(([key]) => key !== 'each');
  return list(values).map((value) => new Map(rest.map(([key, part]) => [key, key === 'name' ? `${String(part)} ${show(value)}` : filled(part, word, show(value))])));
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
}

function filled(part: unknown, word: string, value: string): unknown {
  if (typeof part === 'string') return part.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), value);
  if (Array.isArray(part)) return part.map((each: unknown) => filled(each, word, value));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, each]) => [String(filled(key, word, value)), filled(each, word, value)]));
}

function sequenceOf(row: ReadonlyMap<string, unknown>): Sequence {
  only(row, ['name', 'facts', 'start', 'machine_check', 'gates', 'code', 'handlers', 'insert', 'timer']);
  const start = fields(row.get('start') ?? {}, 'start');
  const registers = new Map<string, Value>();
  const system = new Map<string, Value>();
  let mode: Sequence['mode'] = 'kernel';
  let flags: readonly string[] = [];
  for (const [key, value] of start) {
    if (key === 'mode') {
      if (value !== 'kernel' && value !== 'user') throw new Error(`mode is kernel or user, not ${String(value)}`);
      mode = value;
    } else if (key === 'flags') flags = words(value);
    else if (GENERAL_REGISTERS.includes(key)) registers.set(key, valueOf(value));
    else if (SYSTEM_NAMES.includes(key)) system.set(key, valueOf(value));
    else throw new Error(`start has no ${key}`);
  }
  return {
    name: String(row.get('name')),
    facts: list(row.get('facts')).map(String),
    mode,
    flags,
    registers,
    system,
    machineCheck: row.has('machine_check') ? machineCheckOf(fields(row.get('machine_check'), 'machine_check')) : null,
    gates: new Map([...fields(row.get('gates') ?? {}, 'gates')].map(([key, value]) => [pointNumber(key), gateOf(fields(value ?? {}, `gate ${key}`), mode)])),
    code: linesOf(row.get('code')),
    handlers: new Map([...fields(row.get('handlers') ?? {}, 'handlers')].map(([key, value]) => [pointNumber(key), linesOf(value)])),
    insert: list(row.get('insert') ?? []).map(String),
    timer: timerOf(row.get('timer') ?? {}),
  };
}

export const PLAIN_GATE: GateSpec = { type: 0xe, dpl: 0, ist: 0, present: true, selector: 0x10, offset: null };

function gateOf(row: ReadonlyMap<string, unknown>, mode: Sequence['mode']): GateSpec {
  only(row, ['type', 'dpl', 'ist', 'present', 'selector', 'offset']);
  const type = row.get('type');
  return {
    type: type === 'trap' ? 0xf : type === undefined || type === 'interrupt' ? 0xe : Number(type),
    dpl: Number(row.get('dpl') ?? (mode === 'user' ? 3 : 0)),
    ist: Number(row.get('ist') ?? 0),
    present: row.get('present') !== false,
    selector: Number(row.get('selector') ?? PLAIN_GATE.selector),
    offset: row.has('offset') ? valueOf(row.get('offset')) : null,
  };
}

function machineCheckOf(row: ReadonlyMap<string, unknown>): MachineCheck {
  only(row, ['bank', 'status', 'mcg_status', 'other', 'broadcast', 'nmi']);
  return {
    bank: Number(row.get('bank') ?? 1),
    status: valueOf(row.get('status') ?? '0xbd00000000000000'),
    global: Number(row.get('mcg_status') ?? 5),
    nmi: row.get('nmi') === true,
    other: row.get('other') === true,
    broadcast: row.get('broadcast') === true,
  };
}

/** One instruction a line; `name:` on a line of its own labels the next; `#` starts a comment. */
function linesOf(text: unknown): readonly Line[] {
  if (typeof text !== 'string') throw new Error('code is a block of lines');
  const lines: Line[] = [];
  let labels: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') continue;
    const label = /^([a-z]\w*):$/.exec(line)?.[1];
    if (label !== undefined) labels.push(label);
    else {
      lines.push({ labels, text: line });
      labels = [];
    }
  }
  if (labels.length > 0) lines.push({ labels, text: 'nop' });
  return lines;
}

/** `{ NMI: all, 0xf3: 4 }`: once something is delivered the timer would count the handler's log too, so that it ends there. */
function timerOf(value: unknown): Sequence['timer'] {
  return new Map([...fields(value, 'timer')].map(([key, count]) => [pointNumber(key), count === 'all' ? Infinity : Number(count)]));
}

function fields(value: unknown, what: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is a table`);
  return new Map(Object.entries(value));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function words(value: unknown): readonly string[] {
  return String(value).split(/\s+/).filter((word) => word !== '');
}

function valueOf(value: unknown): Value {
  if (typeof value === 'bigint' || typeof value === 'number') return `0x${value.toString(16)}`;
  if (typeof value === 'string') return value;
  throw new Error(`${String(value)} is no value`);
}

function only(row: ReadonlyMap<string, unknown>, known: readonly string[]): void {
  for (const key of row.keys()) if (!known.includes(key)) throw new Error(`there is no ${key}, only ${known.join(', ')}`);
}
