// Files and options for the sub-commands that preprocess. Knows nothing of what is done with either.
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { FileSource } from '../core/preprocess/stream.ts';

export { chooseConfiguration } from '../core/preprocess/choose-configuration.ts';
export { findKernelRoot } from '../core/preprocess/includes.ts';

/** Every file is read once; what cannot be read is not there. */
export function diskSource(): FileSource {
  const kept = new Map<string, string | null>();
  return {
    read: (path) => {
      const known = kept.get(path);
      if (known !== undefined) return known;
      let text: string | null = null;
      try {
        if (existsSync(path) && statSync(path).isFile()) text = readFileSync(path, 'utf8').replace(/^\ufeff/, ' ');
      } catch {
        // Not readable counts as not there.
      }
      kept.set(path, text);
      return text;
    },
  };
}

/** `argv` split into options with a value and the rest; a message where an option is unknown or lacks its value. */
export function readOptions(argv: readonly string[], names: readonly string[]): { readonly values: ReadonlyMap<string, readonly string[]>; readonly rest: readonly string[] } | string {
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const each = argv[i]!;
    if (!each.startsWith('-')) {
      rest.push(each);
      continue;
    }
    const equals = each.startsWith('--') ? each.indexOf('=') : -1;
    let name = equals === -1 ? each : each.slice(0, equals);
    let value = equals === -1 ? undefined : each.slice(equals + 1);
    if (each.startsWith('-D') && names.includes('-D')) {
      name = '-D';
      value = each.length > 2 ? each.slice(2) : undefined;
    }
    if (!names.includes(name)) return `unknown option ${name}: there are ${names.join(', ')}`;
    value ??= argv[++i];
    if (value === undefined) return `option ${name} needs a value`;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return { values, rest };
}
