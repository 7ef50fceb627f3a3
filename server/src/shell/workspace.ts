// The disk as the review reads it, for the command line and the language server on Node: capped, cached, and able to
// say why a file was not read. Knows nothing of what the files mean.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Workspace } from '../core/review-types.ts';
import { seenOf } from './seen.ts';
import type { Seen } from './seen.ts';

/** Entry code is small; a file above this is generated or not source. */
export const largestFile = 4 * 1024 * 1024;
/** Directory entries listed of one folder. */
export const largestFolder = 20_000;

/** Why a file was not read, as one clause: `no such file`, `not analysed: binary file`. */
export type Refusal = string;

export interface NodeWorkspace extends Workspace {
  /** Why `read` gave null; null where it gave the text. */
  readonly refusal: (path: string) => Refusal | null;
  /** The file may have changed on disk. */
  readonly forget: (path: string) => void;
  /** What was asked of it so far, and what it answered. */
  readonly seen: () => Seen;
  /** Every file that was asked for and refused, other than files that do not exist. */
  readonly refused: () => readonly { readonly path: string; readonly refusal: Refusal }[];
}

type Entry = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'refused'; readonly refusal: Refusal };

export const missing: Refusal = 'no such file';

/**
 * Paths are taken relative to `root`, or are `file:` URIs. `extra` are files that exist for this run only, under the
 * paths given, and win over the disk.
 */
export function createNodeWorkspace(root: string, extra: ReadonlyMap<string, string> = new Map()): NodeWorkspace {
  const entries = new Map<string, Entry>();
  const folders = new Map<string, readonly string[]>();
  let day: string | null = null;

  const entryOf = (path: string): Entry => {
    const known = entries.get(path);
    if (known !== undefined) return known;
    const own = extra.get(path);
    const entry: Entry = own === undefined ? readEntry(onDisk(root, path)) : { kind: 'text', text: own };
    entries.set(path, entry);
    return entry;
  };

  return {
    read: (path) => {
      const entry = entryOf(path);
      return entry.kind === 'text' ? entry.text : null;
    },
    today: () => (day = new Date().toISOString().slice(0, 10)),
    list: (folder) => {
      const names = new Set(listFiles(onDisk(root, folder)));
      const prefix = folder === '' ? '' : `${folder}/`;
      for (const path of extra.keys()) {
        const rest = path.startsWith(prefix) ? path.slice(prefix.length) : '';
        if (rest !== '' && !rest.includes('/')) names.add(rest);
      }
      const listed = [...names].sort();
      folders.set(folder, listed);
      return listed;
    },
    seen: () => seenOf([...entries].map(([path, entry]) => [path, entry.kind === 'text' ? entry.text : null, entry.kind === 'text' ? '' : entry.refusal]), folders, day),
    refusal: (path) => {
      const entry = entryOf(path);
      return entry.kind === 'refused' ? entry.refusal : null;
    },
    forget: (path) => void entries.delete(path),
    refused: () =>
      [...entries].flatMap(([path, entry]) =>
        entry.kind === 'refused' && entry.refusal !== missing ? [{ path, refusal: entry.refusal }] : [],
      ),
  };
}

/** The path of the file system behind a path or `file:` URI of the review. */
export function onDisk(root: string, path: string): string {
  return path.startsWith('file:') ? fileURLToPath(path) : resolve(root, path);
}

function readEntry(path: string): Entry {
  try {
    const status = statSync(path);
    if (status.isDirectory()) return { kind: 'refused', refusal: 'is a folder' };
    if (!status.isFile()) return { kind: 'refused', refusal: 'not analysed: not a plain file' };
    if (status.size > largestFile) return { kind: 'refused', refusal: `not analysed: larger than ${largestFile / 1024 / 1024} MB` };
    const bytes = readFileSync(path);
    if (bytes.subarray(0, 8000).includes(0)) return { kind: 'refused', refusal: 'not analysed: binary file' };
    return { kind: 'text', text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/^\ufeff/, ' ') };
  } catch (error) {
    return { kind: 'refused', refusal: reason(error) };
  }
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .slice(0, largestFolder)
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** An error of the file system in the words of the user. */
export function reason(error: unknown): Refusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return missing;
    case 'EACCES':
    case 'EPERM':
      return 'not readable: permission denied';
    case 'ELOOP':
      return 'not readable: symbolic links in a circle';
    case 'ENAMETOOLONG':
      return 'not readable: the name is too long';
    default:
      return `not readable: ${code === '' ? String(error) : code}`;
  }
}
