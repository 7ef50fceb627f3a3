// What the machine is set up with before it runs: code, address space, gates, guards, and what the environment may do.
import type { Code, NodeId } from './code.ts';
import type { Layout } from './layout.ts';

export interface Gate {
  readonly vector: number;
  readonly stub: NodeId;
  /** Region index of the IST stack, or null for the current stack or RSP0. */
  readonly ist: number | null;
  readonly dpl: 0 | 3;
}

/** A one-slot word that hardware, host or software sets and software clears (semantics.md §22). */
export interface GuardSetup {
  readonly name: string;
  /** Vector whose delivery sets it. */
  readonly vector: number;
  /** Address of the word, or null for a machine bit: `mcip`. */
  readonly address: bigint | null;
  readonly size: 1 | 2 | 4 | 8;
  readonly machineBit: 'mcip' | null;
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
   * user mode only, as the host injects a paravirtual event. */
  readonly kind: 'async' | 'access' | 'host';
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
  readonly code: Code;
  readonly layout: Layout;
  readonly delivery: 'idt' | 'fred';
  readonly gates: ReadonlyMap<number, Gate>;
  /** FRED: entry points, and stack level by vector (default 0). */
  readonly fred: { readonly user: NodeId; readonly kernel: NodeId; readonly levels: ReadonlyMap<number, number>; readonly stacks: readonly number[] } | null;
  /** Null where the code under review has no system call entry. */
  readonly systemCalls?: SystemCalls | null;
  readonly guards: readonly GuardSetup[];
  readonly events: readonly EnvironmentEvent[];
  /** Region indices. RSP0 is where a delivery from user mode goes. */
  readonly rsp0: bigint;
  readonly taskStack: number;
  readonly primitives: ReadonlyMap<string, PrimitiveBehaviour>;
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
