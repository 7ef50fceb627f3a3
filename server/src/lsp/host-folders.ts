// Asks the editor for files and folders of a virtual workspace, and walks its folders by that.
import type { Connection } from 'vscode-languageserver/node';
import type { FolderEntries, Folders } from '../shell/folders.ts';
import type { HostAnswer, HostPaths } from '../worker/host-files.ts';
import { hasScheme, pathOfUri, uriOfPath } from './paths.ts';
import { methods } from './protocol.ts';
import type { ReadParams, ReadResult } from './read-protocol.ts';

/** Milliseconds after which what was asked for counts as not to be had. */
const patience = 60_000;

export async function askHost(connection: Connection, { files, folders }: HostPaths): Promise<HostAnswer> {
  const paths = new Map([...files, ...folders].map((path) => [uriOfPath(path), path]));
  const pathOf = (uri: string): string => paths.get(uri) ?? pathOfUri(uri);
  const params: ReadParams = { files: files.map(uriOfPath), folders: folders.map(uriOfPath) };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the editor has not read ${params.files[0] ?? params.folders[0] ?? ''} after ${patience / 1000} seconds`)), patience);
  });
  try {
    const answer = await Promise.race([connection.sendRequest<ReadResult>(methods.read, params), late]);
    return {
      files: answer.files.map(({ uri, text }) => ({ file: pathOf(uri), text })),
      folders: answer.folders.map(({ uri, names, below }) => {
        const folder = pathOf(uri);
        return hasScheme(folder) ? { folder, names, below } : { folder, names: names.map(decodeURIComponent), below: below.map(decodeURIComponent) };
      }),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** The folders of the disk, if there is one, and those that only the editor can read. */
export function withHostFolders(disk: Folders, isVirtual: (path: string) => boolean, ask: (paths: HostPaths) => Promise<HostAnswer>): Folders {
  return {
    entries: async (folder): Promise<FolderEntries> => {
      if (!isVirtual(`${folder}/`)) return disk.entries(folder);
      const { folders } = await ask({ files: [], folders: [folder] });
      return folders.find((one) => one.folder === folder) ?? { names: [], below: [] };
    },
    text: async (file) => (isVirtual(file) ? ((await ask({ files: [file], folders: [] })).files[0]?.text ?? null) : disk.text(file)),
    isSlow: (folder) => isVirtual(`${folder}/`),
  };
}
