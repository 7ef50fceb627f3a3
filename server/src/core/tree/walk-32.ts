// The entry assembler of a 32-bit kernel followed path by path, from every way into it to the calls of C code and the
// returns: which segments, page table, stack and flags are in force at each step. A small machine of its own: it knows the
// registers by what they were loaded with, and words of the frame by the markers that the stubs leave in them.
import type { Place } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import { valueOf } from '../preprocess/expression.ts';
import type { AssemblerStream, ExtableRecord, InstructionItem, Operand } from '../preprocess/stream.ts';
import { VM, decide, start32, stepOf } from './machine-32.ts';
import type { Start32, State32 } from './machine-32.ts';

/** What a step does that the state decides about. */
export interface Observation32 {
  readonly kind: 'call' | 'memory' | 'copy' | 'return' | 'clear' | 'flags' | 'mode' | 'marker';
  readonly item: InstructionItem;
  /** Where the instruction is written; `used` where the stub uses the macro that it is in. */
  readonly place: Place;
  readonly used: Place | null;
  /** Where the segments are saved in front of it, and where the way back asked for what the way in left. */
  readonly saves: Place | null;
  readonly asks: Place | null;
  /** Before the step. */
  readonly state: State32;
  readonly start: Start32;
  /** The symbol that is entered. */
  readonly entry: string;
}

export interface Walk32 {
  readonly observed: readonly Observation32[];
  /** Restores of segments and returns whose fault nothing catches. */
  readonly unfixed: readonly { readonly item: InstructionItem; readonly place: Place }[];
  /** Whether any path looks at the SS of the program. */
  readonly asksEspfix: boolean;
  /** There are more paths than are followed: nothing is said of any. */
  readonly cut: boolean;
}

/** Steps of all paths together: code that has more is not of the kind that is meant. */
const MOST_STEPS = 200_000;

type Item = AssemblerStream['items'][number];

const code = /^\.(?:entry\.)?text$/;

export function walk32(stream: AssemblerStream): Walk32 {
  const { items } = stream;
  // What a header holds is told where a stub uses it.
  const placed = (item: Item): Place => (item.origin.file === stream.file ? { file: item.origin.file, span: item.origin.span } : outermost(item.origin));
  const labels = new Map<string, number>();
  items.forEach((item, at) => {
    if (item.kind === 'label') labels.set(item.name, at);
  });
  // On the processor that is meant every alternative is taken: PTI, SMAP, VERW, ESPFIX.
  const patched = new Map<number, readonly [number, number, number]>();
  for (const { original, replacement, negated } of stream.alternatives) if (!negated) patched.set(original[0], [replacement[0], replacement[1], original[1]]);
  const observed = new Map<string, Observation32>();
  const seen = new Set<string>();
  let steps = 0;

  function placeOf(at: number | null): Place | null {
    const item = at === null ? undefined : items[at];
    return item === undefined ? null : placed(item);
  }

  function see(kind: Observation32['kind'], at: number, item: InstructionItem, state: State32, start: Start32, entry: string): void {
    const key = `${kind}|${item.origin.file}|${item.origin.span.start}|${item.origin.uses.map((use) => use.span.start).join()}|${JSON.stringify({ ...state, registers: 0 })}|${start.name}`;
    if (!observed.has(key)) observed.set(key, { kind, item, place: placed(item), used: item.origin.uses.length === 0 ? null : outermost(item.origin), saves: placeOf(savesBefore(items, at)), asks: placeOf(start.how === 'nmi' ? state.cr3At : start.state.mode === 'kernel' ? state.markerAt : null), state, start, entry });
  }

  function follow(entry: string, from: number, first: State32, start: Start32): void {
    const work: [number, State32, number | null][] = [[from, first, null]];
    let jumped: number | null = null;
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      let [at, state, behind] = next;
      jumped = null;
      for (;;) {
        if (behind !== null && at >= (patched.get(behind)?.[1] ?? 0)) {
          at = patched.get(behind)?.[2] ?? items.length;
          behind = null;
        }
        const swap = behind === null ? patched.get(at) : undefined;
        if (swap !== undefined) {
          // The labels of an alternative stand at its ends: what is empty is skipped.
          behind = at;
          at = swap[0];
          continue;
        }
        const read = items[at];
        if (read === undefined || steps++ > MOST_STEPS) break;
        const item = instructionOf(read);
        if (item === null || (behind === null && !code.test(item.section))) {
          at++;
          continue;
        }
        const key = `${at}|${start.name}|${JSON.stringify(state)}`;
        if (seen.has(key)) break;
        seen.add(key);
        const target = targetOf(item, labels);
        if (item.mnemonic.startsWith('call')) see('call', at, item, state, start, entry);
        else if (/^(?:iretl?|sysexit)$/.test(item.mnemonic)) {
          // A jump to the one IRET that several ways share stands for it.
          const by: Item | undefined = jumped === null ? undefined : items[jumped];
          const jump = by === undefined ? null : instructionOf(by);
          see('return', at, jump === null ? item : { ...jump, mnemonic: item.mnemonic, text: item.text }, state, start, entry);
          break;
        } else if (item.mnemonic === 'hlt' || item.mnemonic === 'ud2' || item.mnemonic === 'ret' || item.mnemonic === 'RET') break;
        else if (item.mnemonic === 'jmp') {
          if (target === null) break;
          jumped = at;
          at = target;
          behind = null;
          continue;
        } else if (/^j[a-z]+$/.test(item.mnemonic)) {
          const { taken, falls } = decide(item.mnemonic, state);
          if (taken !== null && target !== null) work.push([target, taken, null]);
          if (falls === null) break;
          jumped = null;
          state = falls;
          at++;
          continue;
        } else observe(at, item, state, start, entry);
        jumped = null;
        state = stepOf(item, state, at);
        at++;
      }
    }
  }

  function observe(at: number, item: InstructionItem, state: State32, start: Start32, entry: string): void {
    if (item.mnemonic === 'verw') return see('clear', at, item, state, start, entry);
    if (item.mnemonic.startsWith('popf')) return see('flags', at, item, state, start, entry);
    if (/^(?:movs|stos|lods|cmps|scas)[bwl]?$/.test(item.mnemonic) && item.operands.length === 0) return see('copy', at, item, state, start, entry);
    if (marks(item)) see('marker', at, item, state, start, entry);
    if (asksMode(item, state)) see('mode', at, item, state, start, entry);
    if (item.mnemonic !== 'lea' && item.mnemonic !== 'leal' && item.operands.some(({ kind }) => kind === 'memory')) see('memory', at, item, state, start, entry);
  }

  for (const [name, at] of labels) {
    if (!/^(?:asm_(?!exc_xen)\w+|entry_(?:SYSENTER|INT80)_32)$/.test(name) || !isCode(items[at])) continue;
    for (const start of start32(name)) follow(name, at, start.state, start);
  }
  if (steps > MOST_STEPS) return { observed: [], unfixed: [], asksEspfix: false, cut: true };
  return { cut: false, observed: [...observed.values()], unfixed: unfixed(items, stream.extable), asksEspfix: [...observed.values()].some(({ state }) => state.espfixAsked) };
}

