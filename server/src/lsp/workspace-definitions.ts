// The definitions of a workspace's files for "go to symbol in workspace": found on the disk when somebody asks for the
// first time, scanned a few milliseconds at a time, and again where a file changed. Of a kernel tree what x86 entry code
// is made of.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Review } from '../core/review-types.ts';

export interface WorkspaceDefinitions {
  /** Settles when the review knows the definitions of all files in these folders. */
  readonly ready: (review: Review, folders: readonly string[]) => Promise<void>;
  /** The files may have changed, come or gone. */
  readonly changed: (files: readonly string[]) => void;
}

/** Milliseconds between two looks at what else is to be done. */
const AT_ONCE = 15;
const MOST_FILES = 5000;
const LARGEST = 1_000_000;
const OF_A_KERNEL = ['arch/x86', 'kernel/entry'];

export function createWorkspaceDefinitions(): WorkspaceDefinitions {
  const known = new Set<string>();
  /** Folders whose files are known. */
  const listed = new Set<string>();
  const waiting = new Set<string>();
  let running: Promise<void> | null = null;

  function list(folders: readonly string[]): void {
    for (const folder of folders) {
      if (listed.has(folder)) continue;
      listed.add(folder);
      for (const file of filesOf(folder, MOST_FILES - known.size)) {
        known.add(file);
        waiting.add(file);
      }
    }
  }

  async function scan(review: Review): Promise<void> {
    let began = performance.now();
    for (const file of waiting) {
      waiting.delete(file);
      review.indexDefinitions(file, textOf(file));
      if (performance.now() - began < AT_ONCE) continue;
      await new Promise((resume) => setImmediate(resume));
      began = performance.now();
    }
  }

  return {
    ready: async (review, folders) => {
      list(folders);
      running ??= scan(review).finally(() => {
        running = null;
      });
      await running;
    },
    changed: (files) => {
      for (const file of files) {
        if (!isSource(file) || ![...listed].some((folder) => isIn(file, folder))) continue;
        known.add(file);
        waiting.add(file);
      }
    },
  };
}

const isSource = (name: string): boolean => /\.[chsS]$/.test(name) && !name.endsWith('.lds.S');

/** Folders of a workspace folder whose files count. */
function rootsOf(folder: string): readonly string[] {
  return existsSync(`${folder}/arch/x86/entry`) ? OF_A_KERNEL.map((name) => `${folder}/${name}`) : [folder];
}

function isIn(file: string, folder: string): boolean {
  return rootsOf(folder).some((root) => file.startsWith(`${root}/`));
}

/** Folder by folder, those above first. */
function filesOf(folder: string, most: number): readonly string[] {
  const files: string[] = [];
  const folders = [...rootsOf(folder)];
  for (let at = folders.shift(); at !== undefined && files.length < most; at = folders.shift()) {
    for (const entry of entriesOf(at)) {
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') folders.push(`${at}/${entry.name}`);
      else if (entry.isFile() && isSource(entry.name)) files.push(`${at}/${entry.name}`);
    }
  }
  return files.slice(0, Math.max(0, most));
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Null where there is no such file, or none that anybody wrote. */
function textOf(file: string): string | null {
  try {
    return statSync(file).size > LARGEST ? null : readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
