// Reviews of literal files and of the designs under test-fixtures, run to their end, and one-line edits of them. For
// tests only.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { emptyConfiguration } from '../core/preprocess/configurations.ts';
import { createReview } from '../core/review.ts';
import type { Exploration, Review, RunReport, Workspace } from '../core/review-types.ts';
import type { Program } from '../core/program/program.ts';
import { createRun } from '../core/review/run.ts';
import type { RunOptions } from '../core/review/run.ts';
import { createStreams } from '../core/review/streams.ts';
import { linkUnit } from '../core/review/unit.ts';
import type { LinkedUnit } from '../core/review/unit.ts';
import { RULES } from '../core/rules/index.ts';
import { builtInScenarios } from '../core/scenarios/built-in.ts';
import type { Scenario, StartContext } from '../core/scenarios/scenario.ts';
import { createCParser } from '../core/syntax/c.ts';
import { createParsers } from '../core/syntax/parser.ts';
import { loadGrammars } from '../shell/grammars.ts';

export type Files = ReadonlyMap<string, string>;

/** A review with the one unit that its files make. */
export interface Opened {
  readonly review: Review;
  readonly folder: string;
  /** The whole path of a file of the unit. */
  readonly path: (name: string) => string;
}

const designsFolder = 'test-fixtures/designs';

export const designNames: readonly string[] = readdirSync(designsFolder).sort();

/** The files of a design by name, as they are on disk. */
export function design(name: string): Files {
  const folder = join(designsFolder, name);
  return new Map(
    readdirSync(folder)
      .sort()
      .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
}

/** One line of a design changed; fails where the line is not there exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export function edited(files: Files, edits: readonly Edit[]): Files {
  const after = new Map(files);
  for (const { file, from, to } of edits) {
    const text = after.get(file) ?? '';
    const parts = text.split(from);
    assert.equal(parts.length, 2, `${file} has ${JSON.stringify(from)} ${parts.length - 1} times`);
    after.set(file, parts.join(to));
  }
  return after;
}

let grammars: ReturnType<typeof loadGrammars> | null = null;

/** Opens files as if they lay in a folder beside the designs, so that they include the same headers. */
export async function open(files: Files, name = 'unit'): Promise<Opened> {
  const folder = `${designsFolder}/${name}`;
  grammars ??= loadGrammars('out');
  const own = new Map([...files].map(([file, text]) => [posix.join(folder, file), text]));
  const workspace: Workspace = {
    read: (path) => own.get(path) ?? (path.startsWith(`${folder}/`) ? null : readDisk(path)),
    list: (asked) => (asked === folder ? [...files.keys()] : []),
  };
  return { review: await createReview(grammars, workspace, emptyConfiguration), folder, path: (file) => posix.join(folder, file) };
}

const read = new Map<string, string | null>();

function readDisk(path: string): string | null {
  const known = read.get(path);
  if (known !== undefined) return known;
  const text = existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : null;
  read.set(path, text);
  return text;
}

/** Runs an exploration in slices of `slice` states; null is no exploration and fails. */
export function finished(exploration: Exploration | null, slice = 5000): readonly RunReport[] {
  assert.ok(exploration !== null, 'there is no such scenario or unit');
  while (!exploration.run(slice).done);
  return exploration.reports();
}

/** Reports of one scenario from all its starts. */
export function runs({ review, folder }: Opened, scenario: string, slice?: number): readonly RunReport[] {
  return finished(review.run(folder, scenario), slice);
}

export async function runsOf(files: Files, scenario: string): Promise<readonly RunReport[]> {
  const opened = await open(files);
  const reports = runs(opened, scenario);
  opened.review.release();
  return reports;
}

/** `violated` where any start is, else the one verdict of all of them, or all of them in words. */
export function verdictOf(reports: readonly RunReport[]): string {
  const all = [...new Set(reports.map(({ verdict }) => verdict))];
  return all.includes('violated') ? 'violated' : all.join(' or ');
}

/** What the runs say was broken: `live-frame-overwritten`, each once. */
export function broken(reports: readonly RunReport[]): readonly string[] {
  const said = reports.flatMap(({ remarks }) => remarks).flatMap((remark) => /^violated: never (\S+)/.exec(remark)?.[1] ?? []);
  return [...new Set(said)].sort();
}

let parsers: ReturnType<typeof createParsers> | null = null;

/** The files as linked, for runs with a scenario, a start and options of the test's own. */
export async function linked(files: Files, name = 'unit'): Promise<LinkedUnit> {
  const folder = `${designsFolder}/${name}`;
  grammars ??= loadGrammars('out');
  parsers ??= createParsers(grammars);
  const own = new Map([...files].map(([file, text]) => [posix.join(folder, file), text]));
  const source = { read: (path: string) => own.get(path) ?? (path.startsWith(`${folder}/`) ? null : readDisk(path)) };
  return linkUnit({ folder, name, files: [...own.keys()] }, source, createStreams(source, emptyConfiguration, createCParser(await parsers)));
}

/** A built-in scenario with budgets of the test's own; events that are not named keep theirs. */
export function scenarioNamed(name: string, budgets: Readonly<Record<string, number>> = {}): Scenario {
  const scenario = builtInScenarios.find((one) => one.name === name) ?? assert.fail(`there is no scenario ${name}`);
  return { ...scenario, budgets: scenario.budgets.map(({ event, count }) => ({ event, count: budgets[event] ?? count })) };
}

/** One run to its end. */
export function ran(program: Program, scenario: Scenario, start: StartContext, options: Partial<RunOptions & { readonly slice: number }> = {}): RunReport {
  const { slice = 5000, reference = false, maxStates = 1_000_000, anyNumber = false } = options;
  const run = createRun(program, scenario, start, 'unit', RULES, { reference, maxStates, anyNumber });
  while (!run.advance(slice).done);
  return run.report();
}

/** Machine steps of the shortest trace, which tells whole choices; null where nothing is broken. */
export function traceLength({ trace }: RunReport): number | null {
  return trace === null ? null : trace.steps.reduce((sum, step) => sum + step.steps, 0);
}
