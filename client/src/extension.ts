// Start of the extension: makes the parts and ties them to the editor's life. No logic of its own.
import type { ExtensionContext } from 'vscode';
import { registerCommands } from './commands.ts';
import { createClient } from './client.ts';
import { registerDebugging } from './debug.ts';
import { registerExpansions } from './expansion.ts';
import { registerRulePages } from './rule-pages.ts';
import { createStatus } from './status.ts';
import { createComparePanel } from './compare-panel.ts';
import { createTestExplorer } from './test-explorer.ts';
import { createTracePanel } from './trace-panel.ts';
import { registerVirtualFiles } from './virtual-files.ts';

let stop: (() => Promise<void>) | null = null;

export async function activate(context: ExtensionContext): Promise<void> {
  const client = createClient(context);
  stop = () => client.stop();
  const traces = createTracePanel(context);
  const comparison = createComparePanel(context, traces);
  context.subscriptions.push(
    client,
    createStatus(client),
    registerRulePages(client),
    registerExpansions(client),
    registerVirtualFiles(client),
    registerCommands(client, traces, comparison),
    createTestExplorer(client, traces),
    registerDebugging(client),
  );
  await client.start();
}

export async function deactivate(): Promise<void> {
  await stop?.();
}
