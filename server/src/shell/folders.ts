// Walks below the folders of a workspace, whoever can read them. Knows nothing of what the files mean.

export interface FolderEntries {
  /** Names of the plain files. */
  readonly names: readonly string[];
  /** Names of the folders. */
  readonly below: readonly string[];
}

export interface Folders {
  /** Empty where there is none. */
  readonly entries: (folder: string) => Promise<FolderEntries>;
  /** null where there is no such file, or none that anybody wrote. */
  readonly text: (file: string) => Promise<string | null>;
  /** Whether each look may go over a network: fewer are taken. */
  readonly isSlow: (folder: string) => boolean;
}

export const noFolders: Folders = { entries: async () => ({ names: [], below: [] }), text: async () => null, isSlow: () => false };

/** Folders that hold what others wrote, or nothing of the workspace. */
export function isOwnFolder(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules';
}
