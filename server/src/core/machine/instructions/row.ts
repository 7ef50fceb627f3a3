// What an instruction row is, and how rows read and write operands. One row per mnemonic family member.
import { carriedFrom, carriedRegister, carryToMemory, carryToRegister, lookedAt } from '../carry.ts';
import type { Carried } from '../carry.ts';
import type { AccessSize, InstructionNode, MachineOperand } from '../code.ts';
import type { MachineSetup } from '../config.ts';
import { processorOf } from '../config.ts';
import { changeCpu, load, noteAccess, register, setRegister, stackPointer, store, setArithmeticFlags } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { noteStackSwitch } from '../frames.ts';
import { nameAddress, stackOf } from '../layout.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { RSP } from '../registers.ts';
import { AF, CF, OF, PF, SF, ZF } from '../state.ts';
import type { Cpu } from '../state.ts';
import { add, ALL, and, constant, extractBytes, insertBytes, isConstant, mask, opaque, or, shiftLeft, show, SIGN, truncate, UNKNOWN, ZERO } from '../word.ts';
import type { Word } from '../word.ts';

export interface Execution {
  readonly draft: Draft;
  readonly setup: MachineSetup;
  readonly node: InstructionNode;
  /** Operation size from the suffix or the operands. */
  readonly size: AccessSize;
  /** What blocked events when the instruction began. */
  readonly shadow: Cpu['shadow'];
}

export interface Example {
  /** The instruction as written in AT&T syntax. */
  readonly code: string;
  /** Registers and flags before, by name: `{ rax: 1n, DF: 1n }`. */
  readonly given: Readonly<Record<string, bigint>>;
  readonly then: Readonly<Record<string, bigint>>;
}

export interface InstructionRow {
  readonly mnemonic: string;
  /** A `b`, `w`, `l` or `q` may follow. */
  readonly suffixed: boolean;
  readonly summary: string;
  /** Manual section title, SDM vol. 2 unless said otherwise. */
  readonly section: string;
  /** Vectors the instruction itself may raise beyond those of its memory operands, by name. */
  readonly faults: readonly string[];
  /** What it checks before it does anything, in the order of the manual, beyond its memory operands. */
  readonly check?: (x: Execution) => readonly PossibleFault[];
  /** The same for its forms with a segment, control or debug register, where only those check anything. */
  readonly checkSystem?: (x: Execution) => readonly PossibleFault[];
  /** Whose TF makes it trap (DB-02 to DB-04); by the flag before where it is left out. */
  readonly singleStep?: 'by the flag before' | 'by the flag behind' | 'never';
  /** What it does to the stack by itself. */
  readonly stack?: 'push' | 'pop';
  readonly run: (x: Execution) => readonly Draft[];
  readonly examples: readonly Example[];
}

/** Moves on to the next instruction. */
export function proceed(x: Execution): readonly Draft[] {
  return goTo(x.draft, x.node.next, 'the code ends here');
}

export function goTo(draft: Draft, node: number | null, why: string): readonly Draft[] {
  if (node === null) {
    draft.effects.push({ kind: 'unknown', what: why });
    draft.ended = 'left-code';
  } else draft.node = node;
  return [draft];
}

/** Linear address of a memory operand; unknown or opaque where a base register is. */
export function effectiveAddress(draft: Draft, operand: MachineOperand & { kind: 'memory' }): Word {
  let address = constant(operand.displacement);
  if (operand.base !== null) address = add(register(draft, operand.base), address);
  if (operand.index !== null) address = add(address, shiftLeft(register(draft, operand.index), Math.log2(operand.scale)));
  return address;
}

export function linearAddress(draft: Draft, operand: MachineOperand & { kind: 'memory' }): Word {
  const offset = effectiveAddress(draft, operand);
  return operand.segment === 'gs' ? add(draft.cpu.gsBase, offset) : operand.segment === 'fs' ? UNKNOWN : offset;
}

