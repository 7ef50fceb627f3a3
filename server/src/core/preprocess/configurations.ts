// Configurations by name and from a `.config`: which CONFIG_ symbols are set. Knows no tree; folders of includes are
// the caller's.
import type { Configuration } from './stream.ts';

/** What the compiler and the kernel's build define for every assembler file. */
export const assemblerDefines: ReadonlyMap<string, string> = new Map([
  ['__ASSEMBLY__', '1'], ['__ASSEMBLER__', '1'], ['__x86_64__', '1'], ['__x86_64', '1'], ['__amd64__', '1'], ['__LP64__', '1'], ['__ELF__', '1'],
  ['__KERNEL__', '1'], ['__linux__', '1'], ['linux', '1'], ['unix', '1'], ['__unix__', '1'], ['__GNUC__', '12'], ['__GNUC_MINOR__', '2'],
  ['__GNUC_PATCHLEVEL__', '0'], ['__SIZEOF_POINTER__', '8'], ['__SIZEOF_LONG__', '8'], ['__BYTE_ORDER__', '1234'], ['__ORDER_LITTLE_ENDIAN__', '1234'],
  ['__CHAR_BIT__', '8'], ['CC_USING_FENTRY', '1'],
]);

/** `CONFIG_X=y` is 1, `=m` defines CONFIG_X_MODULE, strings and numbers are taken as written. */
export function parseConfig(text: string): Map<string, string> {
  const defines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^(?:#define\s+)?(CONFIG_\w+)(?:=|\s+)(.*?)\s*$/.exec(line);
    if (found === null) continue;
    const [, name, value] = found;
    if (value === 'y') defines.set(name!, '1');
    else if (value === 'm') defines.set(`${name!}_MODULE`, '1');
    else if (value !== 'n') defines.set(name!, value!);
  }
  return defines;
}

export function configurationOf(name: string, config: ReadonlyMap<string, string>, includePaths: readonly string[] = []): Configuration {
  return { name, defines: config, includePaths };
}

export const emptyConfiguration: Configuration = { name: 'none', defines: new Map(), includePaths: [] };
