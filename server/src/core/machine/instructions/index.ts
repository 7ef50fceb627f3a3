// The list of instruction rows, and the row and size that a mnemonic with its suffix means.
import type { AccessSize, InstructionNode, MachineOperand } from '../code.ts';
import { RDI, RSI } from '../registers.ts';
import { ARITHMETIC_ROWS } from './arithmetic.ts';
import { CONTROL_ROWS } from './control.ts';
import { DATA_ROWS } from './data.ts';
import { DESCRIPTOR_ROWS } from './descriptors.ts';
import { DIVISION_ROWS } from './division.ts';
import { FAR_RETURN_ROWS } from './far-returns.ts';
import { INTERRUPT_ROWS } from './interrupts.ts';
import { RETURN_ROWS } from './returns.ts';
import type { InstructionRow } from './row.ts';
import { SYSCALL_ROWS } from './syscalls.ts';
import { SYSTEM_ROWS } from './system.ts';
import { VIRTUAL_ROWS } from './virtual.ts';

export const INSTRUCTION_ROWS: readonly InstructionRow[] = [...DATA_ROWS, ...ARITHMETIC_ROWS, ...DIVISION_ROWS, ...CONTROL_ROWS, ...SYSTEM_ROWS, ...DESCRIPTOR_ROWS, ...INTERRUPT_ROWS, ...SYSCALL_ROWS, ...VIRTUAL_ROWS, ...FAR_RETURN_ROWS, ...RETURN_ROWS];

const rows = new Map(INSTRUCTION_ROWS.map((row) => [row.mnemonic, row]));
const SUFFIX: Readonly<Record<string, AccessSize>> = { b: 1, w: 2, l: 4, q: 8 };

export interface Meaning {
  readonly row: InstructionRow;
  /** Size from the suffix, null where the operands decide. */
  readonly size: AccessSize | null;
}

/** What a node means, worked out once. */
export interface Decoded {
  readonly row: InstructionRow | null;
  readonly size: AccessSize;
  /** Memory operands that the instruction accesses, the last of them written where it writes. */
  readonly memory: readonly (MachineOperand & { readonly kind: 'memory' })[];
  readonly writes: boolean;
  readonly check: InstructionRow['check'] | null;
}

const decoded = new WeakMap<InstructionNode, Decoded>();

export function decode(node: InstructionNode): Decoded {
  const known = decoded.get(node);
  if (known !== undefined) return known;
  const meaning = meaningOf(node.mnemonic, node.operands);
  const accesses = /^(lea|nop|prefetch)/.test(node.mnemonic) ? [] : [...stringOperands(node), ...node.operands.filter((operand) => operand.kind === 'memory')];
  const row = meaning?.row ?? null;
  const system = node.operands.some((operand) => operand.kind === 'system-register');
  const fresh: Decoded = {
    row,
    check: row?.check ?? (system ? row?.checkSystem : null) ?? null,
    size: meaning === null ? 8 : sizeOf(node, meaning),
    memory: accesses,
    writes: (node.operands.length === 0 || node.operands.at(-1)?.kind === 'memory') && !/^(cmp|test|bt[bwlq]?$|push|call|jmp|verw|l[gil]dt|ltr)/.test(node.mnemonic),
  };
  decoded.set(node, fresh);
  return fresh;
}

const addressedBy = (base: number): MachineOperand & { readonly kind: 'memory' } => ({ kind: 'memory', segment: null, displacement: 0n, base, index: null, scale: 1 });

/** What a string instruction accesses first: its operands are not written. */
function stringOperands(node: InstructionNode): readonly (MachineOperand & { readonly kind: 'memory' })[] {
  if (node.operands.length > 0) return [];
  if (/^movs[bwlq]?$/.test(node.mnemonic)) return [addressedBy(RSI), addressedBy(RDI)];
  return /^stos[bwlq]?$/.test(node.mnemonic) ? [addressedBy(RDI)] : [];
}

/** The row of a mnemonic as written, or null: an instruction without a row is opaque, loudly. */
export function meaningOf(mnemonic: string, operands: readonly MachineOperand[] = []): Meaning | null {
  if (/^movs[bwlq]?$/.test(mnemonic) && operands.length === 2) {
    const row = rows.get(mnemonic === 'movs' || mnemonic === 'movsl' || mnemonic === 'movsq' ? 'movsb' : mnemonic);
    if (row !== undefined) return { row, size: null };
  }
  if (/^movs[bwlq]$/.test(mnemonic)) {
    const row = rows.get('movs');
    if (row !== undefined) return { row, size: SUFFIX[mnemonic.slice(-1)] ?? 8 };
  }
  const exact = rows.get(mnemonic);
  if (exact !== undefined) return { row: exact, size: null };
  const size = SUFFIX[mnemonic.slice(-1)];
  const stem = rows.get(mnemonic.slice(0, -1));
  return size !== undefined && stem?.suffixed === true ? { row: stem, size } : null;
}

/** Operation size: the suffix, else the last register operand, else 8. */
export function sizeOf(node: InstructionNode, meaning: Meaning): AccessSize {
  if (meaning.size !== null) return meaning.size;
  for (let index = node.operands.length - 1; index >= 0; index -= 1) {
    const operand = node.operands[index];
    if (operand?.kind === 'register') return operand.size;
  }
  return 8;
}
