// Which vector enters a stub or a handler where no table and no annotation says: by the names that Linux gives its entry
// points, and that people give theirs in a mail. What is taken from a name is an assumption, and is told as one.
import { vectorByName, vectorByNumber } from '../machine/vectors.ts';
import type { AssemblerStream } from '../preprocess/stream.ts';
import type { CFunction, CSource } from './c-source.ts';
import { NESTING_SAFE_NMI_STACK } from './abstract.ts';
import { isFunctionLabel } from './link-assembler.ts';
import type { Names } from './link-assembler.ts';
import type { GateRow } from './gates.ts';
import type { ProgramUnknown, StackByName } from './unknown.ts';

/** The word of Linux's names for each vector, with `exc_`, `asm_exc_`, `do_` or nothing in front (arch/x86/include/asm/idtentry.h). */
const LINUX_WORDS: ReadonlyMap<string, string> = new Map([
  ['divide_error', 'DE'], ['debug', 'DB'], ['nmi', 'NMI'], ['int3', 'BP'], ['overflow', 'OF'], ['bounds', 'BR'], ['invalid_op', 'UD'], ['device_not_available', 'NM'],
  ['double_fault', 'DF'], ['invalid_tss', 'TS'], ['segment_not_present', 'NP'], ['stack_segment', 'SS'], ['general_protection', 'GP'], ['page_fault', 'PF'],
  ['coprocessor_error', 'MF'], ['alignment_check', 'AC'], ['machine_check', 'MC'], ['simd_coprocessor_error', 'XF'], ['virtualization_exception', 'VE'],
  ['control_protection', 'CP'], ['hv_injection', 'HV'], ['vmm_communication', 'VC'],
  // Mnemonics that mean nothing else.
  ['ve', 'VE'], ['vc', 'VC'], ['mce', 'MC'], ['mc', 'MC'], ['db', 'DB'], ['df', 'DF'], ['pf', 'PF'], ['gp', 'GP'], ['ud', 'UD'], ['bp', 'BP'],
]);

const NAME = /^(?:kernel_|noist_|user_)?(?:asm_|entry_)?(?:exc_|do_|handle_)?(\w+?)(?:_entry|_stub|_handler|_asm|_c)?(?:_kernel|_user)?$/i;
/** The half of a handler that is called for events from one mode (arch/x86/include/asm/idtentry.h, arch/x86/kernel/traps.c). */
const KERNEL_HALF = /^kernel_exc_|^exc_\w+_kernel$/;
const USER_HALF = /^(?:user|noist)_exc_|^exc_\w+_user$/;
/** Words that are names of their own too: alone they say nothing. */
const BARE: ReadonlySet<string> = new Set(['debug', 'overflow', 'bounds', 've', 'vc', 'mc', 'mce', 'db', 'df', 'pf', 'gp', 'ud', 'bp']);

/** Linux's IST stacks (arch/x86/kernel/idt.c): those of these vectors, and of a handler whose macro says so. */
export const LINUX_IST: ReadonlyMap<number, string> = new Map([[1, 'DB'], [2, 'NMI'], [8, 'DF'], [18, 'MCE'], [29, 'VC']]);
const IST_MACRO = /^DEFINE_IDTENTRY_(?:IST|NMI|DF|MCE|DEBUG|VC_KERNEL)$/;

/** The stub of INT 0x80, by which 32-bit programs make system calls (arch/x86/entry/entry_64_compat.S), not that of a 32-bit kernel. */
const INT80 = /^(?:asm_|entry_)?int(?:_?0x)?80(?:_(?!32$)\w+)?$/i;

/** The mode whose events alone a function of this name handles; null for any. */
export function originOfName(name: string): 'user' | 'kernel' | null {
  return KERNEL_HALF.test(name) ? 'kernel' : USER_HALF.test(name) ? 'user' : null;
}

/** Vector that a name stands for, or null. */
export function vectorOfName(name: string): number | null {
  const word = NAME.exec(name)?.[1]?.toLowerCase();
  if (word === undefined || (word === name.toLowerCase() && BARE.has(word))) return null;
  const short = LINUX_WORDS.get(word);
  return short === undefined ? null : (vectorByName(short)?.number ?? null);
}

interface Sources {
  readonly streams: readonly AssemblerStream[];
  readonly sources: readonly CSource[];
}

