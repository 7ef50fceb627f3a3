// The review's Workspace on a disk, and the grammars beside the bundle. Reads files and folders, runs nothing. Texts
// that the host handed over (a virtual workspace has no disk) are found by their URI.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GrammarBytes } from '../core/review.ts';
import type { Workspace } from '../core/review-types.ts';

const largestFile = 1_000_000;

export interface HostWorkspace extends Workspace {
  readonly give: (files: readonly { readonly file: string; readonly text: string }[]) => void;
}

export function createWorkspace(): HostWorkspace {
  const given = new Map<string, string>();
  return {
    give: (files) => {
      for (const { file, text } of files) given.set(file, text);
    },
    read: (path) => given.get(path) ?? readText(path),
    list: (folder) => {
      const names = new Set(listDisk(folder));
      const prefix = folder.endsWith('/') ? folder : `${folder}/`;
      for (const file of given.keys()) {
        const name = file.startsWith(prefix) ? file.slice(prefix.length) : '/';
        if (!name.includes('/')) names.add(name);
      }
      return [...names].sort();
    },
  };
}

/** Null for what is absent, binary, or too large to be source code of an entry path. */
function readText(path: string): string | null {
  try {
    if (statSync(path).size > largestFile) return null;
    const text = readFileSync(path, 'utf8');
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

function listDisk(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Throws where a file is missing: the package is broken then. */
export function readGrammars(folder: string): GrammarBytes {
  const read = (name: string): Uint8Array => readFileSync(join(folder, name));
  return { core: read('web-tree-sitter.wasm'), gas: read('tree-sitter-gas.wasm'), c: read('tree-sitter-c.wasm') };
}
