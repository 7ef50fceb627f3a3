// The status bar item: what the exploration is doing, in words and not in colour only.
import { StatusBarAlignment, window } from 'vscode';
import type { Disposable, StatusBarItem } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { methods } from '../../server/src/lsp/protocol.ts';
import type { StatusParams } from '../../server/src/lsp/protocol.ts';

export function createStatus(client: BaseLanguageClient): Disposable {
  const item = window.createStatusBarItem('entrycheck.status', StatusBarAlignment.Left, 0);
  item.name = 'Entrycheck';
  item.command = 'entrycheck.showOutput';
  const listener = client.onNotification(methods.status, (status: StatusParams) => show(item, status));
  return {
    dispose: () => {
      listener.dispose();
      item.dispose();
    },
  };
}

function show(item: StatusBarItem, status: StatusParams): void {
  if (status.units === 0) {
    item.hide();
    return;
  }
  item.text = textOf(status);
  item.tooltip = status.message ?? tooltipOf(status);
  item.show();
}

function textOf({ state, states, problems }: StatusParams): string {
  switch (state) {
    case 'exploring':
      return states === 0 ? '$(sync~spin) Entrycheck: exploring' : `$(sync~spin) Entrycheck: ${states.toLocaleString('en')} states`;
    case 'failed':
      return '$(warning) Entrycheck: incomplete';
    case 'waiting':
    case 'idle':
      return problems === 0 ? '$(check) Entrycheck: no findings' : `$(shield) Entrycheck: ${problems} ${problems === 1 ? 'finding' : 'findings'}`;
  }
}

function tooltipOf({ state, scenario, depth }: StatusParams): string {
  if (state === 'exploring') return scenario === '' ? 'Exploring all events at every instruction' : `Exploring ${scenario}, depth ${depth}`;
  return 'Findings in the open files; click for the log';
}
