// What is not known of a program, or taken for granted in it, as data: whoever judges it knows what silence is worth.
// Knows no sentence; `core/render` tells it.

export type StackByName = { readonly kind: 'none' } | { readonly kind: 'nesting-safe' } | { readonly kind: 'ist'; readonly name: string };

/** A write that changes at run time which stack an event is delivered on. */
export interface StackWrite {
  readonly kind: 'stack-write';
  readonly symbol: string;
  readonly text: string;
}

export type ProgramUnknown =
  /** A direct call, by its target. */
  | { readonly kind: 'out-of-view'; readonly name: string }
  /** A direct jump, by its target. */
  | { readonly kind: 'jumps-away'; readonly name: string }
  /** A call of a routine that does what Linux's of that name does. */
  | { readonly kind: 'entry-routine'; readonly name: string }
  | { readonly kind: 'operand'; readonly text: string }
  /** A statement that is no instruction and no macro in view, with the code whose paths end there. */
  | { readonly kind: 'macro'; readonly name: string; readonly symbols: readonly string[] }
  /** `...` among the statements of a C function. */
  | { readonly kind: 'left-out'; readonly function: string }
  | StackWrite
  /** A word of memory that nothing in view sets, by the operand as written. */
  | { readonly kind: 'assumed-word'; readonly text: string; readonly holds: 'per-CPU base' | 'task stack top' }
  | { readonly kind: 'syscall-entry'; readonly name: string }
  | { readonly kind: 'syscall-exit'; readonly name: string }
  /** A gate that nothing but the name of its code stands for. */
  | { readonly kind: 'by-name'; readonly name: string; readonly code: 'stub' | 'handler'; readonly event: string; readonly stack: StackByName };

/** In their order, each once. */
export function distinct(unknown: readonly ProgramUnknown[]): readonly ProgramUnknown[] {
  return [...new Map(unknown.map((one) => [JSON.stringify(one), one])).values()];
}
