// What the worker finds in the units of open files: asked for when typing rests, taken under the revision it was asked for,
// moved with the text until then. Tells its host what changed and how far it is.
import { unfinishedOf } from '../core/render/unknown.ts';
import type { Finding, Review, RunReport, TextEdit } from '../core/review-types.ts';
import type { JobHandle, JobOutcome, WorkerOwner } from '../worker/owner.ts';
import { withSteps } from '../worker/keys.ts';
import type { Attempt } from './attempt.ts';
import type { Clock } from './clock.ts';
import { idlePause, pauseAfter, rememberCut, rememberRun } from './debounce.ts';
import { movedFinding } from './moves.ts';
import type { Move } from './moves.ts';
import type { StatusParams } from './protocol.ts';
import { shiftFinding } from './shift.ts';
import type { UnitFolders } from './unit-folders.ts';

export interface ExploredFindings {
  /** Those in a file that are not void. */
  readonly of: (file: string) => readonly Finding[];
  /** Why those of a unit are missing or cut short, or null. */
  readonly notice: (folder: string) => string | null;
  /** What was explored of the units that a file belongs to is old. */
  readonly outdated: (file: string) => void;
  /** Explores what is old when typing rests. */
  readonly schedule: () => void;
  readonly isWaiting: () => boolean;
  /** Code of a file was edited. */
  readonly shifted: (file: string, edits: readonly TextEdit[]) => void;
  /** Only places changed. */
  readonly moved: (move: Move) => void;
  /** The file was the last open one of its unit, if so the unit is forgotten; its folder is that of before. */
  readonly closed: (file: string, folder: string | null) => boolean;
  readonly stop: () => void;
}

export interface ExploredHost {
  readonly files: () => Iterable<string>;
  readonly changed: (files: readonly string[]) => void;
  readonly status: (status: StatusParams) => void;
  readonly log: (message: string) => void;
  /** Findings in all open files. */
  readonly problems: () => number;
  /** A unit of a kernel tree turned out to have entries, and what typing finds rests on that. */
  readonly hasEntries: (folder: string) => void;
  /** Nothing was typed for a while: what the next request will need may be made. */
  readonly idle: () => void;
}

interface UnitState {
  revision: number;
  job: { readonly handle: JobHandle; readonly revision: number; readonly began: number } | null;
  findings: readonly Finding[];
  notice: string | null;
}