export function read(x: Execution, operand: MachineOperand | undefined, size: AccessSize = x.size): Word {
  if (operand === undefined) return UNKNOWN;
  switch (operand.kind) {
    case 'register': {
      const whole = register(x.draft, operand.register);
      return operand.high ? extractBytes(whole, 1, 1) : truncate(whole, operand.size);
    }
    case 'system-register':
      return readSystem(x.draft, operand.name);
    case 'immediate':
      return truncate(constant(operand.value), size);
    case 'memory': {
      const address = linearAddress(x.draft, operand);
      if (!isConstant(address)) return UNKNOWN;
      noteAccess(x.draft, address.value, size, false);
      return load(x.draft, x.setup, address.value, size);
    }
  }
}

/** Value of a segment, control or debug register; unknown for those whose value nothing here depends on. */
export function readSystem(draft: Draft, name: string): Word {
  switch (name) {
    case 'cs':
    case 'ss':
    case 'cr2':
    case 'cr3':
    case 'dr6':
    case 'dr7':
      return draft.cpu[name];
    case 'dr0':
    case 'dr1':
    case 'dr2':
    case 'dr3':
      return draft.cpu.breakpoints[Number(name[2])] ?? UNKNOWN;
    case 'ds':
    case 'es':
    case 'fs':
    case 'gs':
      return SELECTOR;
    default:
      return UNKNOWN;
  }
}

/** A selector has 16 bits. */
const SELECTOR = truncate(UNKNOWN, 2);

/** Bits that read as they were before: reserved ones are fixed (SDM vol. 3B, "Debug Registers"). */
const DR6_OPEN = 0xe00fn;
const DR6_ONES = 0xffff_0ff0n;
const DR7_ONES = 0x400n;
const DR7_ZEROS = 0xffff_ffff_0000_d000n;

function writeSystem(x: Execution, name: string, value: Word): void {
  const { draft } = x;
  switch (name) {
    case 'dr0':
    case 'dr1':
    case 'dr2':
    case 'dr3':
      changeCpu(draft, { breakpoints: draft.cpu.breakpoints.map((one, index) => (index === Number(name[2]) ? value : one)) });
      return;
    case 'cr2':
      changeCpu(draft, { cr2: value });
      return;
    case 'cr3':
      // CR3-01: the no-flush bit is no part of the register.
      changeCpu(draft, { cr3: and(value, constant(~SIGN)) });
      return;
    case 'dr6':
      changeCpu(draft, { dr6: or(and(value, constant(DR6_OPEN)), constant(DR6_ONES)) });
      return;
    case 'dr7':
      changeCpu(draft, { dr7: or(and(value, constant(~DR7_ZEROS)), constant(DR7_ONES)) });
      return;
    case 'ss':
      changeCpu(draft, { ss: truncate(value, 2), shadow: x.shadow === 'none' || processorOf(x.setup).choices.shadowsAddUp ? 'movss' : 'none' });
      return;
    case 'gs':
      // The base of the descriptor, 32 bits; whose it is the selector says.
      changeCpu(draft, { gsBase: isConstant(value) && (value.value & 0xfffcn) === 0n ? ZERO : opaque(`base of GS ${show(truncate(value, 2))}`, ~0xffff_ffffn & ALL, 0n) });
      return;
    default:
      return;
  }
}

export function write(x: Execution, operand: MachineOperand | undefined, value: Word, size: AccessSize = x.size): void {
  if (operand === undefined) return;
  switch (operand.kind) {
    case 'register': {
      if (operand.register === RSP && operand.size === 8) {
        setStackPointer(x.draft, x.setup, value);
        return;
      }
      const before = register(x.draft, operand.register);
      if (operand.size === 8 || operand.size === 4) setRegister(x.draft, operand.register, truncate(value, operand.size));
      else setRegister(x.draft, operand.register, insertBytes(before, operand.high ? 1 : 0, operand.size, value));
      return;
    }
    case 'memory': {
      const address = linearAddress(x.draft, operand);
      if (!isConstant(address)) return;
      noteAccess(x.draft, address.value, size, true);
      if (store(x.draft, x.setup, address.value, size, value) && stackOf(x.setup.layout, address.value + 1n) === null) {
        x.draft.effects.push({ kind: 'store', address: nameAddress(x.setup.layout, address.value), value: isConstant(value) ? value.value.toString() : '?' });
      }
      return;
    }
    case 'system-register':
      writeSystem(x, operand.name, value);
      return;
    case 'immediate':
      return;
  }
}

