// What one instruction of 32-bit entry code does to what is known of the machine, and which way a conditional jump goes.
import type { InstructionItem, Operand } from '../preprocess/stream.ts';
import { valueOf } from '../preprocess/expression.ts';

/** EFLAGS.VM, and the bit of CR3 that chooses the half of the page table. */
export const VM = 1n << 17n;
export const PAGE_TABLE = 1n << 12n;
/** Selector of the segment with a 16-bit stack. */
export const ESPFIX_SS = 26n * 8n;
/** Markers that stubs leave in the saved CS. */
const MARKERS = 0xf000_0000n;
/** Those of an entry on the entry stack. */
const ENTRY_MARKERS = 0xc000_0000n;

/** What a register holds: a constant, CR3 and of which half, a stack pointer, the saved mode, SS, or a compare with the entry stack. */
type Holds = string;

export interface State32 {
  readonly mode: 'user' | 'kernel';
  /** From here on it is clear what the interrupted code left set: DF, AC, NT, TF, and CR0.TS. */
  readonly df: boolean;
  readonly ac: boolean;
  readonly nt: boolean;
  readonly tf: boolean;
  readonly ts: boolean;
  /** Of whom the segment is. */
  readonly ds: 'user' | 'kernel';
  readonly es: 'user' | 'kernel';
  readonly fs: 'user' | 'kernel';
  readonly ss: 'flat' | 'espfix';
  readonly cr3: 'user' | 'kernel';
  readonly stack: 'entry' | 'task';
  /** Markers in the saved CS, as a number. */
  readonly markers: number;
  readonly csCut: boolean;
  readonly vmAsked: boolean;
  readonly numberGone: boolean;
  readonly espfixAsked: boolean;
  /** Back from C code. */
  readonly back: boolean;
  readonly ifCut: boolean;
  readonly flagsBack: boolean;
  readonly registers: Readonly<Record<string, Holds>>;
  /** Behind C code: where a marker, or the CR3 that was saved, was asked for last. */
  readonly markerAt: number | null;
  readonly cr3At: number | null;
  /** What the last test asked, null where it is not known. */
  readonly asked: string | null;
}

export interface Start32 {
  readonly name: string;
  readonly how: 'sysenter' | 'gate' | 'nmi' | 'task';
  readonly state: State32;
}

const clean: State32 = {
  mode: 'user', df: false, ac: false, nt: true, tf: true, ts: true, ds: 'user', es: 'user', fs: 'user', ss: 'flat', cr3: 'user', stack: 'entry', markers: 0, csCut: false, vmAsked: false,
  numberGone: false, espfixAsked: false, back: false, ifCut: false, flagsBack: false, registers: {}, markerAt: null, cr3At: null, asked: null,
};

/** The states that a stub is entered in. A gate clears NT and TF, SYSENTER does not (SDM vol. 3A, "Flag Usage By Exception- or Interrupt-Handler Procedure"). */
export function start32(symbol: string): readonly Start32[] {
  if (symbol.startsWith('entry_SYSENTER')) return [{ name: 'SYSENTER', how: 'sysenter', state: { ...clean, nt: false, tf: false, csCut: true, vmAsked: true, numberGone: true } }];
  if (symbol.startsWith('entry_INT80')) return [{ name: 'INT 0x80', how: 'gate', state: { ...clean, numberGone: true } }];
  if (symbol === 'asm_exc_double_fault') return [{ name: 'the task of #DF', how: 'task', state: { ...clean, mode: 'kernel', df: true, ac: true, nt: false, ts: false, ds: 'kernel', es: 'kernel', fs: 'kernel', cr3: 'kernel', stack: 'task', csCut: true, vmAsked: true, numberGone: true } }];
  const how = symbol === 'asm_exc_nmi' ? 'nmi' : 'gate';
  // The ESPFIX stack is used with interrupts off.
  const onEspfix = !symbol.endsWith('interrupt');
  const event: State32 = { ...clean, numberGone: how === 'nmi' };
  return [
    { name: 'user mode', how, state: event },
    { name: 'kernel mode', how, state: { ...event, mode: 'kernel', cr3: 'kernel', stack: 'task' } },
    // In front of the return to user mode, or behind SYSENTER.
    { name: 'kernel mode on the entry stack', how, state: { ...event, mode: 'kernel' } },
    ...(onEspfix ? [{ name: 'kernel mode on the ESPFIX stack', how, state: { ...event, mode: 'kernel', ss: 'espfix' } } as const] : []),
  ];
}

