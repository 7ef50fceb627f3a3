// Statements of C entry code that are there to fault: accesses that an exception table recovers, by the exception that
// they raise. What any code may raise (an NMI, a bad pointer) is not among them.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';

export interface FaultingFunction {
  readonly function: TreeFunction;
  readonly steps: readonly Step[];
}

/** User and probed memory: `include/linux/uaccess.h`, `arch/x86/include/asm/uaccess.h` (semantics.md §20). */
const access = /^(?:__|raw_|unsafe_|_)*(?:copy_(?:from|to)_(?:user|kernel)\w*|(?:get|put)_(?:user|kernel)\w*|clear_user|strn(?:cpy|len)_from_user\w*|strnlen_user|copy_mc_\w+|probe_(?:user|kernel)\w*)$/;
/** Registers that may not be there: `arch/x86/include/asm/msr.h`. */
const register = /^(?:native_)?(?:rd|wr|read_|write_)msr\w*_safe\w*$/;

/** Inline assembly that an exception table recovers touches memory, or a register that may not be there. */
const registerAssembly = /\b(?:rd|wr)msr/;

const calls: ReadonlyMap<string, RegExp> = new Map([
  ['PF', access],
  ['VE', access],
  ['GP', register],
]);

/** By a vector's name; empty for exceptions that no statement is written to raise. */
export function faultingFunctions(tree: Tree, vector: string): readonly FaultingFunction[] {
  const names = calls.get(vector);
  if (names === undefined) return [];
  return tree.functions.flatMap((one) => {
    const steps = one.graph().steps.filter((step) => (step.kind === 'call' ? !step.indirect && names.test(step.name) : step.kind === 'asm' && step.extable !== null && registerAssembly.test(step.text) === (names === register)));
    return steps.length === 0 ? [] : [{ function: one, steps: [...steps].sort((a, b) => a.span.start - b.span.start) }];
  });
}
