// Files and configurations for the sub-commands that preprocess: text from the disk, and the configuration that a
// file is read with where none is named. Knows nothing of what is done with either.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { configurationOf, emptyConfiguration, parseConfig, presetConfiguration, presetNames } from '../core/preprocess/configurations.ts';
import { findKernelRoot } from '../core/preprocess/includes.ts';
import type { Configuration, FileSource } from '../core/preprocess/stream.ts';

/** Every file is read once; what cannot be read is not there. */
export function diskSource(): FileSource {
  const kept = new Map<string, string | null>();
  return {
    read: (path) => {
      const known = kept.get(path);
      if (known !== undefined) return known;
      let text: string | null = null;
      try {
        if (existsSync(path) && statSync(path).isFile()) text = readFileSync(path, 'utf8');
      } catch {
        // Not readable counts as not there.
      }
      kept.set(path, text);
      return text;
    },
  };
}

export interface ConfigurationChoice {
  /** A `.config` or the name of a preset. */
  readonly config: string | null;
  /** A variant of the tree's release. */
  readonly variant: string | null;
  /** `NAME` or `NAME=VALUE`. */
  readonly defines: readonly string[];
}

/** The configuration, or a message why there is none. */
export function chooseConfiguration(file: string, source: FileSource, choice: ConfigurationChoice): Configuration | string {
  const chosen = baseConfiguration(file, source, choice);
  if (typeof chosen === 'string' || choice.defines.length === 0) return chosen;
  const defines = new Map(chosen.defines);
  for (const each of choice.defines) {
    const equals = each.indexOf('=');
    if (equals === -1) defines.set(each, '1');
    else defines.set(each.slice(0, equals), each.slice(equals + 1));
  }
  return { ...chosen, defines };
}

function baseConfiguration(file: string, source: FileSource, { config, variant }: ConfigurationChoice): Configuration | string {
  if (config !== null) {
    const preset = presetConfiguration(config);
    if (preset !== null) return preset;
    const text = source.read(config);
    return text === null ? `no configuration ${config}: neither a file nor one of ${presetNames.join(', ')}` : configurationOf(config, parseConfig(text));
  }
  const root = findKernelRoot(file, source);
  if (root === null && variant === null) return emptyConfiguration;
  if (root !== null && variant === null) {
    const own = source.read(`${root}.config`);
    if (own !== null) return configurationOf(`${root}.config`, parseConfig(own));
  }
  const name = `${releaseOf(root, source)}:${variant ?? 'pti'}`;
  return presetConfiguration(name) ?? `no configuration ${name}: there are ${presetNames.join(', ')}`;
}

/** The preset's release nearest to the tree's: its own or the last one before it. */
function releaseOf(root: string | null, source: FileSource): string {
  const makefile = root === null ? null : source.read(`${root}Makefile`);
  const found = makefile === null ? null : /^VERSION = (\d+)\nPATCHLEVEL = (\d+)/m.exec(makefile);
  if (found === null) return '6.12';
  return Number(found[1]) > 6 || (Number(found[1]) === 6 && Number(found[2]) >= 6) ? '6.12' : '6.1';
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
