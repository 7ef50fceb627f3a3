// Start of the extension where Node runs it.
import type { ExtensionContext } from 'vscode';
import { begin, end } from './begin.ts';
import { createClient } from './client-node.ts';

export async function activate(context: ExtensionContext): Promise<void> {
  await begin(context, createClient(context));
}

export const deactivate = end;
