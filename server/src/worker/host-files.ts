// Texts and folders of a virtual workspace, which only the editor can read: what is asked for and not there is noted, so
// that the editor can be asked for it, and counts as absent until then. Reads nothing itself.
import type { Workspace } from '../core/review-types.ts';

export interface HostFile {
  readonly file: string;
  /** null where there is none, or it is not read. */
  readonly text: string | null;
}

export interface HostFolder {
  readonly folder: string;
  /** Of the plain files in it. */
  readonly names: readonly string[];
  /** Of the folders in it. */
  readonly below: readonly string[];
}

export interface HostAnswer {
  readonly files: readonly HostFile[];
  readonly folders: readonly HostFolder[];
}

export interface HostPaths {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** A workspace of which a part, or all, comes from the editor. */
export interface HostWorkspace extends Workspace {
  /** Whether a path is one that only the editor can read. */
  readonly isVirtual: (path: string) => boolean;
  readonly give: (answer: HostAnswer) => void;
  /** The file may have changed; until the editor is asked again it is what it was. */
  readonly forget: (path: string) => void;
  /** What was read and not given yet; null where all was. */
  readonly wanted: () => HostPaths | null;
  /** Calls back when something is wanted where nothing was. */
  readonly onWanted: (listener: () => void) => void;
  /** Whether a folder was given, and is not known to have changed. */
  readonly knowsFolder: (folder: string) => boolean;
  readonly knowsFile: (file: string) => boolean;
  /** All that was given. */
  readonly given: () => HostAnswer;
}

/** Unsaved documents lie in no folder that could be read. */
export function isVirtualUri(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path) && !path.startsWith('file:') && !path.startsWith('untitled:');
}

export function createHostFiles(isVirtual: (path: string) => boolean): HostWorkspace {
  const texts = new Map<string, string | null>();
  const folders = new Map<string, ReadonlySet<string>>();
  const old = new Set<string>();
  const wantedFiles = new Set<string>();
  const wantedFolders = new Set<string>();
  let listener: () => void = () => undefined;

  function want(paths: Set<string>, path: string): void {
    const first = wantedFiles.size + wantedFolders.size === 0;
    paths.add(path);
    if (first) listener();
  }

  /** The names in the folder of a file say that there is none of its name. */
  function isAbsent(file: string): boolean {
    const slash = file.lastIndexOf('/');
    const folder = file.slice(0, slash);
    const name = file.slice(slash + 1);
    const names = folders.get(folder);
    // An include is written without the escapes that URIs have.
    return !old.has(folder) && names !== undefined && !names.has(name) && !names.has(encodeURIComponent(name));
  }

  return {
    isVirtual,
    read: (file) => {
      if (!isVirtual(file)) return null;
      const text = texts.get(file);
      if (text !== undefined) {
        if (old.has(file)) want(wantedFiles, file);
        return text;
      }
      if (!isAbsent(file)) want(wantedFiles, file);
      return null;
    },
    list: (folder) => {
      if (!isVirtual(`${folder}/`)) return [];
      const names = folders.get(folder);
      if (names === undefined || old.has(folder)) want(wantedFolders, folder);
      return names === undefined ? [] : [...names].sort();
    },
    today: () => new Date().toISOString().slice(0, 10),
    give: (answer) => {
      for (const { file, text } of answer.files) {
        texts.set(file, text);
        wantedFiles.delete(file);
        old.delete(file);
      }
      for (const { folder, names } of answer.folders) {
        folders.set(folder, new Set(names));
        wantedFolders.delete(folder);
        old.delete(folder);
      }
    },
    forget: (file) => {
      if (!isVirtual(file)) return;
      const folder = file.slice(0, file.lastIndexOf('/'));
      if (texts.has(file)) old.add(file);
      if (folders.has(folder)) old.add(folder);
    },
    wanted: () => (wantedFiles.size + wantedFolders.size === 0 ? null : { files: [...wantedFiles], folders: [...wantedFolders] }),
    onWanted: (next) => {
      listener = next;
    },
    knowsFolder: (folder) => folders.has(folder) && !old.has(folder),
    knowsFile: (file) => (texts.has(file) && !old.has(file)) || isAbsent(file),
    given: () => ({ files: [...texts].map(([file, text]) => ({ file, text })), folders: [...folders].map(([folder, names]) => ({ folder, names: [...names], below: [] })) }),
  };
}
