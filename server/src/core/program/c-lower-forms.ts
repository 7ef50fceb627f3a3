// Which calls are read by their name, whatever a function or macro of that name may say.
import { accessorNamed } from './c-accessors.ts';
import { assigningCalls, bugAssertions, compileTimeCalls, perCpuNames, perCpuPointers, transparentCalls, warnAssertions, wordAccessNamed } from './c-lower-words.ts';

/** `container_of(pointer, type, member)` and its kin. */
export const containerMacro = /^(?:container_of(?:_const)?|h?list_entry)$/;

/** Choices that the kernel patches into its code: a call by this name says more than what the macro is made of. */
const patchedChoice = /^(?:cpu_feature_enabled|static_cpu_has|boot_cpu_has|this_cpu_has|static_branch_(?:un)?likely|static_key_(?:true|false|enabled))$/;

/** A call that no macro of its name is expanded for. */
export function isKeptCall(name: string): boolean {
  return isBuiltInForm(name) || patchedChoice.test(name);
}

export function isBuiltInForm(name: string): boolean {
  return (
    compileTimeCalls.test(name) ||
    transparentCalls.has(name) ||
    wordAccessNamed(name) !== null ||
    perCpuPointers.has(name) ||
    perCpuNames.has(name) ||
    accessorNamed(name) !== null ||
    bugAssertions.has(name) ||
    warnAssertions.has(name) ||
    assigningCalls.has(name) ||
    containerMacro.test(name) ||
    name === 'current' ||
    name === 'NULL' ||
    name === '__builtin_constant_p'
  );
}
