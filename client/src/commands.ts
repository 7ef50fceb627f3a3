// The commands of the palette. Each asks the server and hands the answer to a panel.
import { Disposable, ProgressLocation, commands, window } from 'vscode';
import type { CancellationToken, Progress } from 'vscode';
import { WorkDoneProgress } from 'vscode-languageclient';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { methods } from '../../server/src/lsp/protocol.ts';
import type { CompareResult, ReplayKey, RunResult, TraceView } from '../../server/src/lsp/protocol.ts';
import { activeUri, chooseScenario } from './asking.ts';
import type { ComparePanel } from './compare-panel.ts';
import { debugTrace } from './debug.ts';
import { showExpansion } from './expansion.ts';
import { newSketch } from './sketch.ts';
import { suppress } from './suppress.ts';
import { explainRule } from './rule-pages.ts';
import type { TracePanel } from './trace-panel.ts';

export function registerCommands(client: BaseLanguageClient, traces: TracePanel, comparison: ComparePanel): Disposable {
  const register = (name: string, work: (...given: readonly unknown[]) => Promise<void>): Disposable =>
    commands.registerCommand(`entrycheck.${name}`, async (...given: readonly unknown[]) => {
      try {
        await work(...given);
      } catch (error) {
        client.error(`command ${name}`, error);
        void window.showErrorMessage(`Entrycheck: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  return Disposable.from(
    register('runScenario', (scenario) => runScenario(client, traces, textOrNull(scenario))),
    register('runAllScenarios', () => runAll(client, traces)),
    register('compareDesigns', () => compareDesigns(client, comparison)),
    register('newSketch', newSketch),
    register('raiseHere', (uri, line, character, events) => raiseHere(client, traces, textOrNull(uri), line, character, events)),
    register('showTrace', (uri, key) => showTrace(client, traces, textOrNull(uri), textOrNull(key))),
    register('debugTrace', (key) => debugTrace(client, isReplayKey(key) ? key : null)),
    register('showExpansion', () => showExpansion(client)),
    register('explainRule', (name) => explainRule(client, textOrNull(name))),
    register('suppress', suppress),
    register('restartServer', async () => {
      await client.stop();
      await client.start();
    }),
    register('showOutput', async () => client.outputChannel.show(true)),
  );
}

function textOrNull(given: unknown): string | null {
  return typeof given === 'string' ? given : null;
}

function isReplayKey(given: unknown): given is ReplayKey {
  return typeof given === 'object' && given !== null && ('file' in given || 'choices' in given);
}

async function runScenario(client: BaseLanguageClient, traces: TracePanel, given: string | null): Promise<void> {
  const uri = activeUri();
  if (uri === null) return;
  const scenario = given ?? (await chooseScenario(client, uri));
  if (scenario !== null) await run(client, traces, uri, scenario);
}

async function runAll(client: BaseLanguageClient, traces: TracePanel): Promise<void> {
  const uri = activeUri();
  if (uri !== null) await run(client, traces, uri, null);
}

async function run(client: BaseLanguageClient, traces: TracePanel, uri: string, scenario: string | null): Promise<void> {
  const title = scenario === null ? 'Entrycheck: running all scenarios' : `Entrycheck: running ${scenario}`;
  const result = await request<RunResult>(client, title, methods.run, { uri, scenario });
  if (result.runs.length > 0) traces.show(result.runs, result.stopped);
  if (result.problem !== null) void window.showErrorMessage(`Entrycheck: ${result.problem}`);
  else if (result.runs.length === 0) void window.showInformationMessage(`Entrycheck: ${result.stopped ?? 'no scenario applies here'}`);
}

/** At the cursor, with events that are asked for, where a lens or an action does not say. */
async function raiseHere(client: BaseLanguageClient, traces: TracePanel, givenUri: string | null, line: unknown, character: unknown, given: unknown): Promise<void> {
  const uri = givenUri ?? activeUri();
  if (uri === null) return;
  const cursor = window.activeTextEditor?.selection.active;
  const at = typeof line === 'number' && typeof character === 'number' ? { line, character } : { line: cursor?.line ?? 0, character: cursor?.character ?? 0 };
  const events = Array.isArray(given) ? given.map(String) : await askEvents();
  if (events === null) return;
  const result = await request<RunResult>(client, `Entrycheck: raising ${events.join(', then ')}`, methods.raise, { uri, ...at, events });
  if (result.runs.length > 0) traces.show(result.runs, result.stopped);
  if (result.problem !== null) void window.showErrorMessage(`Entrycheck: ${result.problem}`);
}

async function askEvents(): Promise<readonly string[] | null> {
  const text = await window.showInputBox({ title: 'Raise events here', value: 'NMI', prompt: 'NMI, or several as NMI, #VE: each arrives in the handler of the one before it' });
  const names = text?.split(',').map((name) => name.trim()).filter((name) => name !== '') ?? [];
  return names.length === 0 ? null : names;
}

async function compareDesigns(client: BaseLanguageClient, comparison: ComparePanel): Promise<void> {
  const result = await request<CompareResult>(client, 'Entrycheck: comparing designs', methods.compare, { folders: [] });
  if (result.rows.length > 0) comparison.show(result);
  else void window.showInformationMessage(`Entrycheck: no design with a #VE handler in this workspace. ${result.notes.join('. ')}`);
}

async function showTrace(client: BaseLanguageClient, traces: TracePanel, given: string | null, key: string | null): Promise<void> {
  const uri = given ?? activeUri();
  if (uri === null) return;
  const line = window.activeTextEditor?.selection.active.line ?? 0;
  const found = await client.sendRequest<readonly TraceView[]>(methods.trace, { uri, key, line });
  if (found.length > 0) traces.show(found, null);
  else void window.showInformationMessage('Entrycheck: no finding with a trace in this file');
}

/** Sends a request whose progress shows in a notification with a cancel button. */
async function request<T>(client: BaseLanguageClient, title: string, method: string, params: object): Promise<T> {
  const send = async (progress: Progress<{ message?: string }>, token: CancellationToken): Promise<T> => {
    const workDoneToken = `entrycheck-${Date.now()}-${Math.random()}`;
    const listener = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
      if (value.kind === 'report' && value.message !== undefined) progress.report({ message: value.message });
    });
    try {
      return await client.sendRequest<T>(method, { ...params, workDoneToken }, token);
    } finally {
      listener.dispose();
    }
  };
  return window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, send);
}