/** A whole register or word of memory that goes elsewhere as it is, or null for operands that are looked at. */
export function carried(x: Execution, operand: MachineOperand | undefined): Carried | null {
  if (operand?.kind === 'register' && operand.size === 8) return carriedRegister(x.draft, operand.register);
  if (operand?.kind !== 'memory' || x.size !== 8) return null;
  const address = linearAddress(x.draft, operand);
  if (!isConstant(address)) return null;
  noteAccess(x.draft, address.value, 8, false);
  return carriedFrom(x.draft, x.setup, address.value);
}

/** Writes a word to where it goes: looked at only where what is written there counts. */
export function carryTo(x: Execution, operand: MachineOperand | undefined, value: Carried): void {
  if (operand?.kind === 'register' && operand.size === 8 && operand.register !== RSP) {
    carryToRegister(x.draft, operand.register, value);
    return;
  }
  const address = operand?.kind === 'memory' && x.size === 8 ? linearAddress(x.draft, operand) : null;
  if (address === null || !isConstant(address) || stackOf(x.setup.layout, address.value + 1n) === null) {
    write(x, operand, lookedAt(x.draft, value), 8);
    return;
  }
  noteAccess(x.draft, address.value, 8, true);
  carryToMemory(x.draft, x.setup, address.value, value);
}

/** Loads RSP; tells where the stack changed. */
export function setStackPointer(draft: Draft, setup: MachineSetup, value: Word): void {
  const before = stackPointer(draft);
  const from = before === null ? null : stackOf(setup.layout, before);
  setRegister(draft, RSP, value);
  noteStackSwitch(draft, setup, from, value);
}

/** Flags that the operands decide although the result is not known. */
export interface Decided {
  readonly zero: boolean | null;
  readonly sign: boolean | null;
  readonly adjust: boolean | null;
}

const NOTHING_DECIDED: Decided = { zero: null, sign: null, adjust: null };

/** Arithmetic flags of a result; carry and overflow are given, null where unknown. */
export function setResultFlags(x: Execution, result: Word, carry: boolean | null, overflow: boolean | null, decided: Decided = NOTHING_DECIDED): void {
  const low = mask(x.size);
  const top = 1n << BigInt(x.size * 8 - 1);
  let known = 0n;
  let bits = 0n;
  const set = (flag: bigint, on: boolean | null): void => {
    if (on === null) return;
    known |= flag;
    if (on) bits |= flag;
  };
  set(ZF, (result.value & low) !== 0n ? false : (result.known & low) === low ? true : decided.zero);
  set(SF, (result.known & top) === 0n ? decided.sign : (result.value & top) !== 0n);
  set(CF, carry);
  set(OF, overflow);
  set(AF, decided.adjust);
  set(PF, (result.known & 0xffn) === 0xffn ? parity(result.value & 0xffn) : null);
  setArithmeticFlags(x.draft, known, bits);
}

function parity(low: bigint): boolean {
  let count = 0;
  for (let bit = 0n; bit < 8n; bit += 1n) if ((low >> bit) & 1n) count += 1;
  return count % 2 === 0;
}

/** Value of one flag, or null where it is unknown. */
export function flag(draft: Draft, bit: bigint): boolean | null {
  if ((draft.flags.known & bit) === 0n) return null;
  return (draft.flags.value & bit) !== 0n;
}
