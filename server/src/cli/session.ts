// A review for the length of one command: grammars, workspace, units, and explorations run to their end. Knows no
// command and prints nothing but progress.
import { createReview } from '../core/review.ts';
import type { Exploration, Review, RunReport, Unit } from '../core/review-types.ts';
import { locator } from '../core/render/places.ts';
import type { Locate } from '../core/render/places.ts';
import { grammarFiles, loadGrammars } from '../shell/grammars.ts';
import { createKept } from '../shell/kept.ts';
import type { Kept, Question } from '../shell/kept.ts';
import { missing } from '../shell/workspace.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';
import type { Io } from './io.ts';
import { treePaths } from './tree-path.ts';

export interface Session {
  readonly review: Review;
  readonly workspace: NodeWorkspace;
  readonly locate: Locate;
  /** A path as it is shown. */
  readonly shown: (path: string) => string;
}

const slice = 4000;
/** Steps of entry paths between two signs of life. */
const pathSteps = 20_000;

/**
 * Every file is read with the configuration of its tree, unless one is named; a name of none was refused before. `names`
 * are what files that are on no disk, and their folders, are shown as.
 */
export async function openSession(io: Io, workspace: NodeWorkspace, configuration: string | null = null, names: ReadonlyMap<string, string> = new Map()): Promise<Session> {
  io.working('loading the grammars');
  const review = await createReview(loadGrammars(io.home), workspace, null);
  review.configure({ configuration, defines: [] });
  const locate = locator((file) => review.text(file));
  const tree = treePaths(io.cwd);
  const shown = (path: string): string => names.get(path) ?? tree.shown(path);
  return { review, workspace, locate: (place) => ({ ...locate(place), file: shown(place.file) }), shown };
}

/** What commands found before, by the bundle that runs. */
export function keptBy({ cache, bundle, home }: Io): Kept {
  return createKept(bundle === null ? null : cache, bundle === null ? [] : [bundle, ...grammarFiles(home)]);
}

/** What was answered to a question before, where it would be again, or what is answered now. Null is answered anew. */
export function answered<Result extends object>(question: Question, { workspace }: Session, io: Io, compute: () => Result | null): Result | null {
  const kept = keptBy(io);
  const before = kept.find<Result>(question, workspace);
  if (before !== null) return before;
  const result = compute();
  if (result !== null) kept.keep(question, workspace.seen(), result);
  return result;
}

/** Which files were not reviewed and why, those included that vanished since they were listed. */
export function refusedTexts({ workspace }: Session, files: readonly string[]): readonly string[] {
  return [...files.filter((file) => workspace.refusal(file) === missing).map((file) => `${file}: deleted while it was reviewed`), ...workspace.refused().map(({ path, refusal }) => `${path}: ${refusal}`)];
}

export function sayRefused(session: Session, files: readonly string[], io: Io): void {
  for (const sentence of refusedTexts(session, files)) io.err(`entrycheck: ${sentence}\n`);
}

/** Whether not one of the files could be read: then nothing was reviewed, whatever the list of findings says. */
export function allRefused({ workspace }: Session, files: readonly string[]): boolean {
  return files.length > 0 && files.every((file) => workspace.refusal(file) !== null);
}

/** The units of the files, in their order; files of no unit are left out. */
export function unitsOf(review: Review, files: readonly string[]): readonly Unit[] {
  const units = new Map<string, Unit>();
  for (const file of files) {
    const unit = review.unitOf(file);
    if (unit !== null && !units.has(unit.folder)) units.set(unit.folder, unit);
  }
  return [...units.values()];
}

/** Explores all that contexts at a place, and events raised there, rest on; without a place, those of the whole file. */
export function prepare({ review }: Session, file: string, offset: number | null, events: readonly string[], io: Io): void {
  if (!review.inKernelTree(file)) while (!review.prepareContexts(file, slice)) io.working(`finding the contexts of ${file}`);
  for (let slices = 1; !review.prepareAt(file, offset, events, pathSteps); slices += 1) showProgress(io, `${file}: following every entry path, ${(slices * pathSteps).toLocaleString('en')} steps`);
  showProgress(io, '');
}

/** Runs to the end, or until `mostStates` were explored: the run that was cut is reported as inconclusive. */
export function explore(exploration: Exploration, design: string, mostStates: number | null, io: Io): readonly RunReport[] {
  for (let explored = 0; ; ) {
    const progress = exploration.run(mostStates === null ? slice : Math.max(1, Math.min(slice, mostStates - explored)));
    explored = progress.states;
    if (progress.done) {
      showProgress(io, '');
      return exploration.reports();
    }
    if (progress.scenario !== '') showProgress(io, `${design}: ${progress.scenario} from ${progress.start}: ${progress.states} states, depth ${progress.depth}`);
    if (mostStates !== null && progress.states >= mostStates) {
      showProgress(io, '');
      const bound = `states at most ${mostStates}`;
      const cut: RunReport = {
        scenario: progress.scenario,
        design,
        start: progress.start,
        verdict: 'inconclusive',
        states: progress.states,
        transitions: 0,
        depth: progress.depth,
        bounds: [bound],
        boundsHit: [bound],
        assumptions: [],
        findings: [],
        remarks: [],
        trace: null,
      };
      return [...exploration.reports(), cut];
    }
  }
}

/** One line that is overwritten, on terminals only. */
export function showProgress(io: Io, text: string): void {
  if (io.progress) io.err(`\r\u001b[K${text.slice(0, io.columns - 1)}`);
}