function isCode(item: Item | undefined): boolean {
  return item !== undefined && 'section' in item && code.test(item.section);
}

function instructionOf(item: Item): InstructionItem | null {
  return item.kind === 'instruction' ? item : item.kind === 'data' ? item.decoded : null;
}

function targetOf({ operands: [only] }: InstructionItem, labels: ReadonlyMap<string, number>): number | null {
  return only?.kind === 'memory' && !only.indirect && only.base === null && only.displacement?.kind === 'symbol' ? (labels.get(only.displacement.name) ?? null) : null;
}

/** A test of the privilege in a saved CS: the word itself, or a register that it was loaded into. */
function asksMode({ mnemonic, operands: [first, second] }: InstructionItem, state: State32): boolean {
  const value = immediate(first);
  if (value === null || second === undefined || (value & ~(VM | 0x403n)) !== 0n || (value & 3n) === 0n) return false;
  if (mnemonic === 'testl') return second.kind === 'memory' && second.base === 'esp';
  return mnemonic === 'andl' && second.kind === 'register' && /^(?:mode|stack segment)$/.test(state.registers[second.name] ?? '');
}

/** A marker set in the saved CS. */
function marks({ mnemonic, operands: [first, second] }: InstructionItem): boolean {
  return mnemonic === 'orl' && second?.kind === 'memory' && second.base === 'esp' && ((immediate(first) ?? 0n) & 0xf000_0000n) !== 0n;
}

/** The last save of FS in front of an instruction, in the same symbol. */
function savesBefore(items: readonly Item[], from: number): number | null {
  for (let at = from; at >= 0; at--) {
    const item = items[at];
    if (item?.kind === 'directive' && item.name === '.size') return null;
    if (item?.kind === 'instruction' && /^pushl?$/.test(item.mnemonic) && item.operands[0]?.kind === 'register' && item.operands[0].name === 'fs') return at;
  }
  return null;
}

export function immediate(operand: Operand | undefined): bigint | null {
  return operand?.kind === 'immediate' ? valueOf(operand.value) : null;
}

/** Loads of DS, ES and FS from what a program chose, and IRET with it: each may fault in the kernel. */
function unfixed(items: readonly Item[], extable: readonly ExtableRecord[]): Walk32['unfixed'] {
  if (extable.length === 0) return [];
  // Rows of three words, up to 5.16, are read as rows of two.
  const threes = extable.some(({ fault }) => fault === 'ex_handler_default');
  const caught = new Set(extable.flatMap(({ fault, fixup }) => (threes ? [fault, fixup] : [fault])));
  return items.flatMap((item, at) => {
    if (item.kind !== 'instruction' || !code.test(item.section)) return [];
    const last = item.operands.at(-1);
    const restores = last?.kind === 'register' && /^(?:ds|es|fs)$/.test(last.name) && (/^popl?$/.test(item.mnemonic) || (/^movl?$/.test(item.mnemonic) && item.operands[0]?.kind === 'memory'));
    if (!restores && !/^iretl?$/.test(item.mnemonic)) return [];
    for (let before = at - 1; before >= 0; before--) {
      const one = items[before];
      if (one === undefined || !('section' in one) || !code.test(one.section)) continue;
      if (one.kind !== 'label') break;
      if (caught.has(one.name)) return [];
    }
    return [{ item, place: { file: item.origin.file, span: item.origin.span } }];
  });
}
