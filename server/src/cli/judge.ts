// What the review says of files, unit by unit: everything that `check` prints, before anything is left out or printed.
import type { Coverage, Finding, RunReport } from '../core/review-types.ts';
import type { Io } from './io.ts';
import type { Sources } from './paths.ts';
import { explore, unitsOf } from './session.ts';
import type { Session } from './session.ts';
import type { Shares } from './shares.ts';

export interface Judged {
  readonly findings: readonly Finding[];
  /** Runs that say nothing of what they did not come to. */
  readonly unfinished: readonly string[];
  readonly unknown: readonly string[];
  readonly coverage: readonly Coverage[];
}

export async function judge(session: Session, sources: Sources, shares: Shares, told: boolean, io: Io): Promise<Judged> {
  const { review } = session;
  const coverage = new Map<string, Coverage>();
  const findings: Finding[] = [];
  const unfinished: string[] = [];
  const unknown: string[] = [];
  for (const unit of unitsOf(review, sources.files)) {
    io.working(`reviewing ${unit.folder}`);
    const whole = sources.folders.some((folder) => isBelow(unit.folder, folder));
    const begun = shares.start(unit.folder);
    const quick = unit.files.flatMap((file) => review.quickFindings(file));
    const rest = explore(begun ? review.exploreRest(unit.folder) : review.explore(unit.folder), unit.name, null, io);
    const shared = begun ? await shares.results(unit.folder) : null;
    const reports = begun && shared === null ? explore(review.explore(unit.folder), unit.name, null, io) : [...rest, ...(shared?.reports ?? [])];
    const all = [...quick, ...review.findings(unit.folder, reports)];
    findings.push(...(whole ? all : all.filter((finding) => touches(finding, sources.named))));
    unfinished.push(...unfinishedTexts(reports.filter(({ verdict }) => verdict === 'inconclusive')));
    unknown.push(...review.unknown(unit.folder));
    const own = told ? review.coverage(unit.folder, shared?.coverage ?? null) : null;
    if (own === null) continue;
    // Folders of one tree tell of its C code and of its paths, whichever they belong to.
    const before = coverage.get(own.subject);
    coverage.set(own.subject, before === undefined ? own : { subject: own.subject, c: own.c.length > 0 ? own.c : before.c, paths: own.paths.length > 0 ? own.paths : before.paths });
  }
  return { findings: once(findings), unfinished: [...new Set(unfinished)], unknown: [...new Set(unknown)], coverage: [...coverage.values()] };
}

/** A sentence for each bound, with the runs that hit it. */
function unfinishedTexts(reports: readonly RunReport[]): readonly string[] {
  const byBound = new Map<string, string[]>();
  for (const { scenario, design, start, boundsHit } of reports) {
    const key = `${design}|${boundsHit.join(', ')}`;
    byBound.set(key, [...(byBound.get(key) ?? []), `${scenario}${design === '' ? '' : ` of ${design}`} from ${start}`]);
  }
  return [...byBound].map(([key, runs]) => `not explored to its end: ${runs[0] ?? ''}${runs.length > 1 ? ` and ${runs.length - 1} more` : ''}: bound hit: ${key.slice(key.indexOf('|') + 1)}`);
}

/** The folders of one kernel tree have the findings of its paths in common. */
function once(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place.file} ${finding.place.span.start} ${finding.message}`, finding])).values()];
}

export function isBelow(folder: string, top: string): boolean {
  return folder === top || folder.startsWith(top.endsWith('/') ? top : `${top}/`);
}

/** Whether the finding lies in one of the files, or its proof runs through one. */
function touches(finding: Finding, files: ReadonlySet<string>): boolean {
  return (
    files.has(finding.place.file) ||
    finding.related.some(({ place }) => files.has(place.file)) ||
    (finding.trace?.steps.some(({ place }) => place !== null && files.has(place.file)) ?? false)
  );
}

