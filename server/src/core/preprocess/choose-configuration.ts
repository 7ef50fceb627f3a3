// The configuration that a file is read with: the one named, else its tree's own `.config`, else the preset of the tree's
// release. Knows files only by the source it is given.
import { configurationOf, emptyConfiguration, parseConfig, presetConfiguration, presetNames, releaseFor } from './configurations.ts';
import { findKernelRoot } from './includes.ts';
import type { Configuration, FileSource } from './stream.ts';

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
export function releaseOf(root: string | null, source: FileSource): string {
  const makefile = root === null ? null : source.read(`${root}Makefile`);
  const found = makefile === null ? null : /^VERSION = (\d+)\nPATCHLEVEL = (\d+)/m.exec(makefile);
  return found === null ? releaseFor(Infinity, 0) : releaseFor(Number(found[1]), Number(found[2]));
}
