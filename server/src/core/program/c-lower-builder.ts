// A function under construction: operations in order, jumps to labels that may not be placed yet, slots by name.
// Knows nothing of what an operation means.
import type { Problem, Span } from '../base/span.ts';
import { unreachable } from '../base/unreachable.ts';
import type { CExpression } from '../machine/code.ts';
import type { CSyntaxType, CTranslationUnit } from '../syntax/c-syntax.ts';
import { normalised } from '../syntax/c-text.ts';
import type { LooseOperation, LoweredOperation, OperationIndex } from './c-source.ts';
import type { TypeTable } from './c-types.ts';

/** A place in the code, known or not yet. */
export interface Label {
  alias: Label | null;
  index: OperationIndex | null;
  used: boolean;
}

export interface Local {
  readonly slot: number;
  readonly type: CSyntaxType;
  /** Its address is taken, so that others may write it: read through memory at its own size. */
  readonly shared: boolean;
  /** A `static` local: no slot, but a variable of this name. */
  readonly symbol: string | null;
}

export interface GlobalVariable {
  readonly type: CSyntaxType;
  readonly area: 'percpu' | 'global';
}

/** What is in view of all functions of a file. */
export interface LoweringScope {
  readonly types: TypeTable;
  readonly variables: ReadonlyMap<string, GlobalVariable>;
  /** Return types by name. */
  readonly functions: ReadonlyMap<string, CSyntaxType>;
  /** For the expansions of macros. */
  readonly parse: (text: string) => CTranslationUnit;
}

type Resolve = (label: Label) => OperationIndex;

export interface Builder {
  readonly scope: LoweringScope;
  readonly file: string;
  readonly source: string;
  readonly operations: { readonly make: (resolve: Resolve) => LooseOperation; readonly text: string; readonly span: Span }[];
  readonly slots: string[];
  readonly blocks: Map<string, Local>[];
  readonly labels: Map<string, Label>;
  readonly sharedNames: ReadonlySet<string>;
  readonly loops: { readonly onBreak: Label; readonly onContinue: Label | null }[];
  readonly problems: Problem[];
  /** `static` locals found on the way. */
  readonly statics: { readonly name: string; readonly type: CSyntaxType; readonly typeText: string; readonly span: Span }[];
  readonly returns: CSyntaxType;
  /** Where the next operation goes. */
  current: Label;
  /** While what a macro expanded to is lowered. */
  inExpansion: boolean;
}

export function newLabel(): Label {
  return { alias: null, index: null, used: false };
}

function target(label: Label): Label {
  let found = label;
  const seen = new Set<Label>();
  while (found.alias !== null && !seen.has(found)) {
    seen.add(found);
    found = found.alias;
  }
  return found;
}

/** Puts a label where the next operation goes. */
export function place(builder: Builder, label: Label): void {
  if (label === builder.current) return;
  if (builder.current.used) label.used = true;
  builder.current.alias = label;
  builder.current = label;
}

/** Goes on at the label; what is emitted next is not reached from here. */
export function jump(builder: Builder, label: Label): void {
  if (builder.current !== label) {
    if (builder.current.used) label.used = true;
    builder.current.alias = label;
  }
  builder.current = newLabel();
}

/** Whether anything leads to the next operation. */
export function isReached(builder: Builder): boolean {
  return builder.current.used;
}

export function emit(builder: Builder, span: Span, make: (next: OperationIndex, resolve: Resolve) => LooseOperation, text?: string): void {
  const next = newLabel();
  next.used = true;
  push(builder, span, (resolve) => make(resolve(next), resolve), text);
  builder.current = next;
}

/** An operation that does not go on to the next one. */
export function emitLast(builder: Builder, span: Span, make: (resolve: Resolve) => LooseOperation, text?: string): void {
  push(builder, span, make, text);
  builder.current = newLabel();
}

function push(builder: Builder, span: Span, make: (resolve: Resolve) => LooseOperation, text = textAt(builder, span)): void {
  builder.current.index = builder.operations.length;
  builder.operations.push({ make, text, span });
}

