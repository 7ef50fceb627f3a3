// Hands the server the neighbours of a document that lies on no disk: in a virtual workspace only the editor can read.
import { FileType, Uri, workspace } from 'vscode';
import type { Disposable, TextDocument } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { methods } from '../../server/src/lsp/protocol.ts';

const wanted = /\.(?:S|s|c|h|inc)$|\.xctx-scenario\.(?:ya?ml|json)$|^\.xctx\.yaml$/;
const largestFile = 1_000_000;
const mostFiles = 200;

export function registerVirtualFiles(client: LanguageClient): Disposable {
  const given = new Set<string>();
  const give = async (document: TextDocument): Promise<void> => {
    const { scheme } = document.uri;
    if (!workspace.workspaceFolders?.some((folder) => folder.uri.scheme === scheme) || scheme === 'file') return;
    const parent = Uri.joinPath(document.uri, '..');
    const files = [];
    for (const folder of [parent, Uri.joinPath(parent, 'include'), Uri.joinPath(parent, '..', 'include')]) {
      if (given.has(folder.toString())) continue;
      given.add(folder.toString());
      files.push(...(await textsOf(folder)));
    }
    if (files.length > 0) await client.sendNotification(methods.hostFiles, { files });
  };
  const attempt = (document: TextDocument): void => void give(document).catch((error: unknown) => client.warn(`virtual workspace: ${String(error)}`));
  for (const document of workspace.textDocuments) attempt(document);
  return workspace.onDidOpenTextDocument(attempt);
}

async function textsOf(folder: Uri): Promise<readonly { readonly uri: string; readonly text: string }[]> {
  const entries = await workspace.fs.readDirectory(folder).then(
    (found) => found,
    () => [],
  );
  const names = entries.filter(([name, type]) => type === FileType.File && wanted.test(name)).slice(0, mostFiles);
  const texts = [];
  for (const [name] of names) {
    const uri = Uri.joinPath(folder, name);
    const bytes = await workspace.fs.readFile(uri);
    if (bytes.length <= largestFile) texts.push({ uri: uri.toString(), text: new TextDecoder().decode(bytes) });
  }
  return texts;
}
