// `entrycheck check` on patches: the tree before and after them, in memory, and of the findings those that they bring.
import { inOrder } from '../core/render/places.ts';
import type { Finding } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { compare, entriesFor } from './baseline.ts';
import type { BaselineEntry } from './baseline.ts';
import type { Given } from './given.ts';
import type { Io } from './io.ts';
import { judge } from './judge.ts';
import type { Judged } from './judge.ts';
import { applyPatches } from './patched.ts';
import { findSources } from './paths.ts';
import type { Sources } from './paths.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';

/** Paths of entries in memory count from the current folder. */
const BESIDE = 'before';

export interface PatchResult {
  readonly session: Session;
  readonly sources: Sources;
  /** With the findings that the patches bring. */
  readonly judged: Judged;
  /** Findings that are there without the patches. */
  readonly known: number;
  /** Findings that the patches take away. */
  readonly fixed: readonly BaselineEntry[];
}

/** A sentence where the patches cannot be applied; null where they touch nothing that is reviewed. */
export async function checkPatches({ patches }: Given, configuration: string | null, told: boolean, io: Io): Promise<PatchResult | string | null> {
  const series = applyPatches(patches, io.cwd);
  if (typeof series === 'string') return series;
  const { states, partial } = series;
  for (const note of series.notes) io.err(`entrycheck: ${note}\n`);
  const reviewed = series.touched.filter((path) => /\.(?:S|s|c|h)$|\.xctx-scenario\.(?:ya?ml|json)$|(?:^|\/)\.xctx\.yaml$/.test(path));
  if (reviewed.length === 0) return null;

  async function stateOf(texts: ReadonlyMap<string, string>, own: boolean): Promise<PatchResult | null> {
    const workspace = createNodeWorkspace(io.cwd, texts);
    const there = reviewed.filter((path) => workspace.refusal(path) === null);
    const found = findSources(there, io.cwd, workspace, new Set(there));
    // A header that nothing in view includes, and what the front end does not take.
    const sources = found.kind === 'sources' ? found.sources : findEach(there, workspace);
    if (sources.files.length === 0) return null;
    const session = await openSession(io, workspace, configuration);
    const whole: Sources = { ...sources, folders: [...new Set(sources.files.map((file) => session.review.unitOf(file)?.folder ?? file))] };
    const judged = await judge(session, whole, { start: () => false, results: async () => null }, told && own, io);
    return { session, sources: whole, judged, known: 0, fixed: [] };
  }

  function findEach(paths: readonly string[], workspace: ReturnType<typeof createNodeWorkspace>): Sources {
    const kept = paths.filter((path) => findSources([path], io.cwd, workspace, new Set([path])).kind === 'sources');
    const found = findSources(kept, io.cwd, workspace, new Set(kept));
    return found.kind === 'sources' ? found.sources : { files: [], named: new Set(), folders: [], notes: [] };
  }

  const before = await stateOf(series.before, false);
  const last = states.at(-1) ?? new Map<string, string>();
  const after = await stateOf(last, true);
  if (after === null) return null;
  const entries = before === null ? [] : entriesFor(BESIDE, io.cwd, before.judged.findings, before.session.review);
  before?.session.review.release();
  const all = inOrder(after.judged.findings, after.session.locate);
  const compared = compare({ file: BESIDE, entries }, all, io.cwd, after.session.review, () => true);
  // The front end stumbles over what a patch cuts off.
  const fresh = compared.fresh.filter(({ rule, place }) => !(partial.has(place.file) && (rule === 'syntax' || rule === 'preprocessor')));
  const findings = patches.length > 1 && fresh.length > 0 ? await attributed(fresh) : fresh;
  return { ...after, judged: { ...after.judged, findings }, known: compared.known, fixed: compared.stale };

  /** Says of each finding which patch of the series it comes with. */
  async function attributed(fresh: readonly Finding[]): Promise<readonly Finding[]> {
    const left = new Set(fresh.map(keyOf));
    const since = new Map<string, number>();
    for (const [index, texts] of states.slice(0, -1).entries()) {
      if (left.size === 0) break;
      const state = await stateOf(texts, false);
      for (const key of (state?.judged.findings ?? []).map(keyOf)) if (left.delete(key)) since.set(key, index);
      state?.session.review.release();
    }
    return fresh.map((finding) => {
      const index = since.get(keyOf(finding)) ?? patches.length - 1;
      const subject = patches[index]?.patch.subject ?? '';
      return { ...finding, related: [...finding.related, { place: finding.place, message: `comes with patch ${index + 1} of ${patches.length}${subject === '' ? '' : `: ${subject}`}` }] };
    });
  }
}

function keyOf({ rule, place, message }: Finding): string {
  return JSON.stringify([rule, place.file, message]);
}
