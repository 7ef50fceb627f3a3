// What commands need and were not given: the document that they are about, and a scenario of its design.
import { window } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { methods } from '../../server/src/lsp/protocol.ts';
import type { ScenariosResult } from '../../server/src/lsp/protocol.ts';

/** The document that commands without arguments are about; says what is missing where there is none. */
export function activeUri(): string | null {
  const uri = window.activeTextEditor?.document.uri ?? window.visibleTextEditors[0]?.document.uri;
  if (uri === undefined) void window.showInformationMessage('Entrycheck: open an assembler, C or scenario file of the design first');
  return uri?.toString() ?? null;
}

export async function chooseScenario(client: BaseLanguageClient, uri: string): Promise<string | null> {
  const { problem, design, scenarios } = await client.sendRequest<ScenariosResult>(methods.scenarios, { uri });
  if (problem !== null || scenarios.length === 0) {
    void window.showInformationMessage(`Entrycheck: ${problem ?? `no scenario applies to ${design}`}`);
    return null;
  }
  const items = scenarios.map(({ name, title, why, own }) => ({ label: name, description: own ? `${title} (of this workspace)` : title, detail: why }));
  const chosen = await window.showQuickPick(items, { placeHolder: `Scenario to run on ${design}`, matchOnDescription: true, matchOnDetail: true });
  return chosen?.label ?? null;
}
