// The 32-bit kernel that a tree also builds: its configuration, and which C files are its own. One stands for all of them.
import { configurationOf, presetConfiguration } from '../preprocess/configurations.ts';
import type { Configuration } from '../preprocess/stream.ts';

/** Set in 64-bit kernels alone, or of code that only those build. */
const only64 = /^CONFIG_(?:64BIT|X86_64\w*|X86_5LEVEL|X86_ESPFIX64|IA32_EMULATION|COMPAT\w*|COMPAT_32|VMAP_STACK|HAVE_UID16|UID16|X86_VSYSCALL_EMULATION|PHYS_ADDR_T_64BIT|X86_KERNEL_IBT|X86_CET|X86_FRED|MITIGATION_CALL_DEPTH_TRACKING|CALL_THUNKS|CALL_PADDING|OBJTOOL)$/;

const own = 'X86_32 X86_32_SMP X86_ESPFIX32 VM86 HIGHMEM X86_PAE MATH_EMULATION X86_F00F_BUG DOUBLEFAULT X86_INVD_BUG VMAP_STACK'.split(' ');

const made = new Map<string, Configuration>();

/** The configuration of a release, or null where there is no such release. */
export function configuration32(release: string): Configuration | null {
  const before = made.get(release);
  if (before !== undefined) return before;
  const preset = presetConfiguration(`${release}:pti`);
  if (preset === null) return null;
  const defines = new Map([...preset.defines].filter(([name]) => !only64.test(name)));
  for (const name of own) defines.set(`CONFIG_${name}`, '1');
  const configuration = configurationOf(`${release}:32-bit`, defines);
  made.set(release, configuration);
  return configuration;
}

/** The option that tells it. */
export const X86_32 = 'CONFIG_X86_32';

export function is32(configuration: Configuration): boolean {
  return configuration.defines.has(X86_32);
}

/** C files of 32-bit kernels that belong to its entry code. */
export const files32: readonly string[] = ['arch/x86/kernel/doublefault_32.c', 'arch/x86/kernel/process_32.c'];