/** Adds rows for the vectors that nothing declares. Where a table is in view it says what there is. */
export function addConventional(rows: Map<number, GateRow>, parts: Sources, names: Names): void {
  if (parts.sources.some((source) => source.idtRows.length > 0)) return;
  const taken = new Set([...rows.values()].flatMap((row) => [row.stub, row.function].filter((one): one is string => one !== null)));
  const stubs = parts.streams.filter((stream) => !is32Bit(stream)).flatMap((stream) => returning(stream)).filter((name) => !taken.has(name));
  const called = partsOfOthers(parts.sources.flatMap((source) => source.functions).flatMap(({ name, operations }) => operations.flatMap(({ operation }) => (operation.kind === 'call' ? [[name, operation.name] as const] : []))));
  const functions = parts.sources.flatMap((source) => source.functions).filter((one) => !taken.has(one.name) && takesFrame(one) && originOfName(one.name) !== 'user' && !called.has(one.name)).sort((a, b) => rankOf(a.name) - rankOf(b.name));
  const declared = new Set(rows.keys());
  for (const { macro, vector: word, function: name } of parts.sources.flatMap((source) => source.declaredEntries)) {
    const known = vectorByName(word);
    if (known === null || declared.has(known.number) || rows.has(known.number)) continue;
    const stub = names.label(`asm_${name}`) === null ? null : `asm_${name}`;
    rows.set(known.number, rowOf(known.number, stub, name, /_(?:IST|NMI|DF|MCE|DEBUG|VC)$/.test(macro) ? (LINUX_IST.get(known.number) ?? known.name) : null));
  }
  for (const name of stubs) {
    const vector = vectorOfName(name) ?? (INT80.test(name) ? 0x80 : null);
    if (vector === null || declared.has(vector) || rows.has(vector)) continue;
    rows.set(vector, rowOf(vector, name, null, LINUX_IST.get(vector) ?? null));
  }
  for (const one of functions) {
    const vector = vectorOfName(one.name);
    if (vector === null || declared.has(vector)) continue;
    const before = rows.get(vector);
    if (before?.function !== null && before !== undefined) continue;
    const stub = before?.stub ?? (names.label(`asm_${one.name}`) === null ? null : `asm_${one.name}`);
    const ist = LINUX_IST.get(vector) ?? (one.definedBy !== null && IST_MACRO.test(one.definedBy) ? (vectorByNumber(vector)?.name ?? null) : null);
    // A stub that calls other code for this vector keeps it.
    if (before === undefined) rows.set(vector, rowOf(vector, stub, one.name, ist));
    else if (ist !== null && before.ist.value === null) rows.set(vector, { ...before, ist: { value: ist, place: null, from: 'assumption' } });
  }
}

/** The functions that another one with a name of the same vector calls: that one is the handler. */
export function partsOfOthers(calls: Iterable<readonly [caller: string, callee: string]>): ReadonlySet<string> {
  const parts = new Set<string>();
  for (const [caller, callee] of calls) {
    const vector = caller === callee ? null : vectorOfName(caller);
    if (vector !== null && vectorOfName(callee) === vector) parts.add(callee);
  }
  return parts;
}

/** Of names that mean the same vector the one that Linux's gates lead to. */
function rankOf(name: string): number {
  return name.startsWith('exc_') ? 0 : name.startsWith('do_') ? 1 : 2;
}

function rowOf(vector: number, stub: string | null, handler: string | null, ist: string | null): GateRow {
  const known = vectorByNumber(vector);
  // #BP and #OF are the exceptions that user mode may raise by an instruction (IDT-05).
  return { vector, name: known?.name ?? (vector === 0x80 ? 'INT 0x80' : ''), stub, function: handler, ist: { value: ist, place: null, from: 'assumption' }, dpl: vector === 3 || vector === 4 || vector === 0x80 ? 3 : 0, errorCode: known?.errorCode === true, place: null, byName: true };
}

/** What is told of a gate that a name stands for. */
export function conventionOf({ name, stub, function: handler, ist }: Pick<GateRow, 'name' | 'stub' | 'function' | 'ist'>): ProgramUnknown {
  const event = vectorByName(name)?.mnemonic ?? name;
  const stack: StackByName = ist.value === null ? { kind: 'none' } : ist.value === NESTING_SAFE_NMI_STACK ? { kind: 'nesting-safe' } : { kind: 'ist', name: ist.value };
  return { kind: 'by-name', name: stub ?? handler ?? '', code: stub === null ? 'handler' : 'stub', event, stack };
}

/** Whether code is that of a 32-bit kernel: PUSH and POP of 32 bits do not exist in 64-bit mode (SDM vol. 2, "PUSH"). */
export function is32Bit(stream: AssemblerStream): boolean {
  return stream.items.some((item) => item.kind === 'instruction' && /^(?:push|pop)(?:l|al?|fl)$/.test(item.mnemonic));
}

/** Labels whose own code, up to the next one, returns from an event or jumps away and not back. */
function returning(stream: AssemblerStream): readonly string[] {
  const out: string[] = [];
  let current: string[] = [];
  let plain = true;
  /** Whether the code before goes on somewhere else: what it falls into is a part of it. */
  let left = true;
  for (const item of stream.items) {
    if (item.kind === 'label' && isFunctionLabel(item.name)) {
      if (plain || !left) current.push(item.name);
      else current = [item.name];
      plain = true;
    } else if (item.kind === 'instruction') {
      plain = false;
      left = /^(?:jmp|ret|iret|eret|sysret|ud2|hlt)/.test(item.mnemonic);
      // Linux's own name is enough, whatever the sketch shows of the way back.
      const own = current.at(-1);
      if (own?.startsWith('asm_exc_') === true && item.mnemonic.startsWith('call') && vectorOfName(own) !== null) out.push(own);
      if (/^(?:iretq?|eretu|erets)$/.test(item.mnemonic)) out.push(...current.splice(0));
      else if (item.mnemonic.startsWith('jmp') && item.operands[0]?.kind === 'memory' && item.operands[0].displacement?.kind === 'symbol' && isFunctionLabel(item.operands[0].displacement.name)) out.push(...current.splice(0));
    }
  }
  return [...new Set(out)];
}

/** Whether a C function is entered with the frame: `struct pt_regs *` first, or one of Linux's defining macros. */
function takesFrame(one: CFunction): boolean {
  return (one.definedBy?.startsWith('DEFINE_IDTENTRY') ?? false) || /\bpt_regs\b/.test(one.parameters[0]?.type ?? '');
}
