// The open documents and what is known about them: the typing tier at once, the explored tier from the worker when the
// editor is idle. Knows no connection; its host publishes.
import type { TextDocumentContentChangeEvent } from 'vscode-languageserver/node';
import type { Finding, Review, TextEdit } from '../core/review-types.ts';
import { attempting } from './attempt.ts';
import type { Behind } from './behind.ts';
import type { Clock } from './clock.ts';
import { changeDocument, openDocument, reviewedText } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { createExploredFindings } from './explored-findings.ts';
import { createKnownContexts } from './known-contexts.ts';
import type { KnownContexts } from './known-contexts.ts';
import { limitFindings } from './limit.ts';
import { createLocator } from './locate.ts';
import type { Locator } from './locate.ts';
import { moveAcross } from './moves.ts';
import { pathOfUri, uriOfPath } from './paths.ts';
import type { Settings, StatusParams } from './protocol.ts';
import { createTypedFindings } from './typed-findings.ts';
import { createUnitFolders, isSidecar } from './unit-folders.ts';
import { createWarming } from './warming.ts';

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
  /** More follows at once. */
  readonly partial: boolean;
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

export function createSession(review: Review, owner: Behind, host: SessionHost, clock: Clock, initial: Settings): Session {
  const open = new Map<string, OpenDocument>();
  const contexts = createKnownContexts();
  const attempt = attempting(host.log);
  const folders = createUnitFolders(review, open, attempt);
  const typed = createTypedFindings(review, (file) => open.has(file), (file) => host.changed([file], 'explored'), clock, attempt);
  const warming = createWarming(review, () => [...open.values()], clock, attempt);
  const explored = createExploredFindings(review, owner, {
    files: () => open.keys(),
    changed: (files) => host.changed(files, 'explored'),
    status: host.status,
    log: host.log,
    problems: problemCount,
    hasEntries: (folder) => {
      review.readWhole(folder);
      typed.outdated();
    },
    idle: warming.start,
  }, folders, clock, attempt);
  let settings = initial;

  const locator = createLocator(
    (file) => open.get(file)?.text ?? review.text(file),
    (file) => open.get(file)?.uri ?? uriOfPath(file),
  );

  /** What is known of a file's code is old. */
  function outdated(file: string): void {
    contexts.outdated();
    typed.outdated();
    explored.outdated(file);
  }

  function problemCount(): number {
    let count = 0;
    for (const file of open.keys()) count += limitFindings([...typed.counted(file), ...explored.of(file)]).filter((finding) => finding.rule !== 'generated-headers').length;
    return count;
  }

  function findingsOf(file: string): FileFindings {
    const document = open.get(file) ?? null;
    if (document !== null && document.refusal !== null) return { findings: [], notices: [document.refusal], partial: false };
    const notices: string[] = [];
    const folder = folders.of(file);
    const shown = document !== null || (folder !== null && folders.open().has(folder));
    const { findings: quick, partial } = shown ? typed.of(file) : { findings: [], partial: false };
    if (quick === null) notices.push('Entrycheck failed in this file, the log has the details; the rest of the editor is not affected');
    const notice = folder === null ? null : explored.notice(folder);
    if (notice !== null && document !== null) notices.push(notice);
    return { findings: limitFindings([...(quick ?? []), ...explored.of(file)]), notices, partial };
  }

  /** Findings and contexts stay, and only their places change. */
  function sameCode(file: string, before: string, edits: readonly TextEdit[]): void {
    const move = moveAcross(new Map([[file, edits]]));
    owner.keepBack(file, before, edits);
    contexts.moved(file, edits);
    explored.moved(move);
    typed.moved(move);
    host.changed([file], 'edit');
  }

  function edited(file: string, edits: readonly TextEdit[]): void {
    warming.stop();
    contexts.edited(file, edits);
    contexts.outdated();
    explored.shifted(file, edits);
    explored.outdated(file);
    typed.edited(file, edits);
    host.changed(isSidecar(file) ? [...open.keys()] : [file], 'edit');
    if (settings.exploreOnIdle) explored.schedule();
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
      outdated(file);
      host.changed([file], 'edit');
      explored.schedule();
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
      edited(file, edits);
    },
    close: (uri) => {
      const file = pathOfUri(uri);
      if (!open.has(file)) return;
      const folder = folders.of(file);
      open.delete(file);
      typed.forget(file);
      contexts.forget(file);
      host.forget(file);
      attempt(`close ${file}`, () => review.closeFile(file), undefined);
      owner.tell({ kind: 'close', file });
      if (explored.closed(file, folder)) return;
      outdated(file);
      host.changed([file], 'edit');
      explored.schedule();
    },
    saved: (uri) => {
      const file = pathOfUri(uri);
      if (!open.has(file) || !explored.isWaiting()) return;
      explored.schedule();
    },
    filesChanged: (uris) => {
      const files = uris.map(pathOfUri).filter((file) => !open.has(file));
      if (files.length === 0) return;
      for (const file of files) {
        host.forget(file);
        attempt(`changed ${file}`, () => review.fileChanged(file), undefined);
        owner.tell({ kind: 'changed', file });
        outdated(file);
      }
      host.changed([...open.keys()], 'explored');
      explored.schedule();
    },
    document: (uri) => open.get(pathOfUri(uri)) ?? null,
    documents: () => [...open.values()],
    findings: findingsOf,
    contexts,
    restart: () => {
      for (const file of open.keys()) outdated(file);
      host.changed([...open.keys()], 'explored');
      explored.schedule();
    },
    settings: (next) => {
      settings = next;
    },
    stop: () => {
      explored.stop();
      warming.stop();
      typed.stop();
      owner.stop();
      attempt('release', () => review.release(), undefined);
    },
  };
}
