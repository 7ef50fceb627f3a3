// What the C front end hands to the linker: functions already lowered to operations, with targets by name and by
// index inside the function, and the tables and declarations that entry code is made of.
import type { Origin, Place, Problem, Span } from '../base/span.ts';
import type { CExpression, AccessSize } from '../machine/code.ts';

/** Index into `CFunction.operations`. */
export type OperationIndex = number;

/** The operations of `machine/code.ts` before linking: `next` is an index in this function, callees are names. */
export type LooseOperation =
  | { readonly kind: 'enter'; readonly parameters: number; readonly slots: number; readonly next: OperationIndex }
  | { readonly kind: 'assign'; readonly slot: number; readonly value: CExpression; readonly next: OperationIndex }
  | {
      readonly kind: 'store';
      readonly address: CExpression;
      readonly size: AccessSize;
      readonly value: CExpression;
      readonly form: string;
      readonly target: string;
      /** Slot that receives the old value in the same step: `xchg`, `test_and_set_bit`. */
      readonly previous?: number;
      readonly next: OperationIndex;
    }
  | { readonly kind: 'branch'; readonly condition: CExpression; readonly then: OperationIndex; readonly otherwise: OperationIndex }
  /** Any call: the linker decides whether it is a function in view, a primitive or opaque. `fault` is the operation
   * that runs, with the result slot set to -EFAULT, when an access made by the call is fixed up. */
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly arguments: readonly CExpression[];
      readonly result: number | null;
      readonly next: OperationIndex;
      readonly fixup: OperationIndex | null;
    }
  | { readonly kind: 'return'; readonly value: CExpression | null };

export interface LoweredOperation {
  readonly operation: LooseOperation;
  readonly text: string;
  readonly origin: Origin;
}

export interface CFunction {
  readonly name: string;
  readonly nameSpan: Span;
  readonly span: Span;
  readonly file: string;
  /** `DEFINE_IDTENTRY_IST` and the like, null for a plain function. */
  readonly definedBy: string | null;
  /** `noinstr`, `static`, `__always_inline`, `__noreturn` ... */
  readonly attributes: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  /** Names of the locals by slot, for traces. */
  readonly slots: readonly string[];
  readonly operations: readonly LoweredOperation[];
}

/** `INTG(vector, stub)`, `SYSG(...)`, `ISTG(vector, stub, ist)` in an IDT table, or the `G(...)` that they are made of. */
export interface IdtRow {
  readonly macro: 'INTG' | 'SYSG' | 'ISTG' | 'G';
  readonly vector: string;
  readonly stub: string;
  readonly ist: string | null;
  /** Privilege level that INT n needs. */
  readonly dpl: 0 | 3;
  readonly table: string;
  readonly place: Place;
}

/** A function that something which is queued runs: `init_irq_work(&work, function)`, `IRQ_WORK_INIT(function)`. */
export interface DeferredWork {
  readonly function: string;
  readonly via: 'irq-work' | 'task-work';
  readonly place: Place;
}

/** `DECLARE_IDTENTRY*(vector, function)`. */
export interface DeclaredEntry {
  readonly macro: string;
  readonly vector: string;
  readonly function: string;
  readonly place: Place;
}

export interface CVariable {
  readonly name: string;
  readonly area: 'percpu' | 'global';
  /** Bytes; 8 where the type is not in view. */
  readonly size: number;
  readonly type: string;
  readonly place: Place;
}

export interface CField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: string;
}

export interface CStruct {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly CField[];
  readonly place: Place;
}

/** One C file with the headers it follows. */
export interface CSource {
  readonly file: string;
  readonly functions: readonly CFunction[];
  readonly variables: readonly CVariable[];
  readonly structs: readonly CStruct[];
  readonly idtRows: readonly IdtRow[];
  readonly declaredEntries: readonly DeclaredEntry[];
  readonly deferred: readonly DeferredWork[];
  /** Types of the parameters of each function that is declared or defined, as written. */
  readonly parameterTypes: ReadonlyMap<string, readonly string[]>;
  /** Integer constants by macro or enumerator name. */
  readonly constants: ReadonlyMap<string, bigint>;
  /** Headers followed, with the resolved path or null. */
  readonly includes: readonly { readonly place: Place; readonly name: string; readonly resolved: string | null }[];
  readonly problems: readonly Problem[];
}