const value = (operand: Operand | undefined): bigint | null => (operand?.kind === 'immediate' ? valueOf(operand.value) : null);
const register = (operand: Operand | undefined): string | null => (operand?.kind === 'register' ? wide(operand.name) : null);
const wide = (name: string): string => (/^[abcd][lh]$/.test(name) ? `e${name[0] ?? ''}x` : /^(?:[abcd]x|[sd]i|[bs]p)$/.test(name) ? `e${name}` : name);
const onStack = (operand: Operand | undefined): boolean => operand?.kind === 'memory' && operand.base === 'esp';

function symbols(operand: Operand | undefined): string {
  return operand?.kind === 'memory' ? JSON.stringify(operand.displacement, (_key, one: unknown) => (typeof one === 'bigint' ? one.toString() : one)) : '';
}

/** What is loaded from memory. */
function loaded(from: Operand): Holds {
  const text = symbols(from);
  if (/entry2task_stack|top_of_stack/.test(text)) return 'stack task';
  if (/TSS_sp0/.test(text)) return 'stack entry';
  if (/PT_(?:CS|EFLAGS)/.test(text)) return 'mode';
  if (/cpu_entry_area/.test(text)) return 'area';
  return '';
}

const without = (registers: State32['registers'], ...names: readonly string[]): State32['registers'] => Object.fromEntries(Object.entries(registers).filter(([name]) => !names.includes(name)));

function holding(state: State32, name: string, held: Holds): State32 {
  if (name === 'esp') return held.startsWith('stack ') ? { ...state, stack: held === 'stack task' ? 'task' : 'entry' } : state;
  if (/^[def]s$/.test(name)) return { ...state, [name]: held === 'kernel selector' ? 'kernel' : 'user' };
  if (name === 'cr3') return held.startsWith('cr3 ') ? { ...state, cr3: held === 'cr3 user' ? 'user' : 'kernel' } : state;
  return { ...state, registers: held === '' ? without(state.registers, name) : { ...state.registers, [name]: held } };
}

function heldBy(operand: Operand | undefined, state: State32): Holds {
  const name = register(operand);
  if (name === 'esp') return `stack ${state.stack}`;
  if (name === 'cr3') return `cr3 ${state.cr3}`;
  if (name === 'ss') return 'ss';
  if (name !== null) return state.registers[name] ?? '';
  if (operand?.kind === 'immediate') return value(operand) === null ? '' : 'kernel selector';
  return operand?.kind === 'memory' ? loaded(operand) : '';
}

/** Without the suffix that tells the size. */
const plain = (mnemonic: string): string => /^(pushf?|popf?|mov|or|xor|and|btr|test|cmp|add|sub|shr|shl|lea)[lwb]?$/.exec(mnemonic)?.[1] ?? mnemonic;