export function createExploredFindings(review: Review, owner: WorkerOwner, host: ExploredHost, folders: UnitFolders, clock: Clock, attempt: Attempt): ExploredFindings {
  const units = new Map<string, UnitState>();
  const dirty = new Set<string>();
  let runTimes: readonly number[] = [];
  let timers: readonly (() => void)[] = [];
  let stopped = false;
  let lastStatus: StatusParams = { state: 'idle', states: 0, depth: 0, scenario: '', problems: 0, units: 0, message: null };

  function unitState(folder: string): UnitState {
    const known = units.get(folder);
    if (known !== undefined) return known;
    const fresh: UnitState = { revision: 0, job: null, findings: [], notice: null };
    units.set(folder, fresh);
    return fresh;
  }

  function schedule(): void {
    stopTimers();
    if (stopped || dirty.size === 0) return;
    report('waiting');
    timers = [clock.after(pauseAfter(runTimes), exploreDirty), clock.after(idlePause, host.idle)];
  }

  function stopTimers(): void {
    for (const cancel of timers) cancel();
    timers = [];
  }

  function exploreDirty(): void {
    const wanted = folders.open();
    for (const folder of dirty) if (wanted.has(folder)) explore(folder);
    dirty.clear();
    if (![...units.values()].some((state) => state.job !== null)) report('idle');
  }

  function explore(folder: string): void {
    const state = unitState(folder);
    const handle = owner.submit({ kind: 'explore', folder }, true, {
      progress: (progress) => {
        if (state.job === job) host.status({ ...lastStatus, state: 'exploring', states: progress.states, depth: progress.depth, scenario: progress.scenario });
      },
      partial: (findings) => {
        if (state.job === job) attempt(`first results of ${folder}`, () => addEarly(folder, state, findings), undefined);
      },
    });
    const job = { handle, revision: state.revision, began: clock.now() };
    state.job = job;
    report('exploring');
    void handle.outcome.then((outcome) => {
      if (stopped || state.job !== job || state.revision !== job.revision) return;
      state.job = null;
      attempt(`results of ${folder}`, () => settle(folder, state, outcome), undefined);
    });
  }

  /** New findings join the old ones that moved with the text; what no longer holds goes when all is explored. */
  function addEarly(folder: string, state: UnitState, early: readonly Finding[]): void {
    const known = new Set(state.findings.map(identity));
    const added = early.filter((finding) => !known.has(identity(finding)));
    if (added.length === 0) return;
    state.findings = [...state.findings, ...added.map((finding) => withSteps(review, folder, finding))];
    host.changed(filesOf(folder, state.findings));
  }

  function settle(folder: string, state: UnitState, outcome: JobOutcome): void {
    if (outcome.kind === 'cancelled') {
      if (!folders.open().has(folder)) return;
      dirty.add(folder);
      schedule();
      return;
    }
    const before = state.findings;
    if (outcome.kind === 'result') {
      runTimes = rememberRun(runTimes, outcome.result.milliseconds);
      if (outcome.result.entries) host.hasEntries(folder);
      state.findings = outcome.result.findings.map((finding) => withSteps(review, folder, finding));
      state.notice = outcome.result.stopped === null ? unfinishedIn(outcome.result.reports) : `exploration is incomplete: ${outcome.result.stopped}`;
    } else {
      state.findings = [];
      state.notice = outcome.kind === 'failed' ? `exploration failed, so only the checks of the text are shown: ${firstLine(outcome.message)}` : null;
      if (outcome.kind === 'failed') host.log(`exploration of ${folder} failed: ${outcome.message}`);
    }
    host.changed(filesOf(folder, [...before, ...state.findings]));
    if ([...units.values()].some((other) => other.job !== null)) return;
    report(state.notice === null ? 'idle' : 'failed', state.notice);
  }

  function filesOf(folder: string, findings: readonly Finding[]): readonly string[] {
    const inUnit = [...host.files()].filter((file) => folders.of(file) === folder);
    return [...new Set([...inUnit, ...findings.map((finding) => finding.place.file)])];
  }

  function report(state: StatusParams['state'], message: string | null = null): void {
    lastStatus = { state, states: 0, depth: 0, scenario: '', problems: host.problems(), units: folders.open().size, message };
    host.status(lastStatus);
  }

  return {
    of: (file) => once([...units].flatMap(([unit, state]) => state.findings.filter((finding) => finding.place.file === file && attempt(`finding in ${file}`, () => review.stands(unit, finding), true)))),
    notice: (folder) => units.get(folder)?.notice ?? null,
    outdated: (file) => {
      for (const touched of folders.touchedBy(file)) {
        const state = unitState(touched);
        state.revision += 1;
        if (state.job !== null) runTimes = rememberCut(runTimes, clock.now() - state.job.began);
        state.job?.handle.cancel();
        state.job = null;
        dirty.add(touched);
      }
    },
    schedule,
    isWaiting: () => dirty.size > 0,
    shifted: (file, edits) => {
      for (const state of units.values()) state.findings = state.findings.flatMap((finding) => shiftFinding(finding, file, edits) ?? []);
    },
    moved: (move) => {
      for (const state of units.values()) state.findings = state.findings.map((finding) => movedFinding(finding, move));
    },
    closed: (file, folder) => {
      const state = folder === null ? undefined : units.get(folder);
      if (folder === null || state === undefined || folders.open().has(folder)) return false;
      const files = filesOf(folder, state.findings);
      state.job?.handle.cancel();
      units.delete(folder);
      host.changed([...files, file]);
      report('idle');
      return true;
    },
    stop: () => {
      stopped = true;
      stopTimers();
    },
  };
}

/** Folders of one kernel tree have the same findings. */
function once(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${identity(finding)} ${finding.message}`, finding])).values()];
}

function identity({ rule, place }: Finding): string {
  return `${rule} ${place.file} ${place.span.start}-${place.span.end}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/** The first bound that a run hit, as the command line tells it; null where all came to their ends. */
function unfinishedIn(reports: readonly RunReport[]): string | null {
  const [first, ...others] = unfinishedOf(reports);
  if (first === undefined) return null;
  const { runs, bounds } = first;
  return `exploration is incomplete: ${runs[0] ?? ''}: bound hit: ${bounds.join(', ')}${others.length + runs.length > 1 ? `, and ${others.length + runs.length - 1} more` : ''}`;
}
