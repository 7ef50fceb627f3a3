// The Test Explorer's requests: the scenarios of the workspace's designs as tests, and one of them run against what it
// awaits.
import type { CancellationToken } from 'vscode-languageserver/node';
import { outcomeOf } from '../core/review/tests.ts';
import type { Unit } from '../core/review-types.ts';
import type { EntryFiles } from './entry-files.ts';
import { pathOfUri } from './paths.ts';
import type { RunParams, TestDesign, TestEntry, TestResult, TestsResult } from './protocol.ts';
import { locateIn, noUnit, runJob, unitsWith, viewsOf } from './runs.ts';
import type { Report, RunParts } from './runs.ts';
import type { Session } from './session.ts';

/** Designs of the folders on the disk and of the open documents, by name. */
export async function listTests({ session, folders }: RunParts, findFiles: EntryFiles): Promise<TestsResult> {
  const { files, notes } = await findFiles(folders);
  const designs = unitsWith(session, files).flatMap((unit) => designOf(session, unit) ?? []);
  return { designs: designs.sort((a, b) => (a.design < b.design ? -1 : a.design > b.design ? 1 : a.uri < b.uri ? -1 : 1)), notes };
}

function designOf(session: Session, unit: Unit): TestDesign | null {
  const file = unit.files[0];
  const tests = session.review.scenarios(unit.folder).map(({ name, title, awaited, place }): TestEntry => ({
    scenario: name,
    title,
    knownBug: awaited === 'violated',
    at: place === null ? null : session.locator.viewRange(place),
  }));
  return file === undefined || tests.length === 0 ? null : { design: unit.name, uri: session.locator.uri(unit.folder), file: session.locator.uri(file), tests };
}

export async function runTest({ session, owner, folders }: RunParts, { uri, scenario }: RunParams, report: Report, token: CancellationToken): Promise<TestResult> {
  const unit = session.review.unitOf(pathOfUri(uri));
  const awaited = unit === null || scenario === null ? undefined : session.review.scenarios(unit.folder).find(({ name }) => name === scenario)?.awaited;
  if (unit === null) return none(noUnit(uri));
  if (scenario === null || awaited === undefined) return none(`there is no scenario ${scenario ?? ''} here any more`);
  const { reports, stopped, problem } = await runJob(owner, { kind: 'run', folder: unit.folder, scenario, beyond: false }, report, token);
  if (problem !== null || stopped !== null) return none(problem ?? stopped ?? '');
  if (reports.length === 0) return none(`${scenario} does not apply to ${unit.name}`);
  const { kind, message } = outcomeOf(awaited, reports);
  const deciding = [...reports].sort((a, b) => weight(a.verdict) - weight(b.verdict));
  return { problem: null, outcome: kind, message, runs: viewsOf(session, unit, deciding, locateIn(session, folders)) };
}

const order = ['violated', 'vacuous', 'inconclusive', 'holds'];

function weight(verdict: string): number {
  return order.indexOf(verdict);
}

function none(problem: string): TestResult {
  return { problem, outcome: null, message: problem, runs: [] };
}
