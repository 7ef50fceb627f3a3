// The scenarios of the workspace's designs in the Test Explorer: found when it is looked at, run in the server's worker,
// a violation shown at the step that shows it. What was found is void once a file of the design is edited.
import { Disposable, Location, MarkdownString, Position, Range, TestMessage, TestMessageStackFrame, TestRunProfileKind, TestRunRequest, Uri, commands, tests, window, workspace } from 'vscode';
import type { CancellationToken, TestController, TestItem, TestRun } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { methods } from '../../server/src/lsp/protocol.ts';
import type { RunParams, TestDesign, TestResult, TestsResult, TraceView, ViewRange } from '../../server/src/lsp/protocol.ts';
import { debugTrace } from './debug.ts';
import type { TracePanel } from './trace-panel.ts';

/** Milliseconds without a change of scenario files before they are looked at again. */
const REST = 300;
const scenarioFiles = '**/*.xctx-scenario.{yaml,yml,json}';

/** A scenario's test: what the server is asked, and what it said last. */
interface Known {
  readonly params: RunParams;
  readonly folder: string;
  runs: readonly TraceView[];
}

export function createTestExplorer(client: BaseLanguageClient, traces: TracePanel): Disposable {
  const controller = tests.createTestController('entrycheck', 'Entrycheck');
  const known = new WeakMap<TestItem, Known>();
  let looked = false;
  let waiting: ReturnType<typeof setTimeout> | null = null;

  async function find(): Promise<void> {
    looked = true;
    try {
      const { designs, notes } = await client.sendRequest<TestsResult>(methods.tests);
      controller.items.replace(designs.map((design) => itemOf(controller, known, design)));
      for (const note of notes) client.info(`tests: ${note}`);
    } catch (error) {
      client.error('tests', error);
    }
  }

  function findAgain(): void {
    if (!looked) return;
    if (waiting !== null) clearTimeout(waiting);
    waiting = setTimeout(() => void find(), REST);
  }

  function edited(uri: Uri): void {
    const folder = folderOf(uri.toString());
    controller.items.forEach((design) => {
      if (design.uri?.toString() === folder) controller.invalidateTestResults(design);
    });
  }

  controller.resolveHandler = async (item) => {
    if (item === undefined) await find();
  };
  controller.refreshHandler = find;
  const profile = controller.createRunProfile('Run', TestRunProfileKind.Run, async (request, token) => {
    if (request.include === undefined && !looked) await find();
    await runTests(client, controller, known, request, token);
  }, true);
  profile.supportsContinuousRun = true;
  controller.createRunProfile('Replay', TestRunProfileKind.Debug, async (request, token) => {
    await runTests(client, controller, known, request, token);
    const violated = leavesOf(request.include ?? itemsIn(controller), new Set(request.exclude ?? [])).flatMap((item) => known.get(item)?.runs[0] ?? []).find(({ replay }) => replay !== undefined);
    if (violated?.replay !== undefined) await debugTrace(client, violated.replay);
    else void window.showInformationMessage('Entrycheck: nothing is violated here, so there is no trace to replay');
  });

  const watcher = workspace.createFileSystemWatcher(scenarioFiles);
  return Disposable.from(
    controller,
    watcher,
    watcher.onDidCreate(findAgain),
    watcher.onDidDelete(findAgain),
    workspace.onDidSaveTextDocument(({ uri }) => {
      if (/\.xctx-scenario\.(?:ya?ml|json)$/.test(uri.path)) findAgain();
    }),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0) edited(document.uri);
    }),
    commands.registerCommand('entrycheck.showTestTrace', (item?: TestItem) => {
      const runs = item === undefined ? [] : (known.get(item)?.runs ?? []);
      if (runs.length > 0) traces.show(runs, null);
    }),
    new Disposable(() => {
      if (waiting !== null) clearTimeout(waiting);
    }),
  );
}

function folderOf(uri: string): string {
  return uri.slice(0, uri.lastIndexOf('/'));
}

function itemOf(controller: TestController, known: WeakMap<TestItem, Known>, { design, uri, file, tests: own }: TestDesign): TestItem {
  const item = controller.createTestItem(uri, design, Uri.parse(uri));
  item.children.replace(
    own.map(({ scenario, title, knownBug, at }) => {
      const child = controller.createTestItem(`${uri}#${scenario}`, scenario, Uri.parse(at?.uri ?? file));
      child.description = knownBug ? `${title} (known bug)` : title;
      child.range = at === null ? undefined : rangeOf(at);
      child.sortText = at === null ? `1${scenario}` : `0${scenario}`;
      known.set(child, { params: { uri: file, scenario }, folder: uri, runs: [] });
      return child;
    }),
  );
  return item;
}

