// Hands the server the neighbours of a document that lies on no disk, and what they include: in a virtual workspace
// only the editor can read.
import { FileType, Uri, workspace } from 'vscode';
import type { Disposable, TextDocument } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { methods } from '../../server/src/lsp/protocol.ts';

const wanted = /\.(?:S|s|c|h|inc)$|\.xctx-scenario\.(?:ya?ml|json)$|^\.xctx\.yaml$/;
const quoted = /^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"/gm;
const largestFile = 1_000_000;
const mostFiles = 200;

export function registerVirtualFiles(client: LanguageClient): Disposable {
  const given = new Set<string>();
  const give = async (document: TextDocument): Promise<void> => {
    const { scheme } = document.uri;
    if (!workspace.workspaceFolders?.some((folder) => folder.uri.scheme === scheme) || scheme === 'file') return;
    const files = [];
    const waiting = await neighbours(document.uri);
    for (let uri = waiting.shift(); uri !== undefined && files.length < mostFiles; uri = waiting.shift()) {
      if (given.has(uri.toString())) continue;
      given.add(uri.toString());
      const text = await textOf(uri);
      if (text === null) continue;
      files.push({ uri: uri.toString(), text });
      const folder = Uri.joinPath(uri, '..');
      waiting.push(...[...text.matchAll(quoted)].map(([, name]) => Uri.joinPath(folder, name ?? '')));
    }
    if (files.length > 0) await client.sendNotification(methods.hostFiles, { files });
  };
  const attempt = (document: TextDocument): void => void give(document).catch((error: unknown) => client.warn(`virtual workspace: ${String(error)}`));
  for (const document of workspace.textDocuments) attempt(document);
  return workspace.onDidOpenTextDocument(attempt);
}

/** Files of the same folder that may belong to the same design. */
async function neighbours(uri: Uri): Promise<Uri[]> {
  const folder = Uri.joinPath(uri, '..');
  try {
    const entries = await workspace.fs.readDirectory(folder);
    return entries.filter(([name, type]) => type === FileType.File && wanted.test(name)).map(([name]) => Uri.joinPath(folder, name));
  } catch {
    return [];
  }
}

/** Null for what is not there or is no source code. */
async function textOf(uri: Uri): Promise<string | null> {
  try {
    const bytes = await workspace.fs.readFile(uri);
    return bytes.length > largestFile ? null : new TextDecoder().decode(bytes);
  } catch {
    return null;
  }
}
