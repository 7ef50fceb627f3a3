// Calls and jumps through the table of paravirt operations, up to Linux 5.12: at boot a kernel that is no guest of Xen PV
// has each site replaced by the native operation (arch/x86/kernel/paravirt_patch.c, paravirt.c).

export interface ParavirtRow {
  /** The symbol of asm-offsets.h that names the operation's place in the table. */
  readonly symbol: string;
  /** What boot leaves there: another jump or call, or one instruction. */
  readonly becomes: { readonly kind: 'routine'; readonly name: string } | { readonly kind: 'instruction'; readonly mnemonic: string };
}

export const PARAVIRT_TABLE = 'pv_ops';

export const PARAVIRT_OPERATIONS: readonly ParavirtRow[] = [
  { symbol: 'PV_CPU_iret', becomes: { kind: 'routine', name: 'native_iret' } },
  { symbol: 'PV_CPU_usergs_sysret64', becomes: { kind: 'routine', name: 'native_usergs_sysret64' } },
  { symbol: 'PV_CPU_swapgs', becomes: { kind: 'instruction', mnemonic: 'swapgs' } },
  { symbol: 'PV_IRQ_irq_disable', becomes: { kind: 'instruction', mnemonic: 'cli' } },
  { symbol: 'PV_IRQ_irq_enable', becomes: { kind: 'instruction', mnemonic: 'sti' } },
  { symbol: 'PV_IRQ_save_fl', becomes: { kind: 'routine', name: 'native_save_fl' } },
];

/** Distance in the table: as in asm-offsets.h, any without overlaps does, for code uses names only. */
export const PARAVIRT_OFFSETS: ReadonlyMap<string, bigint> = new Map(PARAVIRT_OPERATIONS.map(({ symbol }, index) => [symbol, BigInt(index * 8)]));
