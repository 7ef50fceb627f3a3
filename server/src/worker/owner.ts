// The server's side of the worker: starts it, mirrors the edits, turns jobs into promises, restarts it after a crash
// once per revision. Never blocks and never throws into a request.
import { unreachable } from '../core/base/unreachable.ts';
import type { Finding, Progress } from '../core/review-types.ts';
import type { HostPaths } from './host-files.ts';
import type { Answer, FromWorker, Job, JobResult, ToWorker } from './messages.ts';

/** The part of a node:worker_threads Worker that is used; the browser's has the same. */
export interface WorkerThread {
  readonly post: (message: ToWorker) => void;
  readonly terminate: () => void;
}

export interface WorkerEvents {
  readonly message: (message: FromWorker) => void;
  /** The thread ended without being told to. */
  readonly gone: (reason: string) => void;
}

export type StartWorker = (events: WorkerEvents) => WorkerThread;

export type JobOutcome =
  | { readonly kind: 'result'; readonly result: JobResult }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly message: string };

export interface JobHandle {
  readonly outcome: Promise<JobOutcome>;
  readonly cancel: () => void;
}

export interface OwnerOptions {
  readonly start: StartWorker;
  /** What a new worker must be told before anything else: open files, host files, limits. */
  readonly snapshot: () => readonly ToWorker[];
  readonly log: (message: string) => void;
  /** The worker cannot go on without these files and folders of a virtual workspace. */
  readonly wanted: (paths: HostPaths) => void;
  /** Milliseconds without a word from a busy worker after which it counts as hung. */
  readonly patience: number;
}

export interface JobListener {
  readonly progress: (progress: Progress, perSecond: number) => void;
  /** Findings so far, of a job in the background. */
  readonly partial: (findings: readonly Finding[]) => void;
}

interface Pending {
  readonly message: ToWorker & { readonly kind: 'job' };
  readonly settle: (outcome: JobOutcome) => void;
  readonly listener: JobListener;
}

export interface WorkerOwner {
  /** Mirrors what the server's own review was told, and opens a new revision. */
  readonly tell: (message: ToWorker) => void;
  readonly submit: (job: Job, background: boolean, listener: JobListener) => JobHandle;
  readonly stop: () => void;
}

export function createOwner(options: OwnerOptions): WorkerOwner {
  const pending = new Map<number, Pending>();
  let thread: WorkerThread | null = null;
  let generation = 0;
  let restarted = false;
  let stopped = false;
  let nextId = 1;
  let watchdog: ReturnType<typeof setTimeout> | null = null;

  function ensure(): WorkerThread {
    if (thread !== null) return thread;
    generation += 1;
    const mine = generation;
    const started = options.start({
      message: (message) => {
        if (mine === generation) receive(message);
      },
      gone: (reason) => {
        if (mine === generation) crashed(reason);
      },
    });
    thread = started;
    for (const message of options.snapshot()) started.post(message);
    return started;
  }

  /** Once per revision the jobs are given to a new worker; a second crash fails them. */
  function crashed(reason: string): void {
    const previous = thread;
    thread = null;
    generation += 1;
    previous?.terminate();
    if (stopped) return;
    options.log(`the exploration worker ended: ${reason}`);
    if (restarted) {
      for (const id of pending.keys()) settle(id, { kind: 'failed', message: reason });
      return;
    }
    restarted = true;
    if (pending.size === 0) return;
    const fresh = ensure();
    for (const { message } of pending.values()) fresh.post(message);
    watch();
  }

  function watch(): void {
    if (watchdog !== null) clearTimeout(watchdog);
    watchdog = null;
    if (pending.size === 0) return;
    watchdog = setTimeout(() => crashed(`no answer for ${options.patience / 1000} seconds`), options.patience);
  }

  function settle(id: number, outcome: JobOutcome): void {
    const job = pending.get(id);
    pending.delete(id);
    watch();
    job?.settle(outcome);
  }

  function receive(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        watch();
        return;
      case 'wanted':
        watch();
        options.wanted(message);
        return;
      case 'progress':
        watch();
        pending.get(message.id)?.listener.progress(message.progress, message.perSecond);
        return;
      case 'partial':
        watch();
        pending.get(message.id)?.listener.partial(message.findings);
        return;
      case 'result':
        settle(message.id, { kind: 'result', result: message.result });
        return;
      case 'answer':
        settle(message.id, { kind: 'answer', answer: message.answer });
        return;
      case 'cancelled':
        settle(message.id, { kind: 'cancelled' });
        return;
      case 'absent':
        settle(message.id, { kind: 'absent' });
        return;
      case 'failed':
        settle(message.id, { kind: 'failed', message: message.message });
        return;
      default:
        unreachable(message);
    }
  }

  return {
    tell: (message) => {
      restarted = false;
      thread?.post(message);
    },
    submit: (job, background, listener) => {
      const id = nextId;
      nextId += 1;
      const message = { kind: 'job', id, job, background } as const;
      const outcome = new Promise<JobOutcome>((settleOutcome) => {
        pending.set(id, { message, settle: settleOutcome, listener });
      });
      ensure().post(message);
      watch();
      const cancel = (): void => {
        if (!pending.has(id)) return;
        thread?.post({ kind: 'cancel', id });
        settle(id, { kind: 'cancelled' });
      };
      return { outcome, cancel };
    },
    stop: () => {
      stopped = true;
      if (watchdog !== null) clearTimeout(watchdog);
      thread?.terminate();
      thread = null;
      for (const id of pending.keys()) settle(id, { kind: 'cancelled' });
    },
  };
}
