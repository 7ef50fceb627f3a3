// From the paths of `run` and `test` to a session with their designs.
import { createNodeWorkspace } from '../shell/workspace.ts';
import type { Unit } from '../core/review-types.ts';
import { readGiven } from './given.ts';
import type { Io } from './io.ts';
import { openSession, unitsOf } from './session.ts';
import type { Session } from './session.ts';
import { findSources } from './paths.ts';

export const scenarioFile = /\.xctx-scenario\.(?:ya?ml|json)$/;

export type Opened =
  | {
      readonly kind: 'opened';
      readonly session: Session;
      readonly units: readonly Unit[];
      /** Path of the scenario file in each unit, by the unit's folder. */
      readonly homes: ReadonlyMap<string, string>;
      /** Files that were named themselves. */
      readonly named: ReadonlySet<string>;
    }
  | { readonly kind: 'refused'; readonly message: string };

export async function openDesigns(paths: readonly string[], io: Io): Promise<Opened> {
  const input = readGiven(paths, io);
  if (input.kind === 'refused') return { kind: 'refused', message: input.message };
  const { given } = input;
  if (given.patches.length > 0) return { kind: 'refused', message: 'patches are for entrycheck check' };
  const workspace = createNodeWorkspace(io.cwd, given.files);
  const sources = findSources(given.paths, io.cwd, workspace, new Set(given.files.keys()));
  if (sources.kind === 'refused') return sources;
  const session = await openSession(io, workspace, null, given.names);
  for (const note of sources.sources.notes) io.err(`entrycheck: ${note}\n`);
  return { kind: 'opened', session, units: unitsOf(session.review, sources.sources.files), homes: new Map(), named: sources.sources.named };
}

/** A scenario file on designs elsewhere is reviewed as if it lay in their folders. */
export async function openWithFile(file: string, paths: readonly string[], io: Io): Promise<Opened> {
  const disk = createNodeWorkspace(io.cwd);
  const refusal = disk.refusal(file);
  if (refusal !== null) return { kind: 'refused', message: `${file}: ${refusal}` };
  if (!scenarioFile.test(file)) return { kind: 'refused', message: `${file}: not a scenario file: these are named *.xctx-scenario.yaml, .yml or .json` };
  if (paths.length === 0) {
    const session = await openSession(io, disk);
    const unit = session.review.unitOf(file);
    if (unit === null) return { kind: 'refused', message: `${file}: not a scenario file: these are named *.xctx-scenario.yaml, .yml or .json` };
    return { kind: 'opened', session, units: [unit], homes: new Map([[unit.folder, file]]), named: new Set([file]) };
  }
  const sources = findSources(paths, io.cwd, disk);
  if (sources.kind === 'refused') return sources;
  const scout = await openSession(io, disk);
  const folders = unitsOf(scout.review, sources.sources.files).map(({ folder }) => folder);
  scout.review.release();
  const name = file.slice(file.lastIndexOf('/') + 1);
  const homes = new Map(folders.map((folder) => [folder, folder === '' ? name : `${folder}/${name}`]));
  const workspace = createNodeWorkspace(io.cwd, new Map([...homes.values()].map((home) => [home, disk.read(file) ?? ''])));
  const session = await openSession(io, workspace);
  return { kind: 'opened', session, units: unitsOf(session.review, sources.sources.files), homes, named: sources.sources.named };
}