/** State behind an instruction that goes on to the next. */
export function stepOf(item: InstructionItem, state: State32, at: number): State32 {
  const { mnemonic, operands: [first, second] } = item;
  const to = register(second ?? first);
  switch (plain(mnemonic)) {
    case 'cld':
      return { ...state, df: true };
    case 'clac':
      return { ...state, ac: true };
    case 'clts':
      return { ...state, ts: true };
    case 'call':
      return { ...state, back: true, asked: null, registers: without(state.registers, 'eax', 'ecx', 'edx') };
    case 'push':
      return { ...state, registers: value(first) === null ? without(state.registers, 'top') : { ...state.registers, top: 'flags' } };
    case 'popf':
      return state.registers['top'] === 'flags' ? { ...state, df: true, ac: true, nt: true, tf: true, registers: without(state.registers, 'top') } : { ...state, flagsBack: state.back };
    case 'pop': {
      const popped = { ...state, registers: without(state.registers, 'top') };
      return to === null ? popped : /^[def]s$/.test(to) ? { ...popped, [to]: 'user' } : holding(popped, to, '');
    }
    case 'mov':
      if (to === null) return onStack(second) && value(first) !== null && symbols(second).includes('ORIG_EAX') ? { ...state, numberGone: true } : state;
      if (symbols(first).includes('PT_OLDSS')) return { ...holding(state, to, 'stack segment'), espfixAsked: true };
      // A byte of the frame joins what the register holds of it.
      return holding(state, to, mnemonic === 'movb' && (heldBy(first, state) !== 'mode' || state.registers[to] === 'stack segment') ? (state.registers[to] ?? '') : heldBy(first, state));
    case 'or':
    case 'xor':
    case 'and':
      return bits(item, state);
    case 'btr':
      return onStack(second) && value(first) === 9n ? { ...state, ifCut: true } : state;
    case 'lss':
      return { ...state, ss: state.ss === 'flat' ? 'espfix' : 'flat' };
    case 'test':
    case 'cmp':
      return asking(question(item, state), item, state, at);
    case 'lea':
      return to === null || to === 'esp' ? state : holding(state, to, '');
    case 'add':
    case 'sub':
    case 'shr':
    case 'shl':
      if (to === null || to === 'esp') return { ...state, asked: null };
      if (heldBy(second, state) === 'area' && heldBy(first, state).startsWith('stack ')) return { ...holding(state, to, 'from entry stack'), asked: null };
      return /^(?:stack|area)/.test(heldBy(second, state)) ? { ...state, asked: null } : { ...holding(state, to, ''), asked: null };
    default:
      return state;
  }
}

/** A test, and where the way back asks what the way in left. */
function asking(asked: string | null, { operands }: InstructionItem, state: State32, at: number): State32 {
  const [, second] = operands;
  const known = state.back && (asked ?? '').startsWith('bits ');
  return { ...state, asked, markerAt: known && second?.kind === 'memory' && ((value(operands[0]) ?? 0n) & ENTRY_MARKERS) !== 0n ? at : state.markerAt, cr3At: known && second?.kind === 'register' ? at : state.cr3At };
}

/** AND, OR and XOR: halves of the page table, markers, and words that are cut. */
function bits({ mnemonic, operands: [first, second] }: InstructionItem, state: State32): State32 {
  const by = value(first);
  const name = register(second);
  const next = { ...state, asked: null };
  if (name !== null) {
    const held = state.registers[name] ?? '';
    if (by !== null && held.startsWith('cr3 ')) {
      if (mnemonic === 'orl' && (by & PAGE_TABLE) !== 0n) return holding(next, name, 'cr3 user');
      if (mnemonic === 'andl' && (by & PAGE_TABLE) === 0n) return holding(next, name, 'cr3 kernel');
    }
    return held === 'mode' || held === 'stack segment' || held.startsWith('stack ') ? next : holding(next, name, '');
  }
  if (by === null || !onStack(second)) return next;
  const low = BigInt.asUintN(32, by);
  if (symbols(second).includes('ORIG_EAX') && low === 0xffff_ffffn) return { ...next, numberGone: true };
  if (mnemonic === 'andl' && low === 0xffffn) return { ...next, csCut: true, markers: 0 };
  if (mnemonic === 'andl' && (low & 0xffffn) === 0xffffn && low > 0xffffn) return { ...next, markers: Number(BigInt(state.markers) & low & MARKERS) };
  if (mnemonic === 'orl' && (low & MARKERS) !== 0n) return { ...next, markers: Number(BigInt(state.markers) | (low & MARKERS)) };
  if (mnemonic === 'xorl' && (low & MARKERS) !== 0n) return { ...next, markers: Number(BigInt(state.markers) ^ (low & MARKERS)) };
  return next;
}

