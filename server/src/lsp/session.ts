// The open documents and what is known about them: the typing tier at once, the explored tier from the worker when the
// editor is idle, each result under the revision it was asked for. Knows no connection; its host publishes.
import type { OpenDocument } from './documents.ts';
import { changeDocument, openDocument, reviewedText } from './documents.ts';
import { pauseAfter, rememberRun } from './debounce.ts';
import { limitFindings } from './limit.ts';
import { createLocator } from './locate.ts';
import type { Locator } from './locate.ts';
import { pathOfUri, uriOfPath } from './paths.ts';
import type { Settings, StatusParams } from './protocol.ts';
import type { Behind } from './behind.ts';
import { createKnownContexts } from './known-contexts.ts';
import type { KnownContexts } from './known-contexts.ts';
import { moveAcross, movedFinding } from './moves.ts';
import { shiftFinding } from './shift.ts';
import type { Finding, Review, TextEdit } from '../core/review-types.ts';
import type { JobHandle, JobOutcome } from '../worker/owner.ts';
import { withSteps } from '../worker/keys.ts';
import type { TextDocumentContentChangeEvent } from 'vscode-languageserver/node';

export interface Clock {
  readonly now: () => number;
  /** Calls back after some milliseconds; the result cancels. */
  readonly after: (milliseconds: number, next: () => void) => () => void;
}

export interface SessionHost {
  /** Diagnostics of these files changed: because of an edit, or because exploration told something new. */
  readonly changed: (files: readonly string[], cause: 'edit' | 'explored') => void;
  readonly status: (status: StatusParams) => void;
  /** What is known of the file's text on disk may be old. */
  readonly forget: (file: string) => void;
  readonly log: (message: string) => void;
}

export interface FileFindings {
  readonly findings: readonly Finding[];
  /** Sentences about the file as a whole: not analysed, exploration failed. */
  readonly notices: readonly string[];
}

export interface Session {
  readonly review: Review;
  readonly locator: Locator;
  readonly open: (uri: string, languageId: string, version: number, text: string) => void;
  readonly change: (uri: string, version: number, changes: readonly TextDocumentContentChangeEvent[]) => void;
  readonly close: (uri: string) => void;
  readonly saved: (uri: string) => void;
  /** Files that changed or went on disk; open documents win over the disk and are left out. */
  readonly filesChanged: (uris: readonly string[]) => void;
  readonly document: (uri: string) => OpenDocument | null;
  readonly documents: () => readonly OpenDocument[];
  readonly findings: (file: string) => FileFindings;
  /** What the worker told of contexts in kernel trees. */
  readonly contexts: KnownContexts;
  /** Explores everything again: grammars, limits or files of the host changed. */
  readonly restart: () => void;
  readonly settings: (settings: Settings) => void;
  readonly stop: () => void;
}

interface UnitState {
  revision: number;
  job: { readonly handle: JobHandle; readonly revision: number } | null;
  findings: readonly Finding[];
  /** Why the explored tier is missing or cut short, or null. */
  notice: string | null;
}

/** Milliseconds: findings of typing that take longer are looked for when it rests, so that a keystroke waits for none. */
const longestFinding = 150;
const longestRest = 1000;
/** States explored for contexts before requests are answered again. */
const statesAtOnce = 200;

