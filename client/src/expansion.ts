// Macro expansions as read-only documents, `entrycheck-expansion:/SYMBOL.S?URI`: the server makes the text, and each line
// of it leads to where it was written. A shown expansion follows the edits of its source.
import { Disposable, DocumentLink, EventEmitter, Location, Range, Uri, ViewColumn, languages, window, workspace } from 'vscode';
import type { TextDocument } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { expansionScheme, methods } from '../../server/src/lsp/protocol.ts';
import type { ExpansionChoice, ExpansionView, ViewRange } from '../../server/src/lsp/protocol.ts';

const refreshAfter = 400;

export function registerExpansions(client: BaseLanguageClient): Disposable {
  const changed = new EventEmitter<Uri>();
  const views = new Map<string, ExpansionView>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refresh = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const document of workspace.textDocuments) if (document.uri.scheme === expansionScheme) changed.fire(document.uri);
    }, refreshAfter);
  };
  const lineOf = (document: TextDocument, line: number): NonNullable<ExpansionView['lines'][number]> | null => views.get(document.uri.toString())?.lines[line] ?? null;
  const selector = { scheme: expansionScheme };
  return Disposable.from(
    changed,
    { dispose: () => clearTimeout(timer) },
    workspace.onDidChangeTextDocument(({ document }) => {
      if (document.uri.scheme !== expansionScheme && views.size > 0) refresh();
    }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('entrycheck')) refresh();
    }),
    workspace.onDidCloseTextDocument(({ uri }) => void views.delete(uri.toString())),
    workspace.registerTextDocumentContentProvider(expansionScheme, {
      onDidChange: changed.event,
      provideTextDocumentContent: async (uri) => {
        const symbol = symbolOf(uri);
        const view = await client.sendRequest<ExpansionView | null>(methods.expansion, { uri: uri.query, symbol });
        if (view === null) {
          views.delete(uri.toString());
          return `# ${symbol} has no instructions in this configuration\n`;
        }
        views.set(uri.toString(), view);
        return view.text;
      },
    }),
    languages.registerDefinitionProvider(selector, {
      provideDefinition: (document, position) => {
        const line = lineOf(document, position.line);
        return line === null ? null : locationOf(line.at);
      },
    }),
    languages.registerDocumentLinkProvider(selector, {
      provideDocumentLinks: (document) => {
        const links: DocumentLink[] = [];
        for (let number = 0; number < document.lineCount; number++) {
          const line = lineOf(document, number);
          const { text } = document.lineAt(number);
          const found = line === null ? null : /# ([^\s#]+:\d+)/.exec(text);
          if (line === null || found === null) continue;
          const start = found.index + 2;
          links.push(linkTo(new Range(number, start, number, start + (found[1]?.length ?? 0)), line.at));
          const last = text.lastIndexOf(' ') + 1;
          if (line.use !== null && last > start) links.push(linkTo(new Range(number, last, number, text.length), line.use));
        }
        return links;
      },
    }),
  );
}

function symbolOf(uri: Uri): string {
  return decodeURIComponent(uri.path.replace(/^\//, '').replace(/\.S$/, ''));
}

function locationOf(at: ViewRange): Location {
  return new Location(Uri.parse(at.uri), new Range(at.startLine, at.startCharacter, at.endLine, at.endCharacter));
}

function linkTo(range: Range, at: ViewRange): DocumentLink {
  const link = new DocumentLink(range, Uri.parse(at.uri).with({ fragment: `L${at.startLine + 1},${at.startCharacter + 1}` }));
  link.tooltip = 'Go to where this is written';
  return link;
}

/** Opens the expansion of the symbol at the cursor beside the file; where there is none, of one that is asked for. */
export async function showExpansion(client: BaseLanguageClient): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined) {
    void window.showInformationMessage('Entrycheck: open an assembler file or a header first');
    return;
  }
  const uri = editor.document.uri.toString();
  const { line, character } = editor.selection.active;
  const { here, symbols } = await client.sendRequest<ExpansionChoice>(methods.expansionChoice, { uri, line, character });
  if (here === null && symbols.length === 0) {
    void window.showInformationMessage('Entrycheck: no instructions come from this file in its configuration');
    return;
  }
  const symbol = here ?? (await chooseSymbol(symbols));
  if (symbol === null) return;
  const target = Uri.from({ scheme: expansionScheme, path: `/${encodeURIComponent(symbol)}.S`, query: uri });
  const document = await workspace.openTextDocument(target);
  const shown = await languages.setTextDocumentLanguage(document, 'gas-x86');
  await window.showTextDocument(shown, { viewColumn: ViewColumn.Beside, preview: true });
}

async function chooseSymbol(symbols: ExpansionChoice['symbols']): Promise<string | null> {
  const chosen = await window.showQuickPick(symbols.map(({ symbol, detail }) => ({ label: symbol, description: detail })), { placeHolder: 'Symbol to expand' });
  return chosen?.label ?? null;
}
