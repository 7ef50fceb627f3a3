// The table of designs and verdicts; a cell opens the run's trace.
import { Uri, ViewColumn, window } from 'vscode';
import type { ExtensionContext, WebviewPanel } from 'vscode';
import type { CompareResult } from '../../server/src/lsp/protocol.ts';
import type { FromPage, ToPage } from './panel/messages.ts';
import type { TracePanel } from './trace-panel.ts';
import { pageHtml, webviewOptions } from './webview.ts';

export interface ComparePanel {
  readonly show: (result: CompareResult) => void;
}

export function createComparePanel(context: ExtensionContext, traces: TracePanel): ComparePanel {
  let panel: WebviewPanel | null = null;
  let current: CompareResult | null = null;
  return {
    show: (result) => {
      current = result;
      if (panel !== null) {
        panel.reveal();
        send(panel, result);
        return;
      }
      const opened = window.createWebviewPanel('entrycheck.compare', 'Compare designs', ViewColumn.Active, webviewOptions(context));
      panel = opened;
      opened.onDidDispose(() => {
        panel = null;
      });
      opened.webview.onDidReceiveMessage((message: FromPage) => {
        if (message.kind === 'ready' && current !== null) send(opened, current);
        if (message.kind === 'open') void window.showTextDocument(Uri.parse(message.uri), { viewColumn: ViewColumn.Beside });
        const row = message.kind === 'run' ? current?.rows[message.row] : undefined;
        if (message.kind === 'run' && row !== undefined) traces.show(row.runs, row.stopped, message.run);
      });
      opened.webview.html = pageHtml(context, opened.webview, 'compare');
    },
  };
}

function send(panel: WebviewPanel, result: CompareResult): void {
  const message: ToPage = { kind: 'compare', result };
  void panel.webview.postMessage(message);
}
