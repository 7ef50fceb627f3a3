// The machine's state: readable, immutable, shared between states where nothing changed. Packed only in the explorer.
import type { NodeId } from './code.ts';
import { constant, UNKNOWN } from './word.ts';
import type { Word } from './word.ts';

/** What an event interrupted and its return must find again: references to the interrupted state's own words. */
export interface Saved {
  readonly registers: readonly Word[];
  readonly flags: Word;
  readonly cs: Word;
  readonly ss: Word;
  readonly gsBase: Word;
  readonly kernelGsBase: Word;
  readonly cr3: Word;
  readonly specCtrl: Word;
}

/** A hardware frame whose matching return has not happened (ST-01). */
export interface Frame {
  readonly vector: number;
  /** Address of the saved RIP, and the address above the saved SS. */
  readonly base: bigint;
  readonly end: bigint;
  /** What it interrupted. */
  readonly interrupted: NodeId;
  readonly rsp: Word;
  readonly cpl: 0 | 3;
  /** Index of the stack's region, -1 where the frame went to memory that is no kernel stack. */
  readonly region: number;
  readonly fred: boolean;
  /** The event stack level in force before a FRED delivery. */
  readonly level: number;
  readonly saved: Saved;
}

export interface Cpu {
  readonly cpl: 0 | 3;
  /** Selectors. Delivery from user mode leaves SS null (SDM vol. 3A, "Interrupt Stack Table", "Stack Switching in IA-32e Mode"). */
  readonly cs: Word;
  readonly ss: Word;
  readonly gsBase: Word;
  readonly kernelGsBase: Word;
  readonly cr2: Word;
  readonly cr3: Word;
  /** IA32_SPEC_CTRL. */
  readonly specCtrl: Word;
  /** DR0 to DR3. */
  readonly breakpoints: readonly Word[];
  readonly dr6: Word;
  readonly dr7: Word;
  /** Debug traps that are recorded and wait for their boundary, as DR6 bits (DB-02, DB-06). */
  readonly pendingDebug: number;
  readonly nmiBlocked: boolean;
  /** One NMI that arrived while NMIs were blocked waits; more are lost (PRI-03). */
  readonly nmiLatched: boolean;
  /** IA32_MCG_STATUS.MCIP (MC-01, MC-02). */
  readonly mcip: boolean;
  /** The TDX module holds #VE information that was not fetched yet (TDX-02). */
  readonly veInfoValid: boolean;
  /** Blocking of events for one boundary (SHD-01, SHD-02). */
  readonly shadow: 'none' | 'sti' | 'movss';
  /** FRED: current stack level. */
  readonly level: number;
}

/** Work that waits for its moment: a vector in the IRR, or work for the return to user mode. */
export interface Pending {
  readonly kind: 'irq' | 'user-return';
  readonly vector: number;
}

/** Ghost state of one guard: whose event set it, and where it was last re-armed while a frame of its vector was live. */
export interface GuardGhost {
  /** Frame base of the event that set the word, null where none is live. */
  readonly owner: bigint | null;
  /** Where the word was cleared while a frame of its vector was live on a rewinding stack. */
  readonly clearedAt: NodeId | null;
  /** An interrupt had been delivered above that frame, on its stack. */
  readonly aboveFrame: boolean;
}

export interface State {
  readonly node: NodeId;
  readonly registers: readonly Word[];
  readonly flags: Word;
  readonly cpu: Cpu;
  /** By region index, then by 8-byte slot from the region's base (words) or down from its top (stacks). */
  readonly memory: readonly (readonly (Word | undefined)[])[];
  readonly frames: readonly Frame[];
  readonly pending: readonly Pending[];
  /** Remaining events by the model's budget index. */
  readonly budgets: readonly number[];
  /** CPU features fixed on this path: name to present. */
  readonly features: readonly string[];
  /** By guard index. */
  readonly ghosts: readonly GuardGhost[];
  /** Set once nothing more can run: 'shutdown', 'panic', or a violation. */
  readonly ended: string | null;
}

// RFLAGS bits (SDM vol. 1, "EFLAGS Register").
export const CF = 1n << 0n;
export const PF = 1n << 2n;
export const AF = 1n << 4n;
export const ZF = 1n << 6n;
export const SF = 1n << 7n;
export const TF = 1n << 8n;
export const IF = 1n << 9n;
export const DF = 1n << 10n;
export const OF = 1n << 11n;
export const IOPL = 3n << 12n;
export const NT = 1n << 14n;
export const RF = 1n << 16n;
export const VM = 1n << 17n;
export const AC = 1n << 18n;
export const VIF = 1n << 19n;
export const VIP = 1n << 20n;
export const ID = 1n << 21n;
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

/** Selectors of Linux's GDT (arch/x86/include/asm/segment.h). */
export const KERNEL_CS = 0x10n;
export const KERNEL_SS = 0x18n;
export const USER_CS = 0x33n;
export const USER32_CS = 0x23n;
export const USER_SS = 0x2bn;
/** What LSL of this selector yields is the CPU and node number (arch/x86/include/asm/segment.h). */
export const CPUNODE_SELECTOR = 0x7bn;

/** A processor in kernel mode of which nothing else is known; DR6 and DR7 as after reset (SDM vol. 3A, "Processor State After Reset"). */
export const INITIAL_CPU: Cpu = {
  cpl: 0,
  cs: constant(KERNEL_CS),
  ss: constant(KERNEL_SS),
  gsBase: UNKNOWN,
  kernelGsBase: UNKNOWN,
  cr2: UNKNOWN,
  cr3: UNKNOWN,
  specCtrl: UNKNOWN,
  breakpoints: [0, 1, 2, 3].map(() => constant(0n)),
  dr6: constant(0xffff_0ff0n),
  dr7: constant(0x400n),
  pendingDebug: 0,
  nmiBlocked: false,
  nmiLatched: false,
  mcip: false,
  veInfoValid: false,
  shadow: 'none',
  level: 0,
};
