// `entrycheck compare` on two kernel trees: what is found in the one and not in the other, and where the way of each such
// finding is not that of the other tree any more.
import { basename } from 'node:path';
import { findingDivergenceText, findingJson, treesSummary } from '../core/render/compare-trees.ts';
import type { ComparedFinding } from '../core/render/compare-trees.ts';
import { coloured, plain } from '../core/render/paint.ts';
import { inOrder } from '../core/render/places.ts';
import { findingText } from '../core/render/text.ts';
import { followedIn } from '../core/review/path-divergence.ts';
import type { Finding } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { entriesFor, keyOf } from './baseline.ts';
import { clean, couldNotRun, found, refuse } from './io.ts';
import type { Io } from './io.ts';
import { judge } from './judge.ts';
import { findSources, tidy } from './paths.ts';
import { allRefused, keptBy, openSession, sayRefused } from './session.ts';
import type { Session } from './session.ts';
import { createShares } from './shares.ts';
import { findKernelRoot } from './sources.ts';
import { tellUnknown } from './tell-unknown.ts';

interface Tree {
  readonly name: string;
  readonly session: Session;
  readonly files: readonly string[];
  /** A folder of its entry code. */
  readonly folder: string;
  readonly findings: readonly Finding[];
  /** What each finding is known by, whichever tree it is in. */
  readonly keys: readonly string[];
}

export async function compareTrees(base: string, other: string, format: 'gcc' | 'json', io: Io): Promise<number> {
  const trees: Tree[] = [];
  for (const path of [base, other]) {
    const tree = await judgedTree(path, io);
    if (typeof tree === 'string') return refuse(io, tree);
    trees.push(tree);
  }
  const [first, second] = named(trees);
  if (first === undefined || second === undefined) return couldNotRun;
  const compared = await followed(first, second, changesOf(first, second), io);
  const paint = io.color ? coloured : plain;
  if (format === 'json') io.out(`${JSON.stringify({ version: 1, base: first.name, other: second.name, runs: [], findings: compared.map((one) => findingJson(one, treeOf(one, first, second).session.locate)) }, null, 2)}\n`);
  else {
    for (const one of compared) {
      const { session, name } = treeOf(one, first, second);
      const text = findingText(one.finding, session.locate, paint);
      io.out(`${one.change === 'newly broken' ? paint.bad(one.change) : one.change === 'fixed' ? paint.good(one.change) : paint.doubtful(one.change)}:\n`);
      for (const line of one.change === 'still broken' ? text.slice(0, 1) : text) io.out(`${line}\n`);
      for (const line of findingDivergenceText(one, name, (one.change === 'fixed' ? second : first).name, session.locate)) io.out(`${line}\n`);
    }
    io.out(`${first.name} -> ${second.name}: ${treesSummary(compared)}\n`);
  }
  for (const { session, files } of trees) sayRefused(session, files, io);
  for (const tree of trees) tree.session.review.release();
  if (trees.some(({ session, files }) => allRefused(session, files))) return couldNotRun;
  return compared.some(({ change }) => change === 'newly broken') ? found : clean;
}

/** By the folders that tell their paths apart, where these have names of their own. */
function named(trees: readonly Tree[]): readonly Tree[] {
  const paths = trees.map(({ name }) => name.split('/'));
  const [one = [], two = []] = paths;
  let same = 0;
  while (same < Math.min(one.length, two.length) - 1 && one.at(-1 - same) === two.at(-1 - same)) same += 1;
  const short = paths.map((parts) => parts.at(-1 - same) ?? '');
  return short[0] === short[1] || short.includes('') ? trees : trees.map((tree, index) => ({ ...tree, name: short[index] ?? tree.name }));
}

/** The tree that a finding is in; what is still broken is told of the second. */
function treeOf({ change }: ComparedFinding, first: Tree, second: Tree): Tree {
  return change === 'fixed' ? first : second;
}

async function judgedTree(path: string, io: Io): Promise<Tree | string> {
  const workspace = createNodeWorkspace(io.cwd);
  const sources = findSources([path], io.cwd, workspace);
  if (sources.kind === 'refused') return `compare: ${sources.message}`;
  const session = await openSession(io, workspace);
  const kept = keptBy(io);
  const { findings, unknown } = await judge(session, null, sources.sources, createShares(session, null, new Map(), kept, io), kept, { coverage: false, accepted: false }, io);
  const root = findKernelRoot(tidy(path), workspace) ?? '';
  // Hints are not told by check either, unless they are asked for.
  const ordered = inOrder(findings.filter(({ severity }) => severity !== 'hint'), session.locate);
  for (const sentence of tellUnknown(unknown.filter(({ kind }) => kind === 'unfinished'), session.locate)) io.err(`entrycheck: ${sentence}\n`);
  return {
    name: tidy(path) === '' ? basename(io.cwd) : tidy(path),
    session,
    files: sources.sources.files,
    folder: sources.sources.folders[0] ?? tidy(path),
    findings: ordered,
    keys: ordered.map((finding) => entriesFor(`${root}tree`, io.cwd, [finding], session.review).map(keyOf).join()),
  };
}

function changesOf(first: Tree, second: Tree): readonly ComparedFinding[] {
  const alone = (one: Tree, other: Tree, change: ComparedFinding['change']): readonly ComparedFinding[] => {
    const left = [...other.keys];
    return one.findings.flatMap((finding, index): readonly ComparedFinding[] => {
      const at = left.indexOf(one.keys[index] ?? '');
      if (at >= 0) left.splice(at, 1);
      return (at >= 0) === (change === 'still broken') ? [{ finding, change, divergence: null }] : [];
    });
  };
  return [...alone(second, first, 'newly broken'), ...alone(second, first, 'still broken'), ...alone(first, second, 'fixed')];
}

/** Both trees are linked for that in one review, and nothing is explored. */
async function followed(first: Tree, second: Tree, compared: readonly ComparedFinding[], io: Io): Promise<readonly ComparedFinding[]> {
  if (!compared.some(({ change, finding }) => change !== 'still broken' && finding.trace?.way !== undefined)) return compared;
  const { review } = await openSession(io, createNodeWorkspace(io.cwd));
  const all = compared.map((one): ComparedFinding => {
    const { trace } = one.finding;
    if (one.change === 'still broken' || trace === null) return one;
    io.working(`following ${one.finding.rule} in the other tree`);
    const [led, follower] = one.change === 'fixed' ? [first, second] : [second, first];
    return { ...one, divergence: followedIn(review.entryPrograms(led.folder), review.entryPrograms(follower.folder), trace) };
  });
  review.release();
  return all;
}
