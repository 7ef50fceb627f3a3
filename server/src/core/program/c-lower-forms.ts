// Which calls are read by their name, whatever a function or macro of that name may say.
import { accessorNamed } from './c-accessors.ts';
import { assigningCalls, bugAssertions, compileTimeCalls, perCpuNames, perCpuPointers, transparentCalls, warnAssertions, wordAccessNamed } from './c-lower-words.ts';

/** `container_of(pointer, type, member)` and its kin. */
export const containerMacro = /^(?:container_of(?:_const)?|h?list_entry)$/;

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
