// One row per exception vector: what delivery, priority, the double-fault class, names and documentation read.
// Sources: SDM vol. 3A, "Exception and Interrupt Reference"; semantics.md §2.3 and §7.

export type VectorClass = 'fault' | 'trap' | 'fault-or-trap' | 'interrupt' | 'abort';
/** SDM vol. 3A, "Interrupt 8: Double Fault Exception", table of interrupt and exception classes. */
export type DoubleFaultClass = 'benign' | 'contributory' | 'page-fault';

export interface Vector {
  readonly number: number;
  /** Short name used in annotations and scenarios. */
  readonly name: string;
  readonly mnemonic: string;
  readonly title: string;
  readonly class: VectorClass;
  readonly errorCode: boolean;
  readonly doubleFault: DoubleFaultClass;
  /** Linux's constant. */
  readonly constant: string;
}

function row(number: number, name: string, mnemonic: string, title: string, kind: VectorClass, errorCode: boolean, doubleFault: DoubleFaultClass): Vector {
  return { number, name, mnemonic, title, class: kind, errorCode, doubleFault, constant: `X86_TRAP_${name}` };
}

export const VECTORS: readonly Vector[] = [
  row(0, 'DE', '#DE', 'Divide Error', 'fault', false, 'contributory'),
  row(1, 'DB', '#DB', 'Debug Exception', 'fault-or-trap', false, 'benign'),
  row(2, 'NMI', 'NMI', 'Nonmaskable Interrupt', 'interrupt', false, 'benign'),
  row(3, 'BP', '#BP', 'Breakpoint', 'trap', false, 'benign'),
  row(4, 'OF', '#OF', 'Overflow', 'trap', false, 'benign'),
  row(5, 'BR', '#BR', 'BOUND Range Exceeded', 'fault', false, 'benign'),
  row(6, 'UD', '#UD', 'Invalid Opcode', 'fault', false, 'benign'),
  row(7, 'NM', '#NM', 'Device Not Available', 'fault', false, 'benign'),
  row(8, 'DF', '#DF', 'Double Fault', 'abort', true, 'benign'),
  row(10, 'TS', '#TS', 'Invalid TSS', 'fault', true, 'contributory'),
  row(11, 'NP', '#NP', 'Segment Not Present', 'fault', true, 'contributory'),
  row(12, 'SS', '#SS', 'Stack-Segment Fault', 'fault', true, 'contributory'),
  row(13, 'GP', '#GP', 'General Protection', 'fault', true, 'contributory'),
  row(14, 'PF', '#PF', 'Page Fault', 'fault', true, 'page-fault'),
  row(16, 'MF', '#MF', 'x87 Floating-Point Error', 'fault', false, 'benign'),
  row(17, 'AC', '#AC', 'Alignment Check', 'fault', true, 'benign'),
  row(18, 'MC', '#MC', 'Machine Check', 'abort', false, 'benign'),
  row(19, 'XF', '#XM', 'SIMD Floating-Point Exception', 'fault', false, 'benign'),
  row(20, 'VE', '#VE', 'Virtualization Exception', 'fault', false, 'page-fault'),
  row(21, 'CP', '#CP', 'Control Protection Exception', 'fault', true, 'contributory'),
  row(28, 'HV', '#HV', 'Hypervisor Injection Exception', 'interrupt', false, 'benign'),
  row(29, 'VC', '#VC', 'VMM Communication Exception', 'fault', true, 'benign'),
];

const byNumber = new Map(VECTORS.map((vector) => [vector.number, vector]));
const byName = new Map(VECTORS.map((vector) => [vector.name, vector]));

export function vectorByNumber(number: number): Vector | null {
  return byNumber.get(number) ?? null;
}

/** By short name, mnemonic or Linux constant: `VE`, `#VE`, `X86_TRAP_VE`. */
export function vectorByName(name: string): Vector | null {
  return byName.get(name.replace(/^#/, '').replace(/^X86_TRAP_/, '').replace(/^XM$/, 'XF').replace(/^MCE?$/, 'MC')) ?? null;
}

/** The vector that Linux keeps for system calls is told by the instruction (arch/x86/include/asm/irq_vectors.h). */
export function vectorTitle(number: number): string {
  return byNumber.get(number)?.mnemonic ?? (number === 0x80 ? 'INT 0x80' : number === 257 ? 'SYSCALL' : number === 258 ? 'SYSENTER' : `IRQ ${number}`);
}
