// Reads for the server what only the editor can: files and folders of a virtual workspace, and in a browser all. Reads
// nothing that it was not asked for.
import { FileType, Uri, workspace } from 'vscode';
import type { Disposable } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { methods } from '../../server/src/lsp/protocol.ts';
import { largestHostFile } from '../../server/src/lsp/read-protocol.ts';
import type { ReadParams, ReadResult } from '../../server/src/lsp/read-protocol.ts';

/** Files read at the same time: where they come over a network, each takes a while. */
const atOnce = 16;

type Folder = ReadResult['folders'][number];

export function registerReading(client: BaseLanguageClient): Disposable {
  return client.onRequest(methods.read, async ({ files, folders }: ReadParams): Promise<ReadResult> => {
    const parents = new Map(files.map((file) => [file, file.slice(0, file.lastIndexOf('/'))]));
    const listed = await inParallel([...new Set([...folders, ...parents.values()])], folderAt);
    const names = new Map(listed.map((folder) => [folder.uri, new Set(folder.names)]));
    // Most of what is asked for is not there: the names in its folder say so.
    const isThere = (file: string): boolean => names.get(parents.get(file) ?? '')?.has(lastOf(Uri.parse(file).toString())) === true;
    return { files: await inParallel(files, async (uri) => ({ uri, text: isThere(uri) ? await textOf(Uri.parse(uri)) : null })), folders: listed };
  });
}

/** A name as URIs of documents have it. */
function lastOf(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1);
}

async function folderAt(uri: string): Promise<Folder> {
  try {
    const entries = await workspace.fs.readDirectory(Uri.parse(uri));
    const ofType = (type: FileType): readonly string[] => entries.filter((entry) => (entry[1] & type) !== 0).map(([name]) => lastOf(Uri.joinPath(Uri.parse(uri), name).toString()));
    return { uri, names: ofType(FileType.File), below: ofType(FileType.Directory) };
  } catch {
    return { uri, names: [], below: [] };
  }
}

/** Null for what is not there, is too large or is binary. */
async function textOf(uri: Uri): Promise<string | null> {
  try {
    if ((await workspace.fs.stat(uri)).size > largestHostFile) return null;
    const bytes = await workspace.fs.readFile(uri);
    if (bytes.subarray(0, 8000).includes(0)) return null;
    // As on a disk: a byte order mark is a blank.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/^\ufeff/, ' ');
  } catch {
    return null;
  }
}

/** In the order of what is given. */
async function inParallel<T, R>(given: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = given.entries();
  const walk = async (): Promise<void> => {
    for (const [at, one] of waiting) results[at] = await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, given.length) }, walk));
  return results;
}
