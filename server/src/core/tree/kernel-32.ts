// What of a tree belongs to its 32-bit kernel alone.

/** The option that tells it. */
export const X86_32 = 'CONFIG_X86_32';

/** C files that belong to its entry code. */
export const files32: readonly string[] = ['arch/x86/kernel/doublefault_32.c', 'arch/x86/kernel/process_32.c'];
