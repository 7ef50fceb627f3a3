// Finds the files of a workspace that may belong to a design: assembler, C and scenario files, by name and by the word
// `xctx`. Capped, and what was left out is said: a kernel tree has 80,000 files.
import { readdirSync, readFileSync, statSync } from 'node:fs';

export interface FoundFiles {
  readonly files: readonly string[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Files below these folders; one of each folder is enough to name its unit. */
export type EntryFiles = (folders: readonly string[]) => FoundFiles;

const mostFolders = 4000;
const mostUnits = 200;
const largestFile = 1_000_000;

export const findEntryFiles: EntryFiles = (folders) => {
  const files: string[] = [];
  const waiting = [...folders];
  let visited = 0;
  while (waiting.length > 0 && visited < mostFolders && files.length < mostUnits) {
    const folder = waiting.shift();
    if (folder === undefined) break;
    visited += 1;
    const { names, below } = listFolder(folder);
    waiting.push(...below);
    const marked = names.find((name) => isMarked(`${folder}/${name}`, name));
    if (marked !== undefined) files.push(`${folder}/${marked}`);
  }
  return { files, notes: waiting.length === 0 ? [] : [`looked into ${visited} folders only; ${waiting.length} or more were left out`] };
};

function listFolder(folder: string): { readonly names: readonly string[]; readonly below: readonly string[] } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules');
    return { names: entries.filter((entry) => entry.isFile()).map((entry) => entry.name), below: below.map((entry) => `${folder}/${entry.name}`) };
  } catch {
    return { names: [], below: [] };
  }
}

function isMarked(path: string, name: string): boolean {
  if (/\.xctx-scenario\.(?:ya?ml|json)$|^\.xctx\.yaml$/.test(name)) return true;
  if (!/\.(?:S|s|c)$/.test(name)) return false;
  try {
    return statSync(path).size <= largestFile && readFileSync(path, 'utf8').includes('xctx:');
  } catch {
    return false;
  }
}
