// Names that the sequences, the image and the recordings share: vectors and other entry points, registers, flags.
import * as flags from '../../core/machine/state.ts';
import { vectorByName, vectorByNumber } from '../../core/machine/vectors.ts';

/** In the order of the image's `struct variant`; RSP is apart. */
export const GENERAL_REGISTERS: readonly string[] = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];

/** What a sequence may start with beyond general registers and flags. */
export const SYSTEM_NAMES: readonly string[] = [
  'star', 'lstar', 'fmask', 'gs_base', 'kernel_gs_base', 'cr2', 'cr4', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7',
  'rsp0', 'ist1', 'ist2', 'ist3', 'ist4', 'ist5', 'ist6', 'mcg_status',
];

/** Entry points beyond the vectors, as layout.h numbers them. */
export const POINTS = { syscall: 0x100, note: 0x101, exit: 0x102, runaway: 0x103, shutdown: 0x104 } as const;

const pointNames = new Map<number, string>(Object.entries(POINTS).map(([name, number]) => [number, name]));

/** `NMI`, `DB`, `0xf3`, `syscall`. */
export function pointName(point: number): string {
  return pointNames.get(point) ?? vectorByNumber(point)?.name ?? `0x${point.toString(16)}`;
}

export function pointNumber(name: string): number {
  const other = [...pointNames].find(([, known]) => known === name);
  if (other !== undefined) return other[0];
  const vector = vectorByName(name);
  if (vector !== null) return vector.number;
  const number = /^(?:0x[0-9a-f]+|\d+)$/.test(name) ? Number(name) : -1;
  if (number < 0 || number > 255) throw new Error(`${name} is no vector`);
  return number;
}

export const FLAG_BITS: ReadonlyMap<string, bigint> = new Map([
  ['CF', flags.CF], ['PF', flags.PF], ['AF', flags.AF], ['ZF', flags.ZF], ['SF', flags.SF], ['TF', flags.TF], ['IF', flags.IF], ['DF', flags.DF], ['OF', flags.OF],
  ['IOPL', flags.IOPL], ['NT', flags.NT], ['RF', flags.RF], ['AC', flags.AC], ['ID', flags.ID],
]);

/** RFLAGS with bit 1, which is always set. */
export function flagsImage(names: readonly string[]): bigint {
  return names.reduce((image, name) => {
    const bit = FLAG_BITS.get(name);
    if (bit === undefined) throw new Error(`there is no flag ${name}`);
    return image | bit;
  }, 2n);
}
