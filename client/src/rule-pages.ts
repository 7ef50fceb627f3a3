// Rule pages as read-only documents: `entrycheck-rule:/NAME.md`, the target of a diagnostic's code.
import { EventEmitter, Uri, commands, languages, window, workspace } from 'vscode';
import type { Disposable } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { methods, ruleScheme, ruleUri } from '../../server/src/lsp/protocol.ts';
import type { RuleEntry } from '../../server/src/lsp/protocol.ts';

export function registerRulePages(client: BaseLanguageClient): Disposable {
  const changed = new EventEmitter<Uri>();
  return workspace.registerTextDocumentContentProvider(ruleScheme, {
    onDidChange: changed.event,
    provideTextDocumentContent: async (uri) => {
      const name = decodeURIComponent(uri.path.replace(/^\//, '').replace(/\.md$/, ''));
      const page = await client.sendRequest<string | null>(methods.rulePage, { name });
      return page ?? `# ${name}\n\nThere is no rule of this name.\n`;
    },
  });
}

/** Opens the rendered page; without a name asks for one, those of the current line first. */
export async function explainRule(client: BaseLanguageClient, name: string | null): Promise<void> {
  const chosen = name ?? (await chooseRule(client));
  if (chosen === null) return;
  const uri = Uri.parse(ruleUri(chosen));
  try {
    await commands.executeCommand('markdown.showPreview', uri);
  } catch {
    await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
  }
}

async function chooseRule(client: BaseLanguageClient): Promise<string | null> {
  const rules = await client.sendRequest<readonly RuleEntry[]>(methods.rules);
  const here = new Set(rulesAtCursor());
  const items = [...rules]
    .sort((a, b) => Number(here.has(b.name)) - Number(here.has(a.name)))
    .map((rule) => ({ label: rule.name, description: here.has(rule.name) ? `${rule.id}, found at the cursor` : rule.id, detail: rule.summary }));
  const chosen = await window.showQuickPick(items, { placeHolder: 'Rule to explain', matchOnDescription: true, matchOnDetail: true });
  return chosen?.label ?? null;
}

function rulesAtCursor(): readonly string[] {
  const editor = window.activeTextEditor;
  if (editor === undefined) return [];
  return languages
    .getDiagnostics(editor.document.uri)
    .filter((diagnostic) => diagnostic.source === 'entrycheck' && diagnostic.range.start.line <= editor.selection.active.line && editor.selection.active.line <= diagnostic.range.end.line)
    .map(({ code }) => (typeof code === 'object' ? String(code.value) : String(code)));
}
