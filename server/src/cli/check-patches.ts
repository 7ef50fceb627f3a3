// `entrycheck check` on patches: the tree before and after them, in memory, and the findings that they bring and take away.
import { whatText } from '../core/render/compare.ts';
import { inOrder } from '../core/render/places.ts';
import { followedIn } from '../core/review/path-divergence.ts';
import type { Finding } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { compare, entriesFor, keyOf } from './baseline.ts';
import type { BaselineEntry } from './baseline.ts';
import type { Given } from './given.ts';
import type { Io } from './io.ts';
import { judge } from './judge.ts';
import type { Judged } from './judge.ts';
import { applyPatches } from './patched.ts';
import type { PatchNote } from './patched.ts';
import { findSources } from './paths.ts';
import type { Sources } from './paths.ts';
import { patchTitle } from './print-notes.ts';
import { changesOf } from './series.ts';
import type { Change } from './series.ts';
import { keptBy, openSession } from './session.ts';
import type { Session } from './session.ts';
import { createShares } from './shares.ts';

/** Paths of entries in memory count from the current folder. */
const BESIDE = 'before';

export interface PatchResult {
  readonly kind: 'result';
  readonly notes: readonly PatchNote[];
  readonly session: Session;
  readonly sources: Sources;
  /** With the findings that the patches bring. */
  readonly judged: Judged;
  /** Findings that are there without the patches. */
  readonly known: number;
  /** What each patch brings and takes away, those included that do not stay. */
  readonly changes: readonly Change[];
}

interface State {
  readonly session: Session;
  readonly sources: Sources;
  readonly judged: Judged;
  readonly findings: readonly Finding[];
  /** By the paths that files have in the end. */
  readonly entries: readonly BaselineEntry[];
}

/** A sentence where the patches cannot be applied; `untouched` where they touch nothing that is reviewed. `counts` says which findings do. */
export async function checkPatches({ patches }: Given, configuration: string | null, told: boolean, counts: (finding: Finding) => boolean, io: Io): Promise<PatchResult | { readonly kind: 'untouched'; readonly notes: readonly PatchNote[] } | string> {
  const series = applyPatches(patches, io.cwd);
  if (typeof series === 'string') return series;
  const { before, states, partial, renamed } = series;
  const subjects = patches.map(({ patch }) => patch.subject);
  const reviewed = series.touched.filter(isReviewed);
  const untouched = { kind: 'untouched', notes: series.notes } as const;
  if (reviewed.length === 0) return untouched;
  const names = new Set([...reviewed, ...renamed.flatMap((one) => [...one].flatMap(([old, now]) => (isReviewed(now) ? [old] : [])))]);

  /** Patches leave most of a tree alone: what is said of that is found once. */
  const kept = keptBy(io);

  /** The tree after so many patches. */
  async function stateAfter(patch: number, own: boolean): Promise<State | null> {
    const texts = (patch === 0 ? before : states[patch - 1]) ?? new Map<string, string>();
    const workspace = createNodeWorkspace(io.cwd, texts);
    const there = [...names].filter((path) => workspace.refusal(path) === null);
    const found = findSources(there, io.cwd, workspace, new Set(there));
    // A header that nothing in view includes, and what the front end does not take.
    const sources = found.kind === 'sources' ? found.sources : findEach(there, workspace);
    if (sources.files.length === 0) return null;
    const session = await openSession(io, workspace, configuration);
    const whole: Sources = { ...sources, folders: [...new Set(sources.files.map((file) => session.review.unitOf(file)?.folder ?? file))] };
    const judged = await judge(session, configuration, whole, createShares(session, configuration, texts, kept, io), kept, { coverage: told && own, accepted: false }, io);
    // The front end stumbles over what a patch cuts off.
    const findings = inOrder(judged.findings, session.locate).filter((finding) => counts(finding) && !(partial.has(finding.place.file) && (finding.rule === 'syntax' || finding.rule === 'preprocessor')));
    const entries = entriesFor(BESIDE, io.cwd, findings, session.review).map((entry) => ({ ...entry, path: renamed.slice(patch).reduce((path, names) => names.get(path) ?? path, entry.path) }));
    return { session, sources: whole, judged, findings, entries };
  }

  function findEach(paths: readonly string[], workspace: ReturnType<typeof createNodeWorkspace>): Sources {
    const kept = paths.filter((path) => findSources([path], io.cwd, workspace, new Set([path])).kind === 'sources');
    const found = findSources(kept, io.cwd, workspace, new Set(kept));
    return found.kind === 'sources' ? found.sources : { files: [], named: new Set(), folders: [], notes: [] };
  }

  const entries: (readonly BaselineEntry[])[] = [];
  for (const [patch, texts] of [new Map<string, string>(), ...states.slice(0, -1)].entries()) {
    // A patch of other files leaves everything as it was.
    const same = patch > 0 && [...names].every((path) => texts.get(path) === (patch === 1 ? before : states[patch - 2])?.get(path));
    const state = same ? null : await stateAfter(patch, false);
    entries.push(same ? (entries.at(-1) ?? []) : (state?.entries ?? []));
    state?.session.review.release();
  }
  const after = await stateAfter(states.length, true);
  if (after === null) return untouched;
  const changes = changesOf([...entries, after.entries]);
  const compared = compare({ file: BESIDE, entries: entries[0] ?? [] }, after.findings, io.cwd, after.session.review, () => false);
  const findings = await followed(patches.length > 1 ? compared.fresh.map(attributed(after)) : compared.fresh, after);
  return { kind: 'result', notes: series.notes, session: after.session, sources: after.sources, judged: { ...after.judged, findings }, known: compared.known, changes };

  /** Says of each entry path where it is not the one that the tree has without the patches. */
  async function followed(findings: readonly Finding[], { session: { review } }: State): Promise<readonly Finding[]> {
    if (!findings.some(({ trace }) => trace?.way !== undefined)) return findings;
    io.working('following the findings in the tree without the patches');
    const without = (await openSession(io, createNodeWorkspace(io.cwd, before), configuration)).review;
    const told = findings.map((finding): Finding => {
      const folder = review.unitOf(finding.place.file)?.folder;
      const parted = finding.trace === null || folder === undefined ? null : followedIn(review.entryPrograms(folder), without.entryPrograms(folder), finding.trace);
      if (parted === null || parted === 'same' || parted.place === null) return finding;
      return { ...finding, related: [...finding.related, { place: parted.place, message: `without the patches another way from here, in step ${parted.step}: ${whatText(parted.what)}` }] };
    });
    without.release();
    return told;
  }

  /** Says of each finding which patch of the series it comes with. */
  function attributed({ session }: State): (finding: Finding) => Finding {
    const left = changes.filter(({ broughtBy, takenAwayBy }) => broughtBy !== null && takenAwayBy === null);
    return (finding) => {
      const [entry] = entriesFor(BESIDE, io.cwd, [finding], session.review);
      const at = left.findIndex((change) => entry !== undefined && keyOf(change.entry) === keyOf(entry));
      const [change] = at === -1 ? [] : left.splice(at, 1);
      if (change?.broughtBy === undefined || change.broughtBy === null) return finding;
      return { ...finding, related: [...finding.related, { place: finding.place, message: `comes with ${patchTitle(change.broughtBy, subjects)}` }] };
    };
  }
}

function isReviewed(path: string): boolean {
  return /\.(?:S|s|c|h)$|\.xctx-scenario\.(?:ya?ml|json)$|(?:^|\/)\.xctx\.yaml$/.test(path);
}
