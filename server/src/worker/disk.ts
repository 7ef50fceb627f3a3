// The review's Workspace for an editor: the disk, and texts that the host handed over because a virtual workspace has
// no disk. Runs nothing of the tree.
import type { Workspace } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';

export interface HostFile {
  readonly file: string;
  readonly text: string;
}

export interface HostWorkspace extends Workspace {
  readonly give: (files: readonly HostFile[]) => void;
  /** The file may have changed on disk. */
  readonly forget: (file: string) => void;
}

/** Paths are absolute or URIs. */
export function createWorkspace(): HostWorkspace {
  const given = new Map<string, string>();
  const { read, list, forget, today } = createNodeWorkspace('/', given);
  return {
    read,
    list,
    ...(today === undefined ? {} : { today }),
    forget,
    give: (files) => {
      for (const { file, text } of files) {
        given.set(file, text);
        forget(file);
      }
    },
  };
}
