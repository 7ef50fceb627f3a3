// Makes the parts of the extension and ties them to the editor's life, wherever its server runs. No logic of its own.
import type { ExtensionContext } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { registerCommands } from './commands.ts';
import { createComparePanel } from './compare-panel.ts';
import { registerDebugging } from './debug.ts';
import { registerExpansions } from './expansion.ts';
import { registerReading } from './reading.ts';
import { registerRulePages } from './rule-pages.ts';
import { createStatus } from './status.ts';
import { createTestExplorer } from './test-explorer.ts';
import { createTracePanel } from './trace-panel.ts';

let stop: (() => Promise<void>) | null = null;

export async function begin(context: ExtensionContext, client: BaseLanguageClient): Promise<void> {
  stop = () => client.stop();
  const traces = createTracePanel(context);
  const comparison = createComparePanel(context, traces);
  context.subscriptions.push(
    client,
    createStatus(client),
    registerRulePages(client),
    registerExpansions(client),
    registerReading(client),
    registerCommands(client, traces, comparison),
    createTestExplorer(client, traces),
    registerDebugging(client),
  );
  await client.start();
}

export async function end(): Promise<void> {
  await stop?.();
}
