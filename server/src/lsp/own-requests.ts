// The requests of our own client: expansions, events, scenarios, comparisons, traces and rules. They do not go through the
// protocol's features, so their shapes are in `protocol.ts`.
import type { CancellationToken, Connection } from 'vscode-languageserver/node';
import type { Answering } from './answering.ts';
import { answerDebugMessages } from './debug.ts';
import { findingKeys } from './diagnostics.ts';
import { offsetOf } from './documents.ts';
import type { EntryFiles } from './entry-files.ts';
import { raiseEvents } from './events.ts';
import { expansionChoices, expansionView } from './expansion.ts';
import { pathOfUri } from './paths.ts';
import { methods } from './protocol.ts';
import type { CompareParams, ExpansionChoice, ExpansionChoiceParams, ExpansionParams, ExpansionView, RaiseParams, RuleEntry, RulePageParams, RunParams, RunResult, ScenariosParams, TestResult, TestsResult, TraceParams, TraceView } from './protocol.ts';
import { compareDesigns, listScenarios, locateIn, runScenario } from './runs.ts';
import type { Session } from './session.ts';
import { listTests, runTest } from './tests.ts';
import { viewOfFinding } from './views.ts';

const unavailable = 'the review is not available, see the log';

export function answerOwnRequests(connection: Connection, answering: Answering, findEntryFiles: EntryFiles): void {
  const { answer, onDocument, partsOf, folders } = answering;
  answerDebugMessages(connection, answering);
  connection.onRequest(methods.expansionChoice, ({ uri, line, character }: ExpansionChoiceParams) =>
    onDocument<ExpansionChoice>('expansion', { here: null, symbols: [] }, uri, (session, document) => expansionChoices(session.review, document.file, offsetOf(document.lines, { line, character }))),
  );
  connection.onRequest(methods.expansion, ({ uri, symbol }: ExpansionParams) =>
    answer<ExpansionView | null>('expansion', null, (session) => expansionView(session.review, session.locator, locateIn(session, folders()), pathOfUri(uri), symbol)),
  );
  connection.onRequest(methods.raise, (params: RaiseParams, token: CancellationToken) =>
    onDocument<RunResult>('raise', { problem: 'the file is not open, or is not analysed', design: '', runs: [], stopped: null }, params.uri, (session, document) =>
      withProgress(connection, params, 'Raising events', (report) => raiseEvents(partsOf(session), document, params, report, token)),
    ),
  );
  connection.onRequest(methods.scenarios, ({ uri }: ScenariosParams) => answer('scenarios', { problem: unavailable, design: '', scenarios: [] }, (session) => listScenarios(session, uri)));
  connection.onRequest(methods.run, (params: RunParams, token: CancellationToken) =>
    answer('run', { problem: unavailable, design: '', runs: [], stopped: null }, (session) =>
      withProgress(connection, params, 'Running scenarios', (report) => runScenario(partsOf(session), params, report, token)),
    ),
  );
  connection.onRequest(methods.tests, () => answer<TestsResult>('tests', { designs: [], notes: [unavailable] }, (session) => listTests(partsOf(session), findEntryFiles)));
  connection.onRequest(methods.test, (params: RunParams, token: CancellationToken) =>
    answer<TestResult>('test', { problem: unavailable, outcome: null, message: unavailable, runs: [] }, (session) => runTest(partsOf(session), params, () => undefined, token)),
  );
  connection.onRequest(methods.compare, (params: CompareParams, token: CancellationToken) =>
    answer('compare', { rows: [], notes: [unavailable] }, (session) =>
      withProgress(connection, params, 'Comparing designs', (report) => compareDesigns(partsOf(session), findEntryFiles, params, report, token)),
    ),
  );
  connection.onRequest(methods.trace, (params: TraceParams) => answer<readonly TraceView[]>('trace', [], (session) => tracesAt(session, folders(), params)));
  connection.onRequest(methods.rules, () => answer<readonly RuleEntry[]>('rules', [], (session) => session.review.rules().map(({ name, id, summary }) => ({ name, id, summary }))));
  connection.onRequest(methods.rulePage, ({ name }: RulePageParams) =>
    answer<string | null>('rule page', null, (session) => session.review.rules().find((rule) => rule.name === name || rule.id === name)?.markdown ?? null),
  );
}

async function withProgress<T>(connection: Connection, params: { readonly workDoneToken?: string | number }, title: string, work: (report: (message: string) => void) => Promise<T>): Promise<T> {
  const progress = connection.window.attachWorkDoneProgress(params.workDoneToken);
  progress.begin(title, undefined, undefined, true);
  try {
    return await work((message) => progress.report(message));
  } finally {
    progress.done();
  }
}

/** The witness named by its key, else those at the line, else all of the file. */
function tracesAt(session: Session, folders: readonly string[], { uri, key, line }: TraceParams): readonly TraceView[] {
  const file = pathOfUri(uri);
  const { findings } = session.findings(file);
  const keys = findingKeys(findings);
  const traced = findings.filter((finding) => finding.trace !== null);
  const named = traced.filter((finding) => key !== null && keys.get(finding) === key);
  const here = traced.filter((finding) => {
    const range = session.locator.viewRange(finding.place);
    return range.startLine <= line && line <= range.endLine;
  });
  const chosen = [named, here, traced].find((candidates) => candidates.length > 0) ?? [];
  const locate = locateIn(session, folders);
  return chosen.map((finding) => viewOfFinding(finding, session.review.unitOf(file)?.name ?? '', session.locator, locate));
}
