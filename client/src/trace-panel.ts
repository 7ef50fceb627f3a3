// The trace panel's side in the extension: opens it beside the editor, reveals the places it asks for, marks the line,
// and tells it where the cursor is.
import { OverviewRulerLane, Range, ThemeColor, Uri, ViewColumn, commands, env, window, workspace } from 'vscode';
import type { ExtensionContext, TextEditor, WebviewPanel } from 'vscode';
import { commands as names } from '../../server/src/lsp/protocol.ts';
import type { TraceView, ViewRange } from '../../server/src/lsp/protocol.ts';
import type { FromPage, ToPage } from './panel/messages.ts';
import { pageHtml, webviewOptions } from './webview.ts';

export interface TracePanel {
  /** Shows the first violated run, else the first. */
  readonly show: (runs: readonly TraceView[], stopped: string | null, selected?: number) => void;
}

const viewType = 'entrycheck.trace';

export function createTracePanel(context: ExtensionContext): TracePanel {
  let panel: WebviewPanel | null = null;
  let waiting: ToPage | null = null;
  let ready = false;
  const mark = window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new ThemeColor('editor.rangeHighlightBackground'),
    borderWidth: '0 0 0 3px',
    borderStyle: 'solid',
    borderColor: new ThemeColor('editorInfo.foreground'),
    overviewRulerColor: new ThemeColor('editorInfo.foreground'),
    overviewRulerLane: OverviewRulerLane.Full,
  });

  function post(message: ToPage): void {
    if (ready) void panel?.webview.postMessage(message);
    else waiting = message;
  }

  function adopt(opened: WebviewPanel): void {
    panel = opened;
    ready = false;
    opened.webview.options = webviewOptions(context);
    opened.webview.onDidReceiveMessage((message: FromPage) => {
      if (message.kind === 'ready') {
        ready = true;
        if (waiting !== null) post(waiting);
        waiting = null;
        return;
      }
      void answer(message, mark);
    });
    opened.onDidDispose(() => {
      if (panel === opened) panel = null;
      for (const editor of window.visibleTextEditors) editor.setDecorations(mark, []);
    });
    opened.webview.html = pageHtml(context, opened.webview, 'trace');
  }

  context.subscriptions.push(
    mark,
    window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: async (restored) => adopt(restored),
    }),
    window.onDidChangeTextEditorSelection(({ textEditor, selections }) => {
      const line = selections[0]?.active.line;
      if (panel !== null && ready && line !== undefined) post({ kind: 'cursor', uri: textEditor.document.uri.toString(), line });
    }),
  );

  return {
    show: (runs, stopped, selected) => {
      const violated = runs.findIndex((run) => run.verdict === 'violated');
      const first = runs[0];
      const title = `Trace: ${first?.verdict === null ? (first.rule ?? '') : (first?.design ?? '')}`;
      if (panel === null) adopt(window.createWebviewPanel(viewType, title, { viewColumn: ViewColumn.Beside, preserveFocus: false }, { ...webviewOptions(context), retainContextWhenHidden: false }));
      else panel.reveal(undefined, false);
      if (panel !== null) panel.title = title;
      post({ kind: 'show', runs, stopped, selected: selected ?? Math.max(0, violated) });
    },
  };

  async function answer(message: Exclude<FromPage, { kind: 'ready' }>, decoration: typeof mark): Promise<void> {
    switch (message.kind) {
      case 'jump': {
        const editor = await reveal(message.at, message.focus);
        for (const other of window.visibleTextEditors) other.setDecorations(decoration, []);
        editor.setDecorations(decoration, [rangeOf(message.at)]);
        return;
      }
      case 'copy':
        await env.clipboard.writeText(message.text);
        window.setStatusBarMessage('Entrycheck: trace copied', 3000);
        return;
      case 'rule':
        await commands.executeCommand(names.explainRule, message.name);
        return;
      case 'open':
      case 'run':
        return;
    }
  }
}

function rangeOf(at: ViewRange): Range {
  return new Range(at.startLine, at.startCharacter, at.endLine, at.endCharacter);
}

/** Prefers the column where the file, or any text, is already shown: the panel's own column stays the panel's. */
async function reveal(at: ViewRange, focus: boolean): Promise<TextEditor> {
  const document = await workspace.openTextDocument(Uri.parse(at.uri));
  const shown = window.visibleTextEditors.find((editor) => editor.document === document) ?? window.visibleTextEditors.find((editor) => editor.viewColumn !== undefined);
  const start = rangeOf(at).start;
  return window.showTextDocument(document, {
    viewColumn: shown?.viewColumn ?? ViewColumn.One,
    preserveFocus: !focus,
    preview: true,
    selection: new Range(start, start),
  });
}
