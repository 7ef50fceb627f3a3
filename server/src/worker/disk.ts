// The review's Workspace for an editor: the disk, and texts that the host handed over because a virtual workspace has
// no disk. Runs nothing of the tree.
import { createNodeWorkspace } from '../shell/workspace.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';

export interface HostFile {
  readonly file: string;
  readonly text: string;
}

export interface HostWorkspace extends NodeWorkspace {
  readonly give: (files: readonly HostFile[]) => void;
}

/** Paths are absolute or URIs. */
export function createWorkspace(): HostWorkspace {
  const given = new Map<string, string>();
  const workspace = createNodeWorkspace('/', given);
  return {
    ...workspace,
    give: (files) => {
      for (const { file, text } of files) {
        given.set(file, text);
        workspace.forget(file);
      }
    },
  };
}
