// What the review says of files, unit by unit: everything that `check` prints, before anything is left out or printed.
import { unfinishedOf, unknownText } from '../core/render/unknown.ts';
import type { AcceptedFinding, Coverage, Finding, Unknown } from '../core/review-types.ts';
import type { Kept } from '../shell/kept.ts';
import { together } from '../shell/seen.ts';
import type { Seen } from '../shell/seen.ts';
import type { Io } from './io.ts';
import type { Sources } from './paths.ts';
import { explore, unitsOf } from './session.ts';
import type { Session } from './session.ts';
import type { Shares } from './shares.ts';

export interface Judged {
  readonly findings: readonly Finding[];
  /** The runs that came to a bound first: they say nothing of what they did not come to. */
  readonly unknown: readonly Unknown[];
  readonly coverage: readonly Coverage[];
  /** Findings that somebody accepts, which are none of `findings`. */
  readonly accepted: readonly AcceptedFinding[];
}

/** What is wanted beside the findings. */
export interface Wanted {
  readonly coverage: boolean;
  readonly accepted: boolean;
}

/** `configuration` is that of the session. What was said before is said again where all that was read for it is as it was. */
export async function judge(session: Session, configuration: string | null, sources: Sources, shares: Shares, kept: Kept, wanted: Wanted, io: Io): Promise<Judged> {
  const question = ['judge', configuration, wanted.coverage, wanted.accepted, ...sources.files, null, ...sources.named, null, ...sources.folders];
  const before = kept.find<Judged>(question, session.workspace);
  if (before !== null) return before;
  const { judged, seen } = await judgeAnew(session, sources, shares, wanted, io);
  kept.keep(question, together([session.workspace.seen(), ...seen]), judged);
  return judged;
}

/** With what its shares saw. */
async function judgeAnew(session: Session, sources: Sources, shares: Shares, wanted: Wanted, io: Io): Promise<{ readonly judged: Judged; readonly seen: readonly Seen[] }> {
  const { review } = session;
  const coverage = new Map<string, Coverage>();
  const findings: Finding[] = [];
  const unfinished: Unknown[] = [];
  const unknown: Unknown[] = [];
  const accepted: AcceptedFinding[] = [];
  const seen: Seen[] = [];
  for (const unit of unitsOf(review, sources.files)) {
    io.working(`reviewing ${unit.folder}`);
    const whole = sources.folders.some((folder) => isBelow(unit.folder, folder));
    const begun = shares.start(unit.folder);
    const quick = unit.files.flatMap((file) => review.quickFindings(file));
    const rest = explore(begun ? review.exploreRest(unit.folder) : review.explore(unit.folder), unit.name, null, io);
    const shared = begun ? await shares.results(unit.folder) : null;
    seen.push(...(shared?.seen ?? []));
    const reports = begun && shared === null ? explore(review.explore(unit.folder), unit.name, null, io) : [...rest, ...(shared?.reports ?? [])];
    const all = [...quick, ...review.findings(unit.folder, reports)];
    if (wanted.accepted) accepted.push(...review.accepted(unit.folder, reports).filter(({ finding }) => whole || touches(finding, sources.named)));
    findings.push(...(whole ? all : all.filter((finding) => touches(finding, sources.named))));
    unfinished.push(...unfinishedOf(reports));
    unknown.push(...review.unknown(unit.folder));
    const own = wanted.coverage ? review.coverage(unit.folder, shared?.coverage ?? null) : null;
    if (own === null) continue;
    // Folders of one tree tell of its C code and of its paths, whichever they belong to.
    const before = coverage.get(own.subject);
    coverage.set(own.subject, before === undefined ? own : { subject: own.subject, c: own.c.length > 0 ? own.c : before.c, paths: own.paths.length > 0 ? own.paths : before.paths });
  }
  return { judged: { findings: once(findings), unknown: onceTold([...unfinished, ...unknown], session), coverage: [...coverage.values()], accepted }, seen };
}

/** Folders of one tree have much of it in common. */
function onceTold(unknown: readonly Unknown[], { locate }: Session): readonly Unknown[] {
  return [...new Map(unknown.map((one) => [unknownText(one, locate), one])).values()];
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

