// Code as the machine runs it: instructions and the operations of C functions, linked, every symbol an address.
// Knows nothing of files beyond the origin that each node carries, and nothing of Linux.
import type { Origin } from '../base/span.ts';

/** Index into `Code.nodes`. Nodes of one section follow each other in address order. */
export type NodeId = number;

/** 0-15 in the encoding order of the manual: RAX RCX RDX RBX RSP RBP RSI RDI R8-R15 (SDM vol. 2, "Register Codes"). */
export type RegisterIndex = number;

export type AccessSize = 1 | 2 | 4 | 8;

export type MachineOperand =
  | { readonly kind: 'register'; readonly register: RegisterIndex; readonly size: AccessSize; readonly high: boolean }
  /** Segment, control and debug registers, by lower-case name: 'cs', 'ss', 'cr2', 'cr3', 'dr7'. */
  | { readonly kind: 'system-register'; readonly name: string }
  | { readonly kind: 'immediate'; readonly value: bigint }
  | {
      readonly kind: 'memory';
      readonly segment: 'gs' | 'fs' | null;
      readonly displacement: bigint;
      readonly base: RegisterIndex | null;
      readonly index: RegisterIndex | null;
      readonly scale: 1 | 2 | 4 | 8;
    };

interface NodeBase {
  readonly id: NodeId;
  /** Function or stub this node belongs to. */
  readonly symbol: string;
  /** What the reader sees: the statement as written, blanks normalised. */
  readonly text: string;
  readonly origin: Origin;
}

export interface InstructionNode extends NodeBase {
  readonly kind: 'instruction';
  readonly mnemonic: string;
  readonly prefixes: readonly string[];
  readonly operands: readonly MachineOperand[];
  /** The instruction behind this one; null where the code ends or continues somewhere unknown. */
  readonly next: NodeId | null;
  /** Target of a direct jump or call, null where it is not in view. */
  readonly target: NodeId | null;
  /** Name of a direct target that is not in view. */
  readonly targetName: string | null;
}

/** Code that `ALTERNATIVE` patches: one arm on CPUs with the feature, the other on the rest. */
export interface FeatureNode extends NodeBase {
  readonly kind: 'feature';
  readonly feature: string;
  readonly present: NodeId;
  readonly absent: NodeId;
}

/** A step of a C function. Arguments are in RDI, RSI, RDX, RCX, R8, R9 and the result is in RAX at each boundary. */
export interface OperationNode extends NodeBase {
  readonly kind: 'operation';
  readonly operation: Operation;
}

/** What runs when no code under review does: user space, or kernel code outside the review. */
export interface InterruptedNode extends NodeBase {
  readonly kind: 'interrupted';
  readonly context: string;
}

export type CodeNode = InstructionNode | FeatureNode | OperationNode | InterruptedNode;

/** Locals live on the machine's stack, 8 bytes a slot, slot 0 at the lowest address of the C frame. */
export type CExpression =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'local'; readonly slot: number }
  | { readonly kind: 'local-address'; readonly slot: number; readonly offset: number }
  /** Address of a variable or function; linked to a constant before the machine runs it. */
  | { readonly kind: 'symbol'; readonly name: string; readonly area: 'percpu' | 'global' | 'function'; readonly offset: number }
  | { readonly kind: 'load'; readonly address: CExpression; readonly size: AccessSize; readonly text: string }
  | { readonly kind: 'unary'; readonly operator: '-' | '~' | '!'; readonly operand: CExpression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: CExpression; readonly right: CExpression }
  | { readonly kind: 'unknown'; readonly text: string };

export type Operation =
  /** Function prologue: allocates `slots` 8-byte locals and stores the first `parameters` arguments in slots 0, 1, ... */
  | { readonly kind: 'enter'; readonly parameters: number; readonly slots: number; readonly next: NodeId }
  | { readonly kind: 'assign'; readonly slot: number; readonly value: CExpression; readonly next: NodeId }
  | {
      readonly kind: 'store';
      readonly address: CExpression;
      readonly size: AccessSize;
      readonly value: CExpression;
      /** 'plain', 'WRITE_ONCE', 'this_cpu_write' ...: how the source wrote it. */
      readonly form: string;
      /** The left-hand side as written: `v->busy`. */
      readonly target: string;
      /** Slot that receives the old value in the same step: `xchg`, `test_and_set_bit`. */
      readonly previous?: number;
      readonly next: NodeId;
    }
  | { readonly kind: 'branch'; readonly condition: CExpression; readonly then: NodeId; readonly otherwise: NodeId }
  /** Call of a function in view. */
  | { readonly kind: 'call'; readonly callee: NodeId; readonly name: string; readonly arguments: readonly CExpression[]; readonly result: number | null; readonly next: NodeId }
  /** Call of a row of the kernel's primitives; `fixup` is where an exception-table entry of the access continues. */
  | {
      readonly kind: 'primitive';
      readonly name: string;
      readonly arguments: readonly CExpression[];
      readonly result: number | null;
      readonly next: NodeId;
      readonly fixup: NodeId | null;
    }
  /** Call of a function that is neither in view nor a primitive: its result is unknown and the assumption is named. */
  | { readonly kind: 'opaque'; readonly name: string; readonly arguments: readonly CExpression[]; readonly result: number | null; readonly next: NodeId }
  /** Stores RAX, the result of the call before, in a slot. */
  | { readonly kind: 'result'; readonly slot: number; readonly next: NodeId }
  | { readonly kind: 'return'; readonly value: CExpression | null; readonly slots: number };

/** A fault at a node continues at the fixup once `fixup_exception()` accepted it. */
export interface ExtableEntry {
  readonly fault: NodeId;
  readonly fixup: NodeId;
  /** `EX_TYPE_...`. */
  readonly type: string;
}

export interface Code {
  readonly nodes: readonly CodeNode[];
  /** Labels and functions by name. */
  readonly symbols: ReadonlyMap<string, NodeId>;
  readonly extable: readonly ExtableEntry[];
}

/** IRET, ERETS, ERETU, SYSRET, SYSEXIT. */
export function returnsFromEvent({ mnemonic }: Pick<InstructionNode, 'mnemonic'>): boolean {
  return /^(iret|eret|sysret|sysexit)/.test(mnemonic);
}
