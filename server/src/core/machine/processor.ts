// What differs between processors and what the manuals leave open, as configuration: vendor, the guest it is, control
// bits that do not change while entry code runs, descriptors, and the choices. Knows no state.
import type { Word } from './word.ts';
import { ALL, isConstant } from './word.ts';

/** Points that the manuals leave to the implementation, or state in two ways. */
export interface Choices {
  /** SHD-01: STI that sets IF may hold off NMIs and SMIs as well. */
  readonly stiHoldsOffNmi: boolean;
  /** SHD-03: STI or MOV SS right behind another blocks for one more instruction; only the first one is promised. */
  readonly shadowsAddUp: boolean;
  /** NMI-03: an IRET that faults has ended blocking by NMI all the same. */
  readonly faultingIretUnblocksNmi: boolean;
  /** SMI-01: an IRET in system management mode leaves NMIs unblocked behind RSM. */
  readonly smiUnblocksNmi: boolean;
  /** VEC-02. */
  readonly vcDoubleFaultClass: 'benign' | 'contributory';
  /** PRI-03: an NMI that arrives while NMIs are blocked waits in the latch. Where false such arrivals are left out: they differ in nothing from one that arrives when blocking ends. */
  readonly latchesNmi: boolean;
}

export interface Processor {
  readonly vendor: 'intel' | 'amd';
  readonly guest: 'none' | 'vmx' | 'svm' | 'tdx' | 'sev-es';
  /** CR4.MCE (MC-01). */
  readonly machineCheckEnabled: boolean;
  /** MC-04: a recoverable machine check is signalled to one logical processor only. */
  readonly localMachineCheck: boolean;
  /** MC-03: whether the saved RIP can be returned to, and belongs to the error. */
  readonly ripValid: boolean;
  readonly errorIpValid: boolean;
  /** CR4.FSGSBASE, CR4.PCIDE, CR4.SMAP. */
  readonly fsgsbase: boolean;
  readonly pcid: boolean;
  readonly smap: boolean;
  /** Bits of a linear address: 57 with CR4.LA57. */
  readonly addressBits: 48 | 57;
  /** VE-07: what #VE may come from: accesses to memory that is named as failing, or every access, fetches included. */
  readonly virtualizationExceptions: 'named memory' | 'every access';
  /** APF-03: the host injects in kernel mode too. */
  readonly asyncPageFaultsAlways: boolean;
  readonly choices: Choices;
}

export const INTEL: Processor = {
  vendor: 'intel',
  guest: 'none',
  machineCheckEnabled: true,
  localMachineCheck: false,
  ripValid: true,
  errorIpValid: true,
  fsgsbase: true,
  pcid: true,
  smap: true,
  addressBits: 48,
  virtualizationExceptions: 'named memory',
  asyncPageFaultsAlways: false,
  choices: {
    stiHoldsOffNmi: false,
    shadowsAddUp: false,
    faultingIretUnblocksNmi: true,
    smiUnblocksNmi: false,
    vcDoubleFaultClass: 'benign',
    latchesNmi: false,
  },
};

/** NMI-03: on AMD an NMI is unmasked when IRET completes, as far as is known. */
export const AMD: Processor = { ...INTEL, vendor: 'amd', choices: { ...INTEL.choices, faultingIretUnblocksNmi: false } };

export function processorNamed(vendor: Processor['vendor'], guest: Processor['guest']): Processor {
  const processor = vendor === 'amd' ? AMD : INTEL;
  return guest === 'none' ? processor : { ...processor, guest };
}

/** Segment registers that no MSR or table of the set-up gives another value: those of Linux's GDT. */
export interface Selectors {
  readonly kernelCode: bigint;
  readonly kernelStack: bigint;
  readonly userCode32: bigint;
  readonly userStack: bigint;
  readonly userCode: bigint;
}

/** What a selector names. */
export interface Descriptor {
  readonly kind: 'code' | 'data' | 'system';
  readonly privilege: 0 | 3;
  readonly present: boolean;
  /** Code: 64-bit. Stacks: SP is all of RSP that counts where this is false (IRET-06). */
  readonly wide: boolean;
  readonly writable: boolean;
}

export interface DescriptorTable {
  /** By selector with RPL 0. */
  readonly entries: ReadonlyMap<bigint, Descriptor>;
  /** Whether other selectors of the global table name nothing; else they may name anything. Local tables are user space's. */
  readonly complete: boolean;
}

const code = (privilege: 0 | 3, wide: boolean): Descriptor => ({ kind: 'code', privilege, present: true, wide, writable: false });
const data = (privilege: 0 | 3): Descriptor => ({ kind: 'data', privilege, present: true, wide: true, writable: true });

/** Linux's global descriptor table, without the entries that tasks set (arch/x86/include/asm/segment.h). */
export const LINUX_DESCRIPTORS: DescriptorTable = {
  entries: new Map([
    [0x08n, code(0, false)],
    [0x10n, code(0, true)],
    [0x18n, data(0)],
    [0x20n, code(3, false)],
    [0x28n, data(3)],
    [0x30n, code(3, true)],
    [0x78n, { ...data(3), writable: false }],
  ]),
  complete: false,
};

/** Whether an address is canonical: true, false, or null where its known bits do not tell. */
export function isCanonical(processor: Processor, address: Word): boolean | null {
  const high = ALL & ~((1n << BigInt(processor.addressBits - 1)) - 1n);
  const known = address.known & high;
  const ones = address.value & high;
  if (ones !== 0n && ones !== known) return false;
  return known === high ? true : isConstant(address) ? true : null;
}
