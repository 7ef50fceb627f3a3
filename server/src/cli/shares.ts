// Entry paths of a kernel tree explored in threads, one a share, while the command does everything else: each thread runs
// the command line's own bundle with a review of its own that reads the same files. Only reports come back.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { createReview } from '../core/review.ts';
import type { PathCoverage, RunReport } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import type { Kept } from '../shell/kept.ts';
import type { Seen } from '../shell/seen.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import type { Io } from './io.ts';
import type { Session } from './session.ts';

/** What a thread is started with. */
export interface ShareRequest {
  readonly home: string;
  readonly cwd: string;
  readonly configuration: string | null;
  readonly folder: string;
  readonly share: number;
  /** Texts that win over the disk. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Steps between two looks at whether that was all. */
const STEPS = 1_000_000;

export interface ShareResults {
  readonly reports: readonly RunReport[];
  readonly coverage: readonly PathCoverage[];
}

/** With what they rest on, a share each. */
export interface Shared extends ShareResults {
  readonly seen: readonly Seen[];
}

interface Answer extends ShareResults {
  /** Files that could not be read. */
  readonly refused: readonly string[];
  readonly seen: Seen;
}

export interface Shares {
  /** Starts a thread a share of the tree that a folder belongs to, once; false where there is nothing to share out. */
  readonly start: (folder: string) => boolean;
  /** What all shares found, in their order; null where none had anything to explore. */
  readonly results: (folder: string) => Promise<Shared | null>;
}

/** `texts` are those that win over the disk in the session's workspace. A share that was explored before, of the same texts, is not explored again. */
export function createShares({ review, workspace }: Session, configuration: string | null, texts: ReadonlyMap<string, string>, kept: Kept, { bundle, home, cwd }: Io): Shares {
  const started = new Map<string, Promise<readonly Answer[]>>();

  async function answered(bundle: string, folder: string, count: number, share: number): Promise<Answer> {
    const question = ['share', folder, configuration, share, count];
    const known = kept.find<Answer>(question, workspace);
    if (known !== null) return known;
    const answer = await exploredIn(bundle, { home, cwd, configuration, folder, share, texts });
    kept.keep(question, answer.seen, answer);
    return answer;
  }

  return {
    start: (folder) => {
      const shares = bundle === null || availableParallelism() < 2 ? null : review.shares(folder);
      if (bundle === null || shares === null || shares.count < 2) return false;
      const { tree, count } = shares;
      if (!started.has(tree)) started.set(tree, Promise.all(Array.from({ length: count }, (_, share) => answered(bundle, folder, count, share))));
      return true;
    },
    results: async (folder) => {
      const answers = (await started.get(review.shares(folder)?.tree ?? '')) ?? [];
      // What was refused there is refused here, and said once.
      for (const path of answers.flatMap(({ refused }) => refused)) workspace.refusal(path);
      const reports = answers.flatMap((answer) => answer.reports);
      return reports.length === 0 ? null : { reports, coverage: answers.flatMap(({ coverage }) => coverage), seen: answers.map(({ seen }) => seen) };
    },
  };
}

function exploredIn(bundle: string, request: ShareRequest): Promise<Answer> {
  return new Promise((settle, fail) => {
    // Through what starts it, where it has one: so the thread runs kept code.
    const worker = new Worker(bundle.replace(/\.bundle\.js$/, '.js'), { workerData: request });
    worker.once('message', settle);
    worker.once('error', fail);
    worker.once('exit', (code) => fail(new Error(`the thread that explores ${request.folder} ended with ${code} and without reports`)));
  });
}

/** The other side: explores its share and says what it found. */
export async function serveShare(port: MessagePort, { home, cwd, configuration, folder, share, texts }: ShareRequest): Promise<void> {
  const workspace = createNodeWorkspace(cwd, texts);
  const review = await createReview(loadGrammars(home), workspace, null);
  review.configure({ configuration, defines: [] });
  const exploration = review.exploreShare(folder, share);
  while (!exploration.run(STEPS).done);
  const answer: Answer = { reports: exploration.reports(), coverage: exploration.coverage(), refused: workspace.refused().map(({ path }) => path), seen: workspace.seen() };
  port.postMessage(answer);
}
