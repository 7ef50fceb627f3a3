// The requests that run scenarios: list, run one or all, compare designs. Runs happen in the worker, with progress and
// cancellation; this file names units, waits and turns reports into views.
import type { CancellationToken } from 'vscode-languageserver/node';
import { locator as pointLocator } from '../core/render/places.ts';
import type { Locate } from '../core/render/places.ts';
import { unreachable } from '../core/base/unreachable.ts';
import type { Progress, RunReport, Unit } from '../core/review-types.ts';
import { reportWithSteps, withSteps } from '../worker/keys.ts';
import type { Job } from '../worker/messages.ts';
import type { WorkerOwner } from '../worker/owner.ts';
import type { EntryFiles } from './entry-files.ts';
import { pathOfUri } from './paths.ts';
import type { CompareParams, CompareResult, CompareRow, RunParams, RunResult, ScenariosResult, TraceView } from './protocol.ts';
import type { Session } from './session.ts';
import { viewOfReport } from './views.ts';

export type Report = (message: string) => void;

export interface RunParts {
  readonly session: Session;
  readonly owner: WorkerOwner;
  /** Folders of the workspace. */
  readonly folders: readonly string[];
}

export interface JobReports {
  readonly reports: readonly RunReport[];
  readonly stopped: string | null;
  readonly problem: string | null;
}

/** Places as a mail names them: files below a folder of the workspace by their path in it. */
export function locateIn(session: Session, folders: readonly string[]): Locate {
  const locate = pointLocator((file) => session.document(session.locator.uri(file))?.text ?? session.review.text(file));
  return (place) => {
    const folder = folders.find((candidate) => place.file.startsWith(`${candidate}/`));
    return folder === undefined ? locate(place) : { ...locate(place), file: place.file.slice(folder.length + 1) };
  };
}

/** Those that the document itself declares come first. */
export function listScenarios(session: Session, uri: string): ScenariosResult {
  const unit = session.review.unitOf(pathOfUri(uri));
  if (unit === null) return { problem: noUnit(uri), design: '', scenarios: [] };
  const file = pathOfUri(uri);
  const all = session.review.scenarios(unit.folder);
  const here = all.filter(({ place }) => place?.file === file);
  const others = all.filter((scenario) => !here.includes(scenario));
  return { problem: null, design: unit.name, scenarios: [...here, ...others].map(({ name, title, why, place }) => ({ name, title, why, own: place !== null })) };
}

export async function runScenario({ session, owner, folders }: RunParts, params: RunParams, report: Report, token: CancellationToken): Promise<RunResult> {
  const unit = session.review.unitOf(pathOfUri(params.uri));
  if (unit === null) return { problem: noUnit(params.uri), design: '', runs: [], stopped: null };
  const job: Job = params.scenario === null ? { kind: 'explore', folder: unit.folder } : { kind: 'run', folder: unit.folder, scenario: params.scenario, beyond: true };
  const { reports, stopped, problem } = await runJob(owner, job, report, token);
  return { problem, design: unit.name, runs: viewsOf(session, unit, reports, locateIn(session, folders)), stopped };
}

export async function compareDesigns({ session, owner, folders }: RunParts, findFiles: EntryFiles, params: CompareParams, report: Report, token: CancellationToken): Promise<CompareResult> {
  const { files, notes } = await findFiles(params.folders.length === 0 ? folders : params.folders.map(pathOfUri));
  const units = unitsWith(session, files);
  const designs = units.filter((unit) => handlesVe(session, unit)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows: CompareRow[] = [];
  for (const unit of designs) {
    if (token.isCancellationRequested) break;
    const { reports, stopped, problem } = await runJob(owner, { kind: 'explore', folder: unit.folder }, (message) => report(`${unit.name}: ${message}`), token);
    const file = unit.files[0] ?? unit.folder;
    rows.push({ design: unit.name, folder: unit.folder, uri: session.locator.uri(file), runs: viewsOf(session, unit, reports, locateIn(session, folders)), stopped: problem ?? stopped });
  }
  const left = units.length - designs.length;
  return { rows, notes: left === 0 ? notes : [...notes, `${left} of ${units.length} units have no #VE handler and were left out`] };
}

/** The units of files and of the open documents, each once. */
export function unitsWith({ review, documents }: Session, files: readonly string[]): readonly Unit[] {
  const units = new Map<string, Unit>();
  for (const file of [...files, ...documents().map((document) => document.file)]) {
    const unit = review.unitOf(file);
    if (unit !== null) units.set(unit.folder, unit);
  }
  return [...units.values()];
}

export function noUnit(uri: string): string {
  return `no entry code, C handler or scenario is reviewed with ${uri.slice(uri.lastIndexOf('/') + 1)}`;
}

export function viewsOf(session: Session, unit: Unit, reports: readonly RunReport[], locate: Locate): readonly TraceView[] {
  return reports.map((bare) => {
    const report = reportWithSteps(session.review, unit.folder, bare);
    const findings = report.findings.map((finding) => withSteps(session.review, unit.folder, finding));
    return viewOfReport({ ...report, findings }, session.locator, locate, unit.files[0] ?? null);
  });
}

export async function runJob(owner: WorkerOwner, job: Job, report: Report, token: CancellationToken): Promise<JobReports> {
  if (token.isCancellationRequested) return { reports: [], stopped: 'cancelled', problem: null };
  const handle = owner.submit(job, false, { progress: (progress, perSecond) => report(progressText(progress, perSecond)), partial: () => undefined });
  const listener = token.onCancellationRequested(handle.cancel);
  const outcome = await handle.outcome;
  listener.dispose();
  switch (outcome.kind) {
    case 'result':
      return { reports: outcome.result.reports, stopped: outcome.result.stopped, problem: null };
    case 'cancelled':
      return { reports: [], stopped: 'cancelled', problem: null };
    case 'answer':
      return { reports: [], stopped: null, problem: 'the worker answered another question' };
    case 'absent':
      return { reports: [], stopped: null, problem: job.kind === 'run' ? `there is no scenario ${job.scenario} here` : 'there is nothing to explore here' };
    case 'failed':
      return { reports: [], stopped: null, problem: `the run failed: ${outcome.message.split('\n', 1)[0] ?? ''}` };
    default:
      return unreachable(outcome);
  }
}

export function progressText({ scenario, start, states, depth }: Progress, perSecond: number): string {
  return `${scenario} from ${start}: ${states} states, depth ${depth}, ${perSecond} a second`;
}

/** By annotation, by scenario file, or by the name of Linux's vector 20. */
function handlesVe(session: Session, unit: Unit): boolean {
  const inScenario = session.review.scenarios(unit.folder).some((scenario) => scenario.handlers.some(({ vector }) => /^(?:#?VE|20)$/i.test(vector)));
  return inScenario || unit.files.some((file) => /xctx:\s*handler\b[^\n]*\bvector=(?:20|#?VE)\b|X86_TRAP_VE\b/i.test(session.review.text(file) ?? ''));
}
