// Finds the files of a workspace that may belong to a design: assembler, C and scenario files, by name and by the word
// `xctx`. Capped, and what was left out is said: a kernel tree has 80,000 files.
import { isOwnFolder } from '../shell/folders.ts';
import type { Folders } from '../shell/folders.ts';

export interface FoundFiles {
  readonly files: readonly string[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Files below these folders; one of each folder is enough to name its unit. */
export type EntryFiles = (folders: readonly string[]) => Promise<FoundFiles>;

const mostFolders = 4000;
const mostSlowFolders = 400;
const mostSlowTexts = 1000;
const mostUnits = 200;

export async function findEntryFiles(source: Folders, folders: readonly string[]): Promise<FoundFiles> {
  const files: string[] = [];
  const waiting = [...folders];
  let visited = 0;
  let slowTexts = 0;

  async function isMarked(path: string, name: string): Promise<boolean> {
    if (/\.xctx-scenario\.(?:ya?ml|json)$|^\.xctx\.yaml$/.test(name)) return true;
    if (!/\.(?:S|s|c)$/.test(name)) return false;
    if (source.isSlow(path) && ++slowTexts > mostSlowTexts) return false;
    return (await source.text(path))?.includes('xctx:') === true;
  }

  while (waiting.length > 0 && visited < (source.isSlow(waiting[0] ?? '') ? mostSlowFolders : mostFolders) && files.length < mostUnits) {
    const folder = waiting.shift();
    if (folder === undefined) break;
    visited += 1;
    const { names, below } = await source.entries(folder);
    waiting.push(...[...below].sort().filter(isOwnFolder).map((name) => `${folder}/${name}`));
    // Names alone say most, and cost nothing.
    const inOrder = [...names].sort((a, b) => Number(/\.[Ssc]$/.test(a)) - Number(/\.[Ssc]$/.test(b)) || (a < b ? -1 : 1));
    for (const name of inOrder) {
      if (!(await isMarked(`${folder}/${name}`, name))) continue;
      files.push(`${folder}/${name}`);
      break;
    }
  }
  const notes = waiting.length === 0 ? [] : [`looked into ${visited} folders only; ${waiting.length} or more were left out`];
  return { files, notes: slowTexts <= mostSlowTexts ? notes : [...notes, `read ${mostSlowTexts} source files only; ${slowTexts - mostSlowTexts} were left out`] };
}
