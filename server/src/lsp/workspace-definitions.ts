// The definitions of a workspace's files for "go to symbol in workspace": looked for when somebody asks for the first time,
// scanned a few milliseconds at a time, and again where a file changed. Of a kernel tree what x86 entry code
// is made of.
import type { Review } from '../core/review-types.ts';
import { isOwnFolder } from '../shell/folders.ts';
import type { Folders } from '../shell/folders.ts';

export interface WorkspaceDefinitions {
  /** Settles when the review knows the definitions of all files in these folders. */
  readonly ready: (review: Review, folders: readonly string[]) => Promise<void>;
  /** The files may have changed, come or gone. */
  readonly changed: (files: readonly string[]) => void;
}

/** Milliseconds between two looks at what else is to be done. */
const AT_ONCE = 15;
const MOST_FILES = 5000;
const OF_A_KERNEL = ['arch/x86', 'kernel/entry'];
/** Where each file may come over a network. */
const MOST_SLOW_FILES = 400;
const OF_A_SLOW_KERNEL = ['arch/x86/entry', 'kernel/entry', 'arch/x86/include/asm'];

export function createWorkspaceDefinitions(source: Folders): WorkspaceDefinitions {
  const known = new Set<string>();
  /** Of the workspace folders whose files are known, the folders whose files count. */
  const roots = new Map<string, readonly string[]>();
  const waiting = new Set<string>();
  let running: Promise<void> | null = null;

  async function list(folders: readonly string[]): Promise<void> {
    for (const folder of folders) {
      if (roots.has(folder)) continue;
      roots.set(folder, []);
      const own = await rootsOf(folder);
      roots.set(folder, own);
      for (const file of await filesOf(own, (source.isSlow(folder) ? MOST_SLOW_FILES : MOST_FILES) - known.size)) {
        known.add(file);
        waiting.add(file);
      }
    }
  }

  async function scan(review: Review): Promise<void> {
    let began = performance.now();
    for (const file of waiting) {
      waiting.delete(file);
      review.indexDefinitions(file, await source.text(file));
      if (performance.now() - began < AT_ONCE) continue;
      await new Promise((resume) => setImmediate(resume));
      began = performance.now();
    }
  }

  /** Folders of a workspace folder whose files count. */
  async function rootsOf(folder: string): Promise<readonly string[]> {
    const { names } = await source.entries(`${folder}/arch/x86/entry`);
    return names.length === 0 ? [folder] : (source.isSlow(folder) ? OF_A_SLOW_KERNEL : OF_A_KERNEL).map((name) => `${folder}/${name}`);
  }

  /** Folder by folder, those above first. */
  async function filesOf(own: readonly string[], most: number): Promise<readonly string[]> {
    const files: string[] = [];
    const folders = [...own];
    for (let at = folders.shift(); at !== undefined && files.length < most; at = folders.shift()) {
      const { names, below } = await source.entries(at);
      for (const name of names) if (isSource(name)) files.push(`${at}/${name}`);
      for (const name of below) if (isOwnFolder(name)) folders.push(`${at}/${name}`);
    }
    return files.slice(0, Math.max(0, most));
  }

  return {
    ready: async (review, folders) => {
      running ??= list(folders).then(() => scan(review)).finally(() => {
        running = null;
      });
      await running;
    },
    changed: (files) => {
      for (const file of files) {
        if (!isSource(file) || ![...roots.values()].flat().some((root) => file.startsWith(`${root}/`))) continue;
        known.add(file);
        waiting.add(file);
      }
    },
  };
}

const isSource = (name: string): boolean => /\.[chsS]$/.test(name) && !name.endsWith('.lds.S');
