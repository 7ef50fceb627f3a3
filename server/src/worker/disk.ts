// The review's Workspace for an editor on Node: the disk, and what the editor hands over of a virtual workspace, which has
// no disk. Runs nothing of the tree.
import { createNodeWorkspace } from '../shell/workspace.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';
import { createHostFiles, isVirtualUri } from './host-files.ts';
import type { HostWorkspace } from './host-files.ts';

export type DiskWorkspace = NodeWorkspace & HostWorkspace;

/** Milliseconds for which the names in a folder are taken for what they were: one answer asks for them many times. */
const NAMES_LAST = 500;

/** Paths are absolute or URIs. */
export function createWorkspace(now: () => number = () => performance.now()): DiskWorkspace {
  const disk = createNodeWorkspace('/');
  const names = new Map<string, { readonly until: number; readonly listed: readonly string[] }>();

  function namesIn(folder: string): readonly string[] {
    const known = names.get(folder);
    if (known !== undefined && now() < known.until) return known.listed;
    const listed = disk.list(folder);
    names.set(folder, { until: now() + NAMES_LAST, listed });
    return listed;
  }

  const host = createHostFiles(isVirtualUri);
  const of = (path: string): typeof disk | typeof host => (host.isVirtual(path) ? host : disk);
  return {
    ...host,
    ...disk,
    read: (path) => of(path).read(path),
    list: (folder) => (host.isVirtual(`${folder}/`) ? host.list(folder) : namesIn(folder)),
    forget: (path) => {
      names.clear();
      of(path).forget(path);
    },
  };
}
