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

type Jump = Extract<FromPage, { readonly kind: 'jump' }>;

const viewType = 'entrycheck.trace';

export function createTracePanel(context: ExtensionContext): TracePanel {
  let panel: WebviewPanel | null = null;
  let waiting: ToPage | null = null;
  let ready = false;
  let jumping = false;
  let wanted: Jump | null = null;
  let reached: Jump | null = null;
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
      answer(message);
    });
    // A hidden page is gone and begins anew when it is shown: messages wait for it.
    opened.onDidChangeViewState(() => {
      if (!opened.visible) ready = false;
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
      const uri = textEditor.document.uri.toString();
      const own = jumping || (reached !== null && reached.at.uri === uri && reached.at.startLine === line);
      if (panel !== null && ready && !own && line !== undefined) post({ kind: 'cursor', uri, line });
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

  function answer(message: Exclude<FromPage, { kind: 'ready' }>): void {
    switch (message.kind) {
      case 'jump':
        wanted = message;
        if (!jumping) void jumpToWanted();
        return;
      case 'copy':
        void env.clipboard.writeText(message.text);
        window.setStatusBarMessage('Entrycheck: trace copied', 3000);
        return;
      case 'rule':
        void commands.executeCommand(names.explainRule, message.name);
        return;
      case 'debug':
        void commands.executeCommand(names.debugTrace, message.replay);
        return;
      case 'open':
      case 'run':
        return;
    }
  }

  /** One jump at a time, the latest wins: a held arrow key asks for more than the editor can show. */
  async function jumpToWanted(): Promise<void> {
    jumping = true;
    try {
      while (wanted !== null) {
        const jump: Jump = wanted;
        wanted = null;
        const editor = await reveal(jump.at, jump.focus);
        reached = jump;
        for (const other of window.visibleTextEditors) other.setDecorations(mark, []);
        editor.setDecorations(mark, [rangeOf(jump.at)]);
      }
    } catch (error) {
      void window.showErrorMessage(`Entrycheck: the step cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      jumping = false;
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
