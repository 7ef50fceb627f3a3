// Writes a suppression that a quick fix drafted, once its reason is known. A sidecar file is saved at once: it is not the
// file that the user edits.
import { Position, Uri, WorkspaceEdit, window, workspace } from 'vscode';
import type { SuppressionDraft } from '../../server/src/lsp/protocol.ts';

export async function suppress(given: unknown): Promise<void> {
  if (!isDraft(given)) return;
  const reason = await window.showInputBox({
    title: `Suppress ${given.rule}`,
    prompt: 'Why is this finding accepted? The reason stands with the suppression.',
    placeHolder: 'one sentence',
    validateInput: (text) => (text.trim() === '' ? 'A suppression needs a reason' : given.form === 'comment' && text.includes('*/') ? 'The reason stands in a comment: it cannot hold */' : null),
  });
  if (reason === undefined) return;
  const uri = Uri.parse(given.uri);
  const edit = new WorkspaceEdit();
  if (given.create) edit.createFile(uri, { ignoreIfExists: true });
  edit.insert(uri, new Position(given.line, 0), `${given.before}${given.form === 'yaml' ? JSON.stringify(reason.trim()) : reason.trim()}${given.after}`);
  if (!(await workspace.applyEdit(edit))) throw new Error(`the suppression could not be written to ${uri.fsPath}`);
  if (given.form === 'yaml') await (await workspace.openTextDocument(uri)).save();
}

function isDraft(given: unknown): given is SuppressionDraft {
  return typeof given === 'object' && given !== null && 'rule' in given && 'before' in given && 'form' in given;
}
