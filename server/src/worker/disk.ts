// The review's Workspace for an editor on Node: the disk, and what the editor hands over of a virtual workspace, which has
// no disk. Runs nothing of the tree.
import { createNodeWorkspace } from '../shell/workspace.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';
import { createHostFiles, isVirtualUri } from './host-files.ts';
import type { HostWorkspace } from './host-files.ts';

export type DiskWorkspace = NodeWorkspace & HostWorkspace;

/** Paths are absolute or URIs. */
export function createWorkspace(): DiskWorkspace {
  const disk = createNodeWorkspace('/');
  const host = createHostFiles(isVirtualUri);
  const of = (path: string): typeof disk | typeof host => (host.isVirtual(path) ? host : disk);
  return {
    ...host,
    ...disk,
    read: (path) => of(path).read(path),
    list: (folder) => of(`${folder}/`).list(folder),
    forget: (path) => of(path).forget(path),
  };
}
