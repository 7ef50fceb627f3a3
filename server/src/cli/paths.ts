// From the paths on the command line to the files that are reviewed: folders are searched below, with caps that are
// said. Knows nothing of what is in a file.
import { readdirSync, statSync } from 'node:fs';
import { findKernelRoot } from './sources.ts';
import { missing, onDisk, reason } from '../shell/workspace.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';
import { treePaths } from './tree-path.ts';

export const mostFiles = 4000;
export const deepest = 24;

/** Linker scripts: the C preprocessor reads them, the assembler does not. */
const linkerScript = /\.lds\.S$/;
const source = /\.(?:S|s|c)$|\.xctx-scenario\.(?:ya?ml|json)$/;
const header = /\.h$/;
const skippedFolders: ReadonlySet<string> = new Set(['node_modules']);

export interface Sources {
  /** Files to review, in the spelling of the command line, in order. */
  readonly files: readonly string[];
  /** Files that were named themselves; only they, and what runs through them, are then reported. */
  readonly named: ReadonlySet<string>;
  /** Folders that were named; everything below is reported. */
  readonly folders: readonly string[];
  /** Caps that were hit. */
  readonly notes: readonly string[];
}

export type Found = { readonly kind: 'sources'; readonly sources: Sources } | { readonly kind: 'refused'; readonly message: string };

/** Every path must be a folder with sources below it or a readable source, header or scenario file. */
export function findSources(paths: readonly string[], cwd: string, workspace: NodeWorkspace, given: ReadonlySet<string> = new Set()): Found {
  const files = new Set<string>();
  const named = new Set<string>();
  const folders: string[] = [];
  const notes: string[] = [];
  const tree = treePaths(cwd);
  for (const one of paths) {
    if (one === '') return refused('a path is empty; name files or folders, for example .');
    const path = given.has(one) ? one : tree.inside(tidy(one));
    const kind = given.has(one) ? 'file' : kindOf(onDisk(cwd, path));
    if (kind === 'folder') {
      const below = filesBelow(path, cwd, notes);
      if (below.length === 0) return refused(`${one}: no assembler, C or scenario files in this folder or below (.S, .s, .c, .xctx-scenario.yaml)`);
      folders.push(path);
      for (const file of below) files.add(file);
      continue;
    }
    const refusal = kind === 'file' ? workspace.refusal(path) : kind;
    if (refusal !== null) return refused(`${one}: ${refusal}${mend(refusal)}`);
    if (linkerScript.test(path)) return refused(`${one}: a linker script, which has no code`);
    if (header.test(path)) {
      const users = usersOf(path, workspace);
      if (users.length === 0) return refused(`${one}: a header that no source beside it uses; name a file that includes it`);
      for (const file of users) files.add(file);
      named.add(path);
      continue;
    }
    if (!source.test(path)) return refused(`${one}: not an assembler, C or scenario file (.S, .s, .c, .xctx-scenario.yaml), and no text that code is taken from (.md, .txt, .eml, .mbox, .patch, .diff)`);
    files.add(path);
    named.add(path);
  }
  return { kind: 'sources', sources: { files: [...files], named, folders, notes } };
}

/** What a header is reviewed with: the entry code of its kernel tree, or the sources in its folder. */
function usersOf(path: string, workspace: NodeWorkspace): readonly string[] {
  const root = findKernelRoot(path, workspace);
  const entry = `${root ?? ''}arch/x86/entry/entry_64.S`;
  if (root !== null) return workspace.refusal(entry) === null ? [entry] : [];
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return workspace.list(folder === '' ? '' : folder.slice(0, -1)).filter((name) => /\.[Ssc]$/.test(name) && !linkerScript.test(name)).map((name) => folder + name);
}

function refused(message: string): Found {
  return { kind: 'refused', message };
}

function mend(refusal: string): string {
  return refusal === missing ? '; paths are relative to the current folder' : '';
}

/** `/`-separated, no trailing `/`. */
export function tidy(path: string): string {
  const slashed = process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
  const bare = slashed.replace(/\/+$/, '');
  return bare === '' && slashed !== '' ? '/' : bare;
}

/** `folder`, `file`, or why it is neither. */
export function kindOf(path: string): string {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    return reason(error);
  }
}

/** Breadth is sorted by name, so that the order does not depend on the disk; links to folders are not followed. */
function filesBelow(top: string, cwd: string, notes: string[]): readonly string[] {
  const files: string[] = [];
  const visit = (folder: string, depth: number): void => {
    let entries;
    try {
      entries = readdirSync(onDisk(cwd, folder), { withFileTypes: true });
    } catch (error) {
      notes.push(`${folder}: ${reason(error)}`);
      return;
    }
    const below: string[] = [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder === '/' ? `/${entry.name}` : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && !skippedFolders.has(entry.name)) below.push(path);
      } else if (source.test(entry.name) && !linkerScript.test(entry.name)) {
        if (files.length < mostFiles) files.push(path);
        else if (files.length === mostFiles) {
          notes.push(`${top}: more than ${mostFiles} source files; the rest is not reviewed, name the folders that matter`);
          files.length += 1;
        }
      }
    }
    if (depth === deepest && below.length > 0) notes.push(`${folder}: folders more than ${deepest} deep are not reviewed`);
    else for (const path of below) if (files.length <= mostFiles) visit(path, depth + 1);
  };
  visit(top, 0);
  return files.slice(0, mostFiles);
}
