// Inline assembly as calls named `asm:<mnemonic>`: the linker knows what `sti` does, and that it knows no other.
import type { CAssembly } from '../syntax/c-syntax.ts';
import { emit, emitBranch, emitLast, labelNamed, newLabel, place, textAt } from './c-lower-builder.ts';
import type { Builder } from './c-lower-builder.ts';
import { storeTo } from './c-lower-stores.ts';
import { lowerPlace } from './c-lower-places.ts';
import { lowerValue } from './c-lower-terms.ts';
import { unknown } from './c-lower-values.ts';
import { unsignedLong } from './c-types.ts';

/** Instructions without operands whose effect is on the CPU as a whole: each is a call of its own. */
const plainInstruction = /^(?:sti|cli|hlt|swapgs|nop|pause|ud2|int3|clac|stac|iretq|cpuid|pushfq?|popfq?|mfence|lfence|sfence|serialize)$/;

/** The mnemonics of a template, labels, directives and prefixes left out. */
function mnemonics(template: string): readonly string[] {
  return template
    .split(/[;\n]/)
    .map((line) => line.replace(/^\s*(?:[\w.%=]+:\s*)*/, '').replace(/^(?:lock|rep[a-z]*|notrack)\s+/, '').trim())
    .filter((line) => line !== '' && !/^[.#/]/.test(line));
}

export function lowerAssembly(builder: Builder, term: CAssembly): void {
  const values = term.inputs.map((input) => lowerValue(builder, input).expression);
  const lines = mnemonics(term.template);
  const [first] = lines;
  // An empty template is a barrier for the compiler: no instruction, no step.
  const names = lines.length > 0 && lines.every((line) => plainInstruction.test(line)) ? lines : first === undefined ? [] : [/^[\w.]+/.exec(first)?.[0] ?? first];
  for (const name of names) {
    const next = newLabel();
    next.used = true;
    // An exception-table entry of the statement continues behind it unless the template says where; that is not read.
    emitLast(builder, term.span, (resolve) => ({
      kind: 'call',
      name: `asm:${name}`,
      arguments: values,
      result: null,
      next: resolve(next),
      fixup: term.extable === null ? null : resolve(next),
    }));
    place(builder, next);
  }
  if (names.length === 0 && term.extable !== null) {
    emit(builder, term.span, (next) => ({ kind: 'call', name: 'asm:', arguments: values, result: null, next, fixup: next }));
  }
  for (const output of term.outputs) {
    const text = textAt(builder, output.span);
    storeTo(builder, term.span, lowerPlace(builder, output), { expression: unknown(text), type: unsignedLong }, 'asm', text);
  }
  for (const label of term.labels) {
    const on = newLabel();
    emitBranch(builder, term.span, unknown(textAt(builder, term.span)), labelNamed(builder, label), on);
    place(builder, on);
  }
}