function rangeOf({ startLine, startCharacter, endLine, endCharacter }: ViewRange): Range {
  return new Range(startLine, startCharacter, endLine, endCharacter);
}

async function runTests(client: BaseLanguageClient, controller: TestController, known: WeakMap<TestItem, Known>, request: TestRunRequest, token: CancellationToken): Promise<void> {
  const wanted = leavesOf(request.include ?? itemsIn(controller), new Set(request.exclude ?? []));
  if (request.continuous === true) {
    watch(client, controller, known, wanted, request, token);
    return;
  }
  const run = controller.createTestRun(request);
  for (const item of wanted) run.enqueued(item);
  for (const item of wanted) {
    const entry = known.get(item);
    if (entry === undefined || token.isCancellationRequested || run.token.isCancellationRequested) {
      run.skipped(item);
      continue;
    }
    await runOne(client, run, item, entry);
  }
  run.end();
}

async function runOne(client: BaseLanguageClient, run: TestRun, item: TestItem, entry: Known): Promise<void> {
  run.started(item);
  const began = performance.now();
  try {
    const result = await client.sendRequest<TestResult>(methods.test, entry.params, run.token);
    entry.runs = result.runs;
    const took = performance.now() - began;
    run.appendOutput(`${item.label}: ${result.message}\r\n`, undefined, item);
    for (const view of result.runs) run.appendOutput(`${view.text.replaceAll('\n', '\r\n')}\r\n\r\n`, undefined, item);
    switch (result.outcome) {
      case 'passed':
        run.passed(item, took);
        break;
      case 'failed':
        run.failed(item, messageOf(item, result), took);
        break;
      case 'undecided':
        run.errored(item, messageOf(item, result), took);
        break;
      case null:
        if (run.token.isCancellationRequested) run.skipped(item);
        else run.errored(item, new TestMessage(result.message), took);
    }
  } catch (error) {
    if (run.token.isCancellationRequested) run.skipped(item);
    else run.errored(item, new TestMessage(error instanceof Error ? error.message : String(error)));
  }
}

/** What the rule says, at the place of the last step, with the steps behind it as its stack. */
function messageOf(item: TestItem, { message, runs }: TestResult): TestMessage {
  const view = runs[0];
  const text = view?.message ?? view?.remarks[0] ?? null;
  const made = new TestMessage(new MarkdownString().appendText(text === null ? message : `${text} (${message})`));
  const steps = [...(view?.steps ?? [])].reverse();
  made.stackTrace = steps.map(({ title, at }) => new TestMessageStackFrame(title, at === null ? undefined : Uri.parse(at.uri), at === null ? undefined : new Position(at.startLine, at.startCharacter)));
  const last = steps.find(({ at }) => at !== null)?.at ?? null;
  if (last !== null) made.location = new Location(Uri.parse(last.uri), rangeOf(last));
  else if (item.uri !== undefined && item.range !== undefined) made.location = new Location(item.uri, item.range);
  return made;
}

/** Runs what is wanted again whenever a file of its design is saved, until the token says to stop. */
function watch(client: BaseLanguageClient, controller: TestController, known: WeakMap<TestItem, Known>, wanted: readonly TestItem[], request: TestRunRequest, token: CancellationToken): void {
  const listener = workspace.onDidSaveTextDocument(({ uri }) => {
    const folder = folderOf(uri.toString());
    const again = wanted.filter((item) => known.get(item)?.folder === folder);
    if (again.length > 0) void runTests(client, controller, known, new TestRunRequest(again, undefined, request.profile), token);
  });
  token.onCancellationRequested(() => listener.dispose());
}

function itemsIn(controller: TestController): readonly TestItem[] {
  return [...controller.items].map(([, item]) => item);
}

function leavesOf(items: readonly TestItem[], excluded: ReadonlySet<TestItem>): readonly TestItem[] {
  return items.filter((item) => !excluded.has(item)).flatMap((item) => (item.children.size === 0 ? [item] : leavesOf([...item.children].map(([, child]) => child), excluded)));
}
