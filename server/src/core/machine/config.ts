// What the machine is set up with before it runs: code, address space, gates, guards, and what the environment may do.
import type { Code, InstructionNode, NodeId } from './code.ts';
import type { Draft } from './draft.ts';
import type { Layout } from './layout.ts';
import { INTEL, LINUX_DESCRIPTORS } from './processor.ts';
import type { DescriptorTable, Processor, Selectors } from './processor.ts';
import { KERNEL_CS, KERNEL_SS, USER32_CS, USER_CS, USER_SS } from './state.ts';

export interface Gate {
  readonly vector: number;
  readonly stub: NodeId;
  /** Region index of the IST stack, or null for the current stack or RSP0. */
  readonly ist: number | null;
  readonly dpl: 0 | 3;
  /** IDT-01, DEL-04: an interrupt gate where it is left out. */
  readonly type?: 'interrupt' | 'trap' | 'invalid';
  /** IDT-03: present, and leads through the kernel's code selector to a canonical address, where they are left out. */
  readonly present?: boolean;
  readonly selector?: bigint;
  readonly canonical?: boolean;
}

/** Which memory is mapped; without it, all regions are, and what lies outside them in the kernel's half is not. */
export interface PageTables {
  /** CR3 bit that tells the user page table from the kernel's (CR3-01), 0 where there is one table. */
  readonly userBit: bigint;
  /** Regions that the user page table maps (CR3-02), and regions that no table maps for writing. */
  readonly user: ReadonlySet<number>;
  readonly readOnly: ReadonlySet<number>;
}

/** The task-state segment as memory that code can write: IST slots that move (VC-03), RSP0. */
export interface TaskState {
  readonly address: bigint;
  /** Region index of an IST stack to its number, 1 to 7. */
  readonly ist: ReadonlyMap<number, number>;
}

/** A one-slot word that hardware, host or software sets and software clears (semantics.md §22). */
export interface GuardSetup {
  readonly name: string;
  /** Vector whose delivery sets it. */
  readonly vector: number;
  /** Address of the word, or null for a machine bit: `mcip`, or the TDX module's valid flag (TDX-02). */
  readonly address: bigint | null;
  readonly size: 1 | 2 | 4 | 8;
  readonly machineBit: 'mcip' | 'tdx-valid' | null;
  /** Value that hardware writes; the #VE word is 0xFFFFFFFF (SDM vol. 3C, "Virtualization-Exception Information"). */
  readonly busy: bigint;
  readonly setBy: 'hw' | 'host' | 'module' | 'sw';
  readonly fallback: string;
  readonly protectsStack: boolean;
  readonly protectsInfo: boolean;
  /** Address range of the event information the word guards; empty where it guards none. */
  readonly info: { readonly start: bigint; readonly end: bigint };
}

/** An event the environment may cause, with its budget index. */
export interface EnvironmentEvent {
  readonly name: string;
  readonly vector: number;
  readonly budget: number;
  /** `async`: at any boundary; `access`: at accesses to failable memory, and in the interrupted contexts; `host`: in
   * user mode only, as the host injects a paravirtual event; `smi`: a system management interrupt, of no vector. */
  readonly kind: 'async' | 'access' | 'host' | 'smi';
}

export interface PrimitiveBehaviour {
  readonly name: string;
  readonly effect:
    | 'irq-enable'
    | 'irq-disable'
    | 'irq-save'
    | 'irq-restore'
    | 'self-ipi'
    | 'irq-work'
    | 'task-work'
    | 'no-return'
    | 'read-cr2'
    | 'write-cr2'
    | 'wrmsr'
    | 'rdmsr'
    | 'user-access'
    | 'search-extable'
    | 'continue-at-fixup'
    | 'default-fixup'
    | 'fixup-address'
    | 'smp-id'
    /** Whether the saved CS has the RPL of user mode. */
    | 'user-mode'
    /** TDX-02: reads and so re-arms the #VE information. */
    | 'tdx-get-ve-info'
    /** VC-04: tells the hypervisor that NMIs may come again. */
    | 'nmi-complete'
    | 'nothing'
    | 'opaque';
}

