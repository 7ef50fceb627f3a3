// Paths of the command line where the current folder lies inside a kernel tree: files are then read by their way down
// from the tree's root, and shown as one types them.
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { findKernelRoot } from './sources.ts';

export interface TreePaths {
  /** The path by which a file is read: `../../../arch/x86/entry/entry_64.S` for `entry_64.S` in its folder. */
  readonly inside: (path: string) => string;
  /** The path as one types it in the current folder. */
  readonly shown: (path: string) => string;
}

const same: TreePaths = { inside: (path) => path, shown: (path) => path };

export function treePaths(cwd: string): TreePaths {
  const folder = `${cwd.replaceAll('\\', '/').replace(/\/+$/, '')}/`;
  const root = findKernelRoot(`${folder}.`, { read: (path) => (existsSync(path) ? '' : null) });
  if (root === null || root === folder || !folder.startsWith(root)) return same;
  const below = folder.slice(root.length);
  const up = '../'.repeat(below.split('/').length - 1);
  const prefix = up + below;
  return {
    inside: (path) => (posix.isAbsolute(path) || /^[A-Za-z]:/.test(path) ? path : posix.normalize(prefix + path).replace(/(?<=.)\/$/, '')),
    shown: (path) => (path.startsWith(up) ? posix.relative(below, path.slice(up.length)) : path),
  };
}