export function createSession(review: Review, owner: Behind, host: SessionHost, clock: Clock, initial: Settings): Session {
  const open = new Map<string, OpenDocument>();
  const units = new Map<string, UnitState>();
  const dirty = new Set<string>();
  const contexts = createKnownContexts();
  /** What typing found in open files, for as long as no code is edited. */
  const typed = new Map<string, readonly Finding[]>();
  /** What finding them took the last time, and what waits for typing to rest. */
  const costs = new Map<string, number>();
  const resting = new Map<string, () => void>();
  let settings = initial;
  let runTimes: readonly number[] = [];
  let cancelTimer: (() => void) | null = null;
  let cancelWarming: (() => void) | null = null;
  let stopped = false;
  let lastStatus: StatusParams = { state: 'idle', states: 0, depth: 0, scenario: '', problems: 0, units: 0, message: null };

  const documentOfFile = (file: string): OpenDocument | null => open.get(file) ?? null;
  const locator = createLocator(
    (file) => documentOfFile(file)?.text ?? review.text(file),
    (file) => documentOfFile(file)?.uri ?? uriOfPath(file),
  );

  function unitFolder(file: string): string | null {
    return attempt(`unit of ${file}`, () => review.unitOf(file)?.folder ?? null, null);
  }

  function attempt<T>(what: string, work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      host.log(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return otherwise;
    }
  }

  function unitState(folder: string): UnitState {
    const known = units.get(folder);
    if (known !== undefined) return known;
    const fresh: UnitState = { revision: 0, job: null, findings: [], notice: null };
    units.set(folder, fresh);
    return fresh;
  }

  function openFolders(): ReadonlySet<string> {
    return new Set([...open.keys()].flatMap((file) => unitFolder(file) ?? []));
  }

  /** A file of no unit (a header) may be part of all of them. */
  function touch(file: string): void {
    const folder = unitFolder(file);
    contexts.outdated();
    typed.clear();
    // A sidecar file may be about files of every folder below its own.
    for (const touched of folder === null ? openFolders() : isSidecar(file) ? new Set([folder, ...openFolders()]) : withTree(folder)) {
      const state = unitState(touched);
      state.revision += 1;
      state.job?.handle.cancel();
      state.job = null;
      dirty.add(touched);
    }
  }

  /** The entry code of a kernel tree is one program: an edit in one of its folders is one in all. */
  function withTree(folder: string): readonly string[] {
    if (!attempt(`tree of ${folder}`, () => review.inKernelTree(folder), false)) return [folder];
    return [...new Set([folder, ...[...openFolders()].filter((other) => review.inKernelTree(other))])];
  }

  function schedule(): void {
    cancelTimer?.();
    cancelTimer = null;
    if (stopped || dirty.size === 0) return;
    report('waiting');
    cancelTimer = clock.after(pauseAfter(runTimes), () => {
      cancelTimer = null;
      exploreDirty();
      warm();
    });
  }

  /** Contexts for hovers are explored while nothing else happens, a few milliseconds at a time. */
  function warm(): void {
    cancelWarming?.();
    cancelWarming = null;
    if (stopped) return;
    const left = [...open.values()].filter((document) => document.refusal === null && !review.inKernelTree(document.file) && !attempt(`contexts of ${document.file}`, () => review.prepareContexts(document.file, statesAtOnce), true));
    if (left.length > 0) cancelWarming = clock.after(0, warm);
  }

  function exploreDirty(): void {
    const wanted = openFolders();
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
    const job = { handle, revision: state.revision };
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
    host.changed(filesOf(folder, state.findings), 'explored');
  }

  function settle(folder: string, state: UnitState, outcome: JobOutcome): void {
    if (outcome.kind === 'cancelled') {
      if (!openFolders().has(folder)) return;
      dirty.add(folder);
      schedule();
      return;
    }
    const before = state.findings;
    if (outcome.kind === 'result') {
      runTimes = rememberRun(runTimes, outcome.result.milliseconds);
      if (outcome.result.entries) {
        review.readWhole(folder);
        typed.clear();
      }
      state.findings = outcome.result.findings.map((finding) => withSteps(review, folder, finding));
      state.notice = outcome.result.stopped === null ? null : `exploration is incomplete: ${outcome.result.stopped}`;
    } else {
      state.findings = [];
      state.notice = outcome.kind === 'failed' ? `exploration failed, so only the checks of the text are shown: ${firstLine(outcome.message)}` : null;
      if (outcome.kind === 'failed') host.log(`exploration of ${folder} failed: ${outcome.message}`);
    }
    host.changed(filesOf(folder, [...before, ...state.findings]), 'explored');
    if ([...units.values()].some((other) => other.job !== null)) return;
    report(state.notice === null ? 'idle' : 'failed', state.notice);
  }

  function filesOf(folder: string, findings: readonly Finding[]): readonly string[] {
    const inUnit = [...open.keys()].filter((file) => unitFolder(file) === folder);
    return [...new Set([...inUnit, ...findings.map((finding) => finding.place.file)])];
  }

  function problemCount(): number {
    let count = 0;
    for (const file of open.keys()) count += findingsOf(file).findings.filter((finding) => finding.rule !== 'generated-headers').length;
    return count;
  }

  function report(state: StatusParams['state'], message: string | null = null): void {
    lastStatus = { state, states: 0, depth: 0, scenario: '', problems: problemCount(), units: openFolders().size, message };
    host.status(lastStatus);
  }

  function findingsOf(file: string): FileFindings {
    const document = documentOfFile(file);
    if (document !== null && document.refusal !== null) return { findings: [], notices: [document.refusal] };
    const notices: string[] = [];
    const folder = unitFolder(file);
    const shown = document !== null || (folder !== null && openFolders().has(folder));
    const quick = shown ? quickOf(file) : [];
    if (quick === null) notices.push('Entrycheck failed in this file, the log has the details; the rest of the editor is not affected');
    const explored = once([...units].flatMap(([unit, state]) => state.findings.filter((finding) => finding.place.file === file && attempt(`finding in ${file}`, () => review.stands(unit, finding), true))));
    const notice = folder === null ? null : (units.get(folder)?.notice ?? null);
    if (notice !== null && document !== null) notices.push(notice);
    return { findings: limitFindings([...(quick ?? []), ...explored]), notices };
  }

  function quickOf(file: string): readonly Finding[] | null {
    const known = typed.get(file);
    if (known !== undefined) return known;
    const began = clock.now();
    const found = attempt<readonly Finding[] | null>(`findings of ${file}`, () => review.quickFindings(file), null);
    if (found === null || !open.has(file)) return found;
    typed.set(file, found);
    // The first time everything that the file includes is read: that says nothing of an edit.
    costs.set(file, costs.has(file) ? clock.now() - began : 0);
    return found;
  }

  function moveFindings(file: string, edits: readonly TextEdit[]): void {
    for (const state of units.values()) state.findings = state.findings.flatMap((finding) => shiftFinding(finding, file, edits) ?? []);
  }

  /** Findings and contexts stay, and only their places change. */
  function sameCode(file: string, before: string, edits: readonly TextEdit[]): void {
    const move = moveAcross(new Map([[file, edits]]));
    owner.keepBack(file, before, edits);
    contexts.moved(file, edits);
    for (const state of units.values()) state.findings = state.findings.map((finding) => movedFinding(finding, move));
    for (const [other, findings] of typed) typed.set(other, findings.map((finding) => movedFinding(finding, move)));
    host.changed([file], 'edit');
  }

  /** Those of before the edit, moved, until typing rests. */
  function postpone(file: string, before: readonly Finding[], edits: readonly TextEdit[], cost: number): void {
    typed.set(file, before.flatMap((finding) => shiftFinding(finding, file, edits) ?? []));
    resting.set(file, clock.after(Math.min(longestRest, cost), () => {
      resting.delete(file);
      typed.delete(file);
      host.changed([file], 'explored');
    }));
  }

  function edited(file: string, edits: readonly TextEdit[]): void {
    cancelWarming?.();
    cancelWarming = null;
    resting.get(file)?.();
    resting.delete(file);
    const before = typed.get(file);
    const cost = costs.get(file) ?? 0;
    touch(file);
    if (before !== undefined && cost > longestFinding) postpone(file, before, edits, cost);
    host.changed(isSidecar(file) ? [...open.keys()] : [file], 'edit');
    if (settings.exploreOnIdle) schedule();
  }

  return {
    review,
    locator,
    open: (uri, languageId, version, text) => {
      const file = pathOfUri(uri);
      const document = openDocument(uri, file, languageId, version, text);
      open.set(file, document);
      const reviewed = reviewedText(document);
      attempt(`open ${file}`, () => review.setFile(file, reviewed), undefined);
      owner.tell({ kind: 'set', file, text: reviewed });
      touch(file);
      host.changed([file], 'edit');
      schedule();
    },
    change: (uri, version, changes) => {
      const file = pathOfUri(uri);
      const before = open.get(file);
      if (before === undefined) return;
      const { document, edits, change } = changeDocument(before, version, changes);
      open.set(file, document);
      if (change.kind === 'edits') {
        const applied = attempt(`edit ${file}`, () => (review.editFile(file, change.edits), true), false);
        if (!applied) attempt(`set ${file}`, () => review.setFile(file, reviewedText(document)), undefined);
        if (applied && attempt(`comments of ${file}`, () => review.sameCode(file, before.text, document.text), false)) {
          sameCode(file, before.text, edits);
          return;
        }
        owner.tell({ kind: 'edit', file, edits: change.edits });
      } else {
        attempt(`edit ${file}`, () => review.setFile(file, change.text), undefined);
        owner.tell({ kind: 'set', file, text: change.text });
      }
      contexts.edited(file, edits);
      moveFindings(file, edits);
      edited(file, edits);
    },
    close: (uri) => {
      const file = pathOfUri(uri);
      if (!open.has(file)) return;
      const folder = unitFolder(file);
      open.delete(file);
      typed.delete(file);
      costs.delete(file);
      resting.get(file)?.();
      resting.delete(file);
      contexts.forget(file);
      host.forget(file);
      attempt(`close ${file}`, () => review.closeFile(file), undefined);
      owner.tell({ kind: 'close', file });
      const state = folder === null ? undefined : units.get(folder);
      if (folder !== null && state !== undefined && !openFolders().has(folder)) {
        const files = filesOf(folder, state.findings);
        state.job?.handle.cancel();
        units.delete(folder);
        host.changed([...files, file], 'explored');
        report('idle');
        return;
      }
      touch(file);
      host.changed([file], 'edit');
      schedule();
    },
    saved: (uri) => {
      const file = pathOfUri(uri);
      if (!open.has(file) || dirty.size === 0) return;
      schedule();
    },
    filesChanged: (uris) => {
      const files = uris.map(pathOfUri).filter((file) => !open.has(file));
      if (files.length === 0) return;
      for (const file of files) {
        host.forget(file);
        attempt(`changed ${file}`, () => review.fileChanged(file), undefined);
        owner.tell({ kind: 'changed', file });
        touch(file);
      }
      host.changed([...open.keys()], 'explored');
      schedule();
    },
    document: (uri) => open.get(pathOfUri(uri)) ?? null,
    documents: () => [...open.values()],
    findings: findingsOf,
    contexts,
    restart: () => {
      for (const file of open.keys()) touch(file);
      host.changed([...open.keys()], 'explored');
      schedule();
    },
    settings: (next) => {
      settings = next;
    },
    stop: () => {
      stopped = true;
      cancelTimer?.();
      cancelWarming?.();
      for (const cancel of resting.values()) cancel();
      owner.stop();
      attempt('release', () => review.release(), undefined);
    },
  };
}

/** Folders of one kernel tree have the same findings. */
function once(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${identity(finding)} ${finding.message}`, finding])).values()];
}

function isSidecar(file: string): boolean {
  return /\.xctx\.ya?ml$/.test(file);
}

function identity({ rule, place }: Finding): string {
  return `${rule} ${place.file} ${place.span.start}-${place.span.end}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