export function emitBranch(builder: Builder, span: Span, condition: CExpression, then: Label, otherwise: Label): void {
  then.used = true;
  otherwise.used = true;
  emitLast(builder, span, (resolve) => ({ kind: 'branch', condition, then: resolve(then), otherwise: resolve(otherwise) }));
}

export function emitAssign(builder: Builder, span: Span, slot: number, value: CExpression, text?: string): void {
  emit(builder, span, (next) => ({ kind: 'assign', slot, value, next }), text);
}

export function textAt(builder: Builder, span: Span): string {
  return normalised(builder.source.slice(span.start, span.end));
}

export function newTemporary(builder: Builder, what: string): number {
  builder.slots.push(`%${what}`);
  return builder.slots.length - 1;
}

export function declareLocal(builder: Builder, name: string, type: CSyntaxType, words: number): Local {
  const slot = builder.slots.length;
  for (let word = 0; word < words; word++) builder.slots.push(words === 1 ? name : `${name}+${word * 8}`);
  const local = { slot, type, shared: builder.sharedNames.has(name), symbol: null };
  builder.blocks.at(-1)?.set(name, local);
  return local;
}

export function findLocal(builder: Builder, name: string): Local | null {
  for (let at = builder.blocks.length - 1; at >= 0; at--) {
    const local = builder.blocks[at]?.get(name);
    if (local !== undefined) return local;
  }
  return null;
}

export function labelNamed(builder: Builder, name: string): Label {
  const known = builder.labels.get(name) ?? newLabel();
  builder.labels.set(name, known);
  return known;
}

export function problem(builder: Builder, span: Span, message: string): void {
  builder.problems.push({ place: { file: builder.file, span }, message });
}

/**
 * The operations that the first one leads to, with their targets as indices. A jump that leads nowhere but to itself
 * becomes an endless branch.
 */
export function finish(builder: Builder, end: Span): readonly LoweredOperation[] {
  let endless: OperationIndex | null = null;
  const resolve: Resolve = (label) => target(label).index ?? (endless ??= builder.operations.length);
  const made = builder.operations.map((operation): LoweredOperation => {
    const { text, span } = operation;
    return { operation: operation.make(resolve), text, origin: { file: builder.file, span, uses: [] } };
  });
  if (endless !== null) {
    const operation: LooseOperation = { kind: 'branch', condition: { kind: 'constant', value: 1n }, then: endless, otherwise: endless };
    made.push({ operation, text: textAt(builder, end), origin: { file: builder.file, span: end, uses: [] } });
  }
  return reachable(made);
}

function reachable(operations: readonly LoweredOperation[]): readonly LoweredOperation[] {
  const seen = new Set<OperationIndex>();
  const open: OperationIndex[] = operations.length === 0 ? [] : [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const one = operations[at];
    if (one === undefined || seen.has(at)) continue;
    seen.add(at);
    open.push(...targetsOf(one.operation));
  }
  const numbers = new Map([...seen].sort((a, b) => a - b).map((old, index) => [old, index]));
  const renumber = (old: OperationIndex): OperationIndex => numbers.get(old) ?? 0;
  return operations.filter((_, index) => seen.has(index)).map((one) => ({ ...one, operation: retargeted(one.operation, renumber) }));
}

function targetsOf(operation: LooseOperation): readonly OperationIndex[] {
  switch (operation.kind) {
    case 'branch':
      return [operation.then, operation.otherwise];
    case 'call':
      return operation.fixup === null ? [operation.next] : [operation.next, operation.fixup];
    case 'return':
      return [];
    case 'enter':
    case 'assign':
    case 'store':
      return [operation.next];
    default:
      return unreachable(operation);
  }
}

function retargeted(operation: LooseOperation, to: (old: OperationIndex) => OperationIndex): LooseOperation {
  switch (operation.kind) {
    case 'branch':
      return { ...operation, then: to(operation.then), otherwise: to(operation.otherwise) };
    case 'call':
      return { ...operation, next: to(operation.next), fixup: operation.fixup === null ? null : to(operation.fixup) };
    case 'return':
      return operation;
    case 'enter':
    case 'assign':
    case 'store':
      return { ...operation, next: to(operation.next) };
    default:
      return unreachable(operation);
  }
}