/** Where the code enters that no gate leads to (SDM vol. 3A, "Fast System Calls in 64-Bit Mode"). */
export interface SystemCalls {
  /** IA32_LSTAR, null where SYSCALL is not enabled. */
  readonly syscall: NodeId | null;
  /** IA32_FMASK: bits of RFLAGS that SYSCALL clears. */
  readonly flagMask: bigint;
  /** IA32_SYSENTER_EIP and IA32_SYSENTER_ESP. */
  readonly sysenter: NodeId | null;
  readonly sysenterStack: bigint;
  /** Host RIP of the VMCS: where a VM exit continues. */
  readonly vmExit: NodeId | null;
}

export interface MachineSetup {
  /** Addresses of words outside the per-CPU area that the host is taken never to take away. */
  readonly pinned?: ReadonlySet<bigint>;
  readonly code: Code;
  readonly layout: Layout;
  readonly delivery: 'idt' | 'fred';
  readonly gates: ReadonlyMap<number, Gate>;
  /** FRED: entry points, stack level by vector (default 0) and of external interrupts, bytes kept free below RSP. */
  readonly fred: { readonly user: NodeId; readonly kernel: NodeId; readonly levels: ReadonlyMap<number, number>; readonly stacks: readonly number[]; readonly interruptLevel?: number; readonly redZone?: number } | null;
  /** Null where the code under review has no system call entry. */
  readonly systemCalls?: SystemCalls | null;
  /** An Intel processor with Linux's descriptors where these are left out. */
  readonly processor?: Processor;
  readonly selectors?: Selectors;
  readonly descriptors?: DescriptorTable;
  readonly pageTables?: PageTables;
  readonly taskState?: TaskState;
  readonly guards: readonly GuardSetup[];
  readonly events: readonly EnvironmentEvent[];
  /** Region indices. RSP0 is where a delivery from user mode goes. */
  readonly rsp0: bigint;
  readonly taskStack: number;
  readonly primitives: ReadonlyMap<string, PrimitiveBehaviour>;
  /** What a call of an assembler routine does that is not in view, where more is known than of a C function. */
  readonly routines?: ReadonlyMap<string, (draft: Draft, setup: MachineSetup, node: InstructionNode) => void>;
  /** Vector that `irq_work` and self-IPIs by name are delivered on. */
  readonly irqWorkVector: number | null;
  readonly taskWorkEntry: NodeId | null;
  /** Failable user memory raises these vectors; `retry` false: each retry may fail again. */
  readonly userFaults: readonly number[];
  /** Nodes at which asynchronous events are considered; all nodes where null. */
  readonly visible: ReadonlySet<NodeId> | null;
  /** Live frames at which a path is cut off. */
  readonly depth: number;
  /** Interrupted contexts whose own accesses may raise #VE. */
  readonly failing: ReadonlySet<string>;
  /** Code in view that runs in such a context: its nodes, and where a path that left it ends. */
  readonly gap: { readonly first: NodeId; readonly end: NodeId } | null;
  /** Nodes of the interrupted contexts by name. */
  readonly contexts: ReadonlyMap<string, NodeId>;
  /** Budget index of the event that must come first, and its count at the start; null where any may. */
  readonly first: number | null;
  readonly firstBudget: number;
}

export function processorOf(setup: MachineSetup): Processor {
  return setup.processor ?? INTEL;
}

const LINUX_SELECTORS: Selectors = { kernelCode: KERNEL_CS, kernelStack: KERNEL_SS, userCode32: USER32_CS, userStack: USER_SS, userCode: USER_CS };

export function selectorsOf(setup: MachineSetup): Selectors {
  return setup.selectors ?? LINUX_SELECTORS;
}

export function descriptorsOf(setup: MachineSetup): DescriptorTable {
  return setup.descriptors ?? LINUX_DESCRIPTORS;
}
