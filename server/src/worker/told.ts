// What was told of units and files the last time that an editor had them open: findings, contexts and the events at entries.
// Told again while the exploration that finds all of it anew goes on, as long as all that was read is as it was; kept
// when that is through. Only of texts that are those of the disk.
import type { ContextChange, KnownContext, Review } from '../core/review-types.ts';
import type { Kept } from '../shell/kept.ts';
import { areOnDisk } from '../shell/seen.ts';
import type { NodeWorkspace } from '../shell/workspace.ts';
import type { Answer, JobResult, Question, ToWorker } from './messages.ts';

export interface Told {
  /** Keeps an eye on what is open, and forgets what was told of texts that changed. */
  readonly heard: (message: ToWorker) => void;
  /** The result of a whole exploration of a unit's texts as they are. */
  readonly result: (folder: string) => JobResult | null;
  readonly keepResult: (folder: string, result: JobResult) => void;
  /** The final answer to a question of a place in a file, from the last time. */
  readonly answer: (question: Question) => Answer | null;
  /** An answer that nothing adds to. */
  readonly keepAnswer: (question: Question, answer: Answer) => void;
  /** Asks for a few of the contexts of open files that are not kept yet; false where there are no more. */
  readonly collect: () => boolean;
}

type Entries = Extract<Answer, { readonly kind: 'entries' }>['entries'];

/** Of one file. */
interface FileTold {
  /** By their spans, in order. */
  readonly contexts: readonly KnownContext[];
  readonly changes: readonly ContextChange[];
  /** Answers by the texts that were asked for. */
  readonly entries: ReadonlyMap<string, Entries>;
}

interface Collection {
  readonly file: string;
  readonly contexts: KnownContext[];
  at: number;
}

export function createTold(review: Review, workspace: NodeWorkspace, kept: Kept): Told {
  const open = new Set<string>();
  let configuration = '';
  /** What was found of the texts as they are; asked for once. */
  let files = new Map<string, FileTold | null>();
  let entries = new Map<string, Map<string, Entries>>();
  /** Units whose exploration is through. */
  const explored = new Set<string>();
  let collection: Collection | null = null;

  function forget(): void {
    files = new Map();
    entries = new Map();
    explored.clear();
    collection = null;
  }

  const onDisk = (): boolean => areOnDisk(open, workspace, review.text);

  function found<Result>(question: readonly string[]): Result | null {
    return onDisk() ? kept.find<Result>(question, workspace) : null;
  }

  function keep(question: readonly string[], result: object): void {
    if (onDisk()) kept.keep(question, workspace.seen(), result);
  }

  function ofFile(file: string): FileTold | null {
    const known = files.get(file);
    if (known !== undefined) return known;
    const told = found<FileTold>(['told', configuration, file]);
    files.set(file, told);
    return told;
  }

  function keepFile(file: string, contexts: readonly KnownContext[]): void {
    const changes = review.contextChanges(file, { start: 0, end: Number.MAX_SAFE_INTEGER }) ?? [];
    const told: FileTold = { contexts, changes, entries: new Map([...(files.get(file)?.entries ?? []), ...(entries.get(file) ?? [])]) };
    files.set(file, told);
    keep(['told', configuration, file], told);
  }

  /** A file of a unit that is through and of which nothing is kept; what is not saved is not kept, and not asked for. */
  function nextFile(): Collection | null {
    if (explored.size === 0 || !onDisk()) return null;
    const file = [...open].find((one) => ofFile(one) === null && explored.has(review.unitOf(one)?.folder ?? '') && review.inKernelTree(one));
    return file === undefined ? null : { file, contexts: [], at: 0 };
  }

  return {
    heard: (message) => {
      switch (message.kind) {
        case 'set':
          open.add(message.file);
          break;
        case 'close':
          open.delete(message.file);
          break;
        case 'configuration':
          configuration = JSON.stringify(message.choice);
          break;
        case 'edit':
        case 'changed':
        case 'host-files':
          break;
        default:
          return;
      }
      forget();
    },
    result: (folder) => found<JobResult>(['explored', configuration, folder]),
    keepResult: (folder, result) => {
      if (result.stopped !== null) return;
      explored.add(folder);
      keep(['explored', configuration, folder], result);
    },
    answer: (question) => {
      if (question.kind === 'context') {
        const known = ofFile(question.file)?.contexts.find(({ span }) => span.start <= question.offset && question.offset <= span.end);
        return known === undefined ? null : { kind: 'context', known };
      }
      if (question.kind === 'changes') {
        const { span } = question;
        const told = ofFile(question.file);
        return told === null ? null : { kind: 'changes', changes: told.changes.filter(({ offset }) => span.start <= offset && offset <= span.end) };
      }
      if (question.kind !== 'entries') return null;
      const told = ofFile(question.file)?.entries.get(JSON.stringify(question.spans));
      return told === undefined ? null : { kind: 'entries', entries: told };
    },
    keepAnswer: (question, answer) => {
      if (question.kind !== 'entries' || answer.kind !== 'entries' || explored.size === 0) return;
      const ofThis = entries.get(question.file) ?? new Map<string, Entries>();
      entries.set(question.file, ofThis.set(JSON.stringify(question.spans), answer.entries));
      const before = files.get(question.file) ?? null;
      if (before !== null) keepFile(question.file, before.contexts);
    },
    collect: () => {
      collection ??= nextFile();
      if (collection === null) return false;
      const { file, contexts, at } = collection;
      const known = review.knownContext(file, at);
      if (known?.finished === true) {
        contexts.push(known);
        collection.at = known.span.end + 1;
        if (known.span.end < (review.text(file) ?? '').length) return true;
        keepFile(file, contexts);
      } else explored.clear();
      collection = null;
      return true;
    },
  };
}
