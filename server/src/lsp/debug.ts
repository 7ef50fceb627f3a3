// Debug sessions of our own client: the messages of the debug adapter go through the language server, so that a replay is
// that of the texts as they are edited. The adapter is loaded when the first session begins.
import { CancellationTokenSource } from 'vscode-languageserver';
import type { Connection } from 'vscode-languageserver/node';
import { isWhole } from '../core/review/path-scenarios.ts';
import { locator } from '../core/render/places.ts';
import { chooseChoices, chooseFinding, chooseRun } from '../dap/choose.ts';
import { findIn, noUnit, scenarioProblem, unitNamed } from '../dap/find.ts';
import { refused } from '../dap/host.ts';
import type { DebugHost, Found, Looking, Refused } from '../dap/host.ts';
import type { Wanted } from '../dap/launch.ts';
import type { ReplaySession } from '../dap/session.ts';
import type { Answering } from './answering.ts';
import { findingKeys } from './diagnostics.ts';
import { hasScheme, pathOfUri } from './paths.ts';
import { methods } from './protocol.ts';
import type { DebugEndParams, DebugMessage } from './protocol.ts';
import { runJob } from './runs.ts';
import type { RunParts } from './runs.ts';

export function answerDebugMessages(connection: Connection, { answer, partsOf }: Answering): void {
  const sessions = new Map<string, Promise<ReplaySession | null>>();

  connection.onNotification(methods.debugMessage, ({ session, message }: DebugMessage) => {
    let running = sessions.get(session);
    if (running === undefined) sessions.set(session, (running = begin(session)));
    void running.then((adapter) => {
      if (adapter !== null) adapter.handleMessage(message);
      else connection.sendNotification(methods.debugMessage, { session, message: notAvailable(message) });
    });
  });
  connection.onNotification(methods.debugEnd, ({ session }: DebugEndParams) => {
    void sessions.get(session)?.then((adapter) => adapter?.end());
    sessions.delete(session);
  });

  function begin(session: string): Promise<ReplaySession | null> {
    return answer<ReplaySession | null>('debug session', null, async (reviewed) => {
      const { ReplaySession } = await import('../dap/session.ts');
      const adapter = new ReplaySession(hostOf(partsOf(reviewed)));
      adapter.onDidSendMessage((message) => void connection.sendNotification(methods.debugMessage, { session, message }));
      return adapter;
    });
  }
}

/** The answer to a request where there is no review. */
function notAvailable(message: DebugMessage['message']): DebugMessage['message'] {
  return { seq: 0, type: 'response', request_seq: message.seq, success: false, command: message.command ?? '', message: 'the review is not available, see the log' };
}

function hostOf(parts: RunParts): DebugHost {
  const { review } = parts.session;
  return {
    find: (wanted, looking) => find(parts, named(wanted), looking),
    invariants: () => review.invariants(),
    text: (file) => parts.session.document(parts.session.locator.uri(file))?.text ?? review.text(file),
    pathOf: (file) => file,
    fileOf: fileNamed,
  };
}

/** Clients name files by paths or by URIs. */
function fileNamed(path: string): string {
  return hasScheme(path) ? pathOfUri(path) : path.replaceAll('\\', '/');
}

function named(wanted: Wanted): Wanted {
  return wanted.kind === 'finding' ? { ...wanted, file: fileNamed(wanted.file) } : { ...wanted, program: fileNamed(wanted.program) };
}

async function find(parts: RunParts, wanted: Wanted, looking: Looking): Promise<Found | Refused> {
  const { session } = parts;
  const path = wanted.kind === 'finding' ? wanted.file : wanted.program;
  const unit = unitNamed(session.review, path);
  if (unit === null) return noUnit(path);
  switch (wanted.kind) {
    case 'choices':
      return chooseChoices(session.review, unit.folder, wanted);
    case 'finding': {
      const { findings } = session.findings(wanted.file);
      const known = chooseFinding(session.review, unit.folder, findings, locator(session.review.text), wanted, findingKeys(findings));
      const traced = findings.filter(({ trace }) => trace !== null);
      // The worker keeps the paths of entry code, and may not have come to this file yet.
      return known.kind === 'refused' && (traced.length === 0 || traced.some(({ trace }) => trace !== null && isWhole(trace.scenario))) ? findHere(parts, wanted, looking) : known;
    }
    case 'scenario':
      return scenarioProblem(session.review, unit.folder, wanted.scenario) ?? run(parts, unit.folder, wanted, looking);
  }
}

async function run(parts: RunParts, folder: string, wanted: Wanted & { readonly kind: 'scenario' }, looking: Looking): Promise<Found | Refused> {
  const stop = new CancellationTokenSource();
  const job = wanted.scenario === null ? ({ kind: 'explore', folder } as const) : ({ kind: 'run', folder, scenario: wanted.scenario, beyond: false } as const);
  const { reports, stopped, problem } = await runJob(parts.owner, job, (message) => {
    looking.report(message);
    if (looking.cancelled()) stop.cancel();
  }, stop.token);
  if (problem !== null) return refused(problem);
  const chosen = chooseRun(parts.session.review, folder, reports, wanted);
  if (chosen.kind === 'found') return chosen;
  if (reports.some(({ verdict, scenario }) => verdict === 'violated' && isWhole(scenario))) return findHere(parts, wanted, looking);
  return stopped === null ? chosen : refused(`${chosen.message}; the run stopped early: ${stopped}`);
}

/** In the server's own review, between other requests. */
function findHere({ session }: RunParts, wanted: Wanted, looking: Looking): Promise<Found | Refused> {
  return findIn(session.review, wanted, looking, () => new Promise((next) => void setImmediate(next)));
}
