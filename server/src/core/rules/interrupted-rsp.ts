// How C code gets at the stack pointer that an event interrupted, and what proves that it is the kernel's: shared by the
// rules about moving a frame there and about taking it for a position in a kernel stack.
import type { TreeFunction } from '../tree/tree.ts';
import type { Proof } from './tree-proofs.ts';

export const notInGap: Proof = { key: 'g', what: 'ip_within_syscall_gap() said no', test: (text, holds) => !holds && text.startsWith('ip_within_syscall_gap(') };
export const notUser: Proof = { key: 'k', what: 'user_mode() said no', test: (text, holds) => !holds && text.startsWith('user_mode(') };
export const knownStack: Proof = { key: 's', what: 'get_stack_info_noinstr() knows the stack', test: (text, holds) => holds && /^get_stack_info(?:_noinstr)?\(/.test(text) };
export const notEntryStack: Proof = { key: 'e', what: 'the stack is not the entry stack', test: (text, holds) => !holds && text.endsWith('== STACK_TYPE_ENTRY') };
export const inRange: Proof = { key: 'r', what: 'the stack is one of the known exception stacks', test: (text, holds) => !holds && text.endsWith('> STACK_TYPE_EXCEPTION_LAST') };

/** The parameter whose saved stack pointer a function reads. */
export function registersOf(one: TreeFunction): string | undefined {
  return one.parameters.find((name) => one.graph().steps.some((step) => step.text.includes(`${name}->sp`)));
}

/** Names that hold a value or are made from it. */
export function aliases(one: TreeFunction, source: string): readonly string[] {
  const names = [source];
  for (const step of one.graph().steps) if (step.kind === 'store' && /^\w+$/.test(step.target) && mentions(step.value, source)) names.push(step.target);
  return names;
}

export function mentions(text: string, name: string): boolean {
  const at = text.indexOf(name);
  return at !== -1 && !/\w/.test(text[at + name.length] ?? '') && !/[\w>.]/.test(text[at - 1] ?? '');
}
