// Names of the general registers, by the encoding order of the manual (SDM vol. 2, "Register Codes").
import type { AccessSize, MachineOperand, RegisterIndex } from './code.ts';

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

export const REGISTER_NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;

/** System V ABI for x86-64, "Parameter Passing". */
export const ARGUMENT_REGISTERS: readonly RegisterIndex[] = [RDI, RSI, RDX, RCX, 8, 9];
/** Registers that a C function may change (System V ABI, "Registers"). */
export const CALLER_SAVED: readonly RegisterIndex[] = [RAX, RCX, RDX, RSI, RDI, 8, 9, 10, 11];

interface Row {
  readonly register: RegisterIndex;
  readonly size: AccessSize;
  readonly high: boolean;
}

const rows = new Map<string, Row>();
const legacy = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
legacy.forEach((name, register) => {
  rows.set(`r${name}`, { register, size: 8, high: false });
  rows.set(`e${name}`, { register, size: 4, high: false });
  rows.set(name, { register, size: 2, high: false });
});
['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'].forEach((name, register) => rows.set(name, { register, size: 1, high: false }));
['ah', 'ch', 'dh', 'bh'].forEach((name, register) => rows.set(name, { register, size: 1, high: true }));
for (let register = 8; register < 16; register += 1) {
  rows.set(`r${register}`, { register, size: 8, high: false });
  rows.set(`r${register}d`, { register, size: 4, high: false });
  rows.set(`r${register}w`, { register, size: 2, high: false });
  rows.set(`r${register}b`, { register, size: 1, high: false });
}

const SYSTEM = /^(cs|ds|es|fs|gs|ss|cr[0-9]+|dr[0-9]+|db[0-9]+|tr|ldtr|gdtr|idtr|st(\([0-7]\))?|[xyz]?mm[0-9]+|k[0-7]|bnd[0-3]|rip|eip|xmm[0-9]+)$/;

/** The operand that a register name means, or null where it is no register. */
export function registerOperand(name: string): MachineOperand | null {
  const row = rows.get(name);
  if (row !== undefined) return { kind: 'register', register: row.register, size: row.size, high: row.high };
  return SYSTEM.test(name) ? { kind: 'system-register', name: name.replace(/^db/, 'dr') } : null;
}

export function registerIndex(name: string): RegisterIndex | null {
  return rows.get(name)?.register ?? null;
}
