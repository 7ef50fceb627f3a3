// A design as ten lines to begin with: a scenario file that is nowhere yet, beside what is open or in the first folder.
import { Uri, window, workspace } from 'vscode';

const NAME = 'sketch';
const SUFFIX = '.xctx-scenario.yaml';

/** A handler that clears its word too early, so that there is something to be found. */
const TEXT = `name: sketch-clear-then-iret
handlers:
  ve:
    ist: VE
    ops: [read-info, fixup, {clear: ve.busy}, iret]
  nmi:
    ist: NMI
    ops: [{access: user_frame}, iret]
expect:
  - {never: live-frame-overwritten, rule: XR-VE01}
  - {reachable: event(VE) in NMI, because: the user copy of the NMI fails}
`;

/** Opens it unsaved under a name that is not taken. */
export async function newSketch(): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri ?? null;
  const taken = new Set(workspace.textDocuments.map(({ uri }) => uri.path));
  for (let number = 1; ; number += 1) {
    const name = `${NAME}${number === 1 ? '' : `-${number}`}${SUFFIX}`;
    const path = folder === null ? name : Uri.joinPath(folder, name).path;
    if (taken.has(path) || (folder !== null && (await exists(Uri.joinPath(folder, name))))) continue;
    const document = await workspace.openTextDocument(Uri.from({ scheme: 'untitled', path }));
    const editor = await window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(document.positionAt(0), TEXT));
    return;
  }
}

async function exists(uri: Uri): Promise<boolean> {
  try {
    await workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