/** What a test asks, as `topic answer` where the answer is known: `zero` or `not`. */
function question({ mnemonic, operands: [first, second] }: InstructionItem, state: State32): string | null {
  const by = value(first);
  const name = register(second);
  if (mnemonic.startsWith('cmp')) {
    if (name !== null && state.registers[name] === 'ss' && by === ESPFIX_SS) return `ss ${state.ss}`;
    if (name !== null && state.registers[name] === 'mode' && by === 3n) return 'mode';
    if (name !== null && state.registers[name] === 'from entry stack') return `entry ${state.stack}`;
    if (name !== null && state.registers[name] === 'stack segment') return state.mode === 'kernel' ? 'segment flat' : 'segment';
    return null;
  }
  if (by === null) return null;
  if (name !== null && (state.registers[name] ?? '').startsWith('cr3 ')) return (by & PAGE_TABLE) !== 0n ? `bits ${state.registers[name] === 'cr3 user' ? 'set' : 'clear'}` : null;
  if (second?.kind !== 'memory') return null;
  if (by === VM) return state.mode === 'kernel' ? 'vm bits clear' : 'vm';
  if ((by & MARKERS) !== 0n && (by & ~MARKERS) === 0n) return `bits ${(BigInt(state.markers) & by) !== 0n ? 'set' : 'clear'}`;
  if (by === 2n || by === 3n) return `bits ${state.mode === 'user' ? 'set' : 'clear'}`;
  if (symbols(second).includes('EFLAGS')) return `flags ${by.toString()}`;
  return null;
}

/** The states on both ways; null where the way is not taken. */
export function decide(mnemonic: string, state: State32): { readonly taken: State32 | null; readonly falls: State32 | null } {
  const both = { taken: state, falls: state };
  const only = (taken: boolean): { readonly taken: State32 | null; readonly falls: State32 | null } => (taken ? { taken: state, falls: null } : { taken: null, falls: state });
  const asked = state.asked ?? '';
  const zero = /^j(?:z|e)$/.test(mnemonic);
  if (!zero && !/^jn(?:z|e)$/.test(mnemonic)) {
    if (asked === 'mode') return /^j(?:nb|ae|nc)$/.test(mnemonic) ? only(state.mode === 'user') : /^j(?:b|c|nae)$/.test(mnemonic) ? only(state.mode === 'kernel') : both;
    if (asked.startsWith('entry ')) return /^j(?:nb|ae)$/.test(mnemonic) ? only(asked === 'entry task') : /^jb$/.test(mnemonic) ? only(asked === 'entry entry') : both;
    return both;
  }
  if (asked.startsWith('ss ')) return only((asked === 'ss espfix') === zero);
  if (asked === 'segment flat') return only(!zero);
  if (asked === 'vm bits clear') return { taken: zero ? { ...state, vmAsked: true } : null, falls: zero ? null : { ...state, vmAsked: true } };
  if (asked === 'vm') return { taken: { ...state, vmAsked: true }, falls: { ...state, vmAsked: true } };
  if (asked === 'bits set') return only(!zero);
  if (asked === 'bits clear') return only(zero);
  if (asked.startsWith('flags ')) {
    const bits = BigInt(asked.slice(6));
    const none: State32 = { ...state, nt: state.nt || (bits & (1n << 14n)) !== 0n, ac: state.ac || (bits & (1n << 18n)) !== 0n, tf: state.tf || (bits & (1n << 8n)) !== 0n };
    return zero ? { taken: none, falls: state } : { taken: state, falls: none };
  }
  return both;
}
