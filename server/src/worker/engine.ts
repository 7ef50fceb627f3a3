// The worker's side of the conversation: applies the edits, runs jobs in slices, posts progress and results. Knows no
// thread: whoever runs it hands it a way to post and a way to be called again.
import type { Exploration, Finding, Progress, Review } from '../core/review-types.ts';
import { unreachable } from '../core/base/unreachable.ts';
import type { HostWorkspace } from './disk.ts';
import { reportWithKeys, withKeys } from './keys.ts';
import type { FromWorker, Job, JobResult, ToWorker } from './messages.ts';

export const statesPerSlice = 2000;
const progressEvery = 100;

export interface EngineHost {
  readonly post: (message: FromWorker) => void;
  /** Calls back soon, after messages that wait were handled. */
  readonly later: (next: () => void) => void;
  readonly now: () => number;
  readonly workspace: Pick<HostWorkspace, 'give' | 'forget'>;
}

interface RunningJob {
  readonly id: number;
  readonly job: Job;
  readonly background: boolean;
  began: number;
  exploration: Exploration | null;
  lastProgress: number;
  /** States of the runs before the current one, and of that one. */
  statesBefore: number;
  statesNow: number;
  /** The run under way, and how many findings were sent of those before it. */
  current: string;
  sent: number;
}

export function createEngine(review: Review, host: EngineHost): (message: ToWorker) => void {
  const jobs: RunningJob[] = [];
  let maxStates = Number.POSITIVE_INFINITY;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || jobs.length === 0) return;
    scheduled = true;
    host.later(() => {
      scheduled = false;
      slice();
      schedule();
    });
  }

  /** Jobs somebody waits for go before those of the diagnostics. */
  function slice(): void {
    const job = jobs.find((candidate) => !candidate.background) ?? jobs[0];
    if (job === undefined) return;
    try {
      advance(job);
    } catch (error) {
      drop(job.id);
      host.post({ kind: 'failed', id: job.id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }

  function advance(job: RunningJob): void {
    if (job.exploration === null) {
      job.began = host.now();
      job.exploration = begin(job.job);
    }
    if (job.exploration === null) {
      drop(job.id);
      host.post({ kind: 'absent', id: job.id });
      return;
    }
    const progress = job.exploration.run(statesPerSlice);
    if (progress.states < job.statesNow) job.statesBefore += job.statesNow;
    job.statesNow = progress.states;
    const states = job.statesBefore + job.statesNow;
    const now = host.now();
    const stopped = !progress.done && states >= maxStates;
    if (progress.done || stopped) {
      drop(job.id);
      host.post({ kind: 'result', id: job.id, result: resultOf(job, job.exploration, stopped ? stoppedAt(progress, states) : null, now) });
      return;
    }
    if (job.background) sendPartial(job, job.exploration, `${progress.scenario} ${progress.start}`);
    if (now - job.lastProgress >= progressEvery) {
      job.lastProgress = now;
      const seconds = Math.max(0.001, (now - job.began) / 1000);
      host.post({ kind: 'progress', id: job.id, progress: { ...progress, states }, perSecond: Math.round(states / seconds) });
    }
  }

  /** The first findings are worth showing long before the last scenario is through. */
  function sendPartial(job: RunningJob, exploration: Exploration, current: string): void {
    if (current === job.current) return;
    job.current = current;
    const findings = review.findings(job.job.folder, exploration.reports());
    if (findings.length <= job.sent) return;
    job.sent = findings.length;
    host.post({ kind: 'partial', id: job.id, findings: findings.map((finding) => withKeys({ ...finding, fix: null })) });
  }

  function begin(job: Job): Exploration | null {
    if (job.kind === 'run') return review.run(job.folder, job.scenario);
    return review.explore(job.folder);
  }

  function resultOf(job: RunningJob, exploration: Exploration, stopped: string | null, now: number): JobResult {
    const reports = exploration.reports();
    return {
      reports: reports.map(reportWithKeys),
      findings: review.findings(job.job.folder, reports).map((finding) => withKeys(withVerifiedFix(job.job.folder, finding))),
      milliseconds: now - job.began,
      stopped,
    };
  }

  /** A fix that does not mend its finding is worse than none. */
  function withVerifiedFix(folder: string, finding: Finding): Finding {
    return finding.fix === null ? finding : { ...finding, fix: review.verifiedFix(folder, finding) };
  }

  function stoppedAt(progress: Progress, states: number): string {
    return `stopped in ${progress.scenario} after ${states} states, the limit of entrycheck.maxStates`;
  }

  function drop(id: number): boolean {
    const at = jobs.findIndex((job) => job.id === id);
    if (at !== -1) jobs.splice(at, 1);
    return at !== -1;
  }

  /** Explorations of the diagnostics are void once a text changed; their sender asks again. */
  function dropBackground(): void {
    for (const job of jobs.filter((candidate) => candidate.background)) {
      drop(job.id);
      host.post({ kind: 'cancelled', id: job.id });
    }
  }

  return (message) => {
    switch (message.kind) {
      case 'set':
        dropBackground();
        review.setFile(message.file, message.text);
        return;
      case 'edit':
        dropBackground();
        review.editFile(message.file, message.edits);
        return;
      case 'close':
        dropBackground();
        host.workspace.forget(message.file);
        review.closeFile(message.file);
        return;
      case 'changed':
        dropBackground();
        host.workspace.forget(message.file);
        review.fileChanged(message.file);
        return;
      case 'host-files':
        host.workspace.give(message.files);
        for (const { file } of message.files) review.fileChanged(file);
        return;
      case 'configuration':
        dropBackground();
        review.configure(message.choice);
        return;
      case 'limit':
        maxStates = message.maxStates;
        return;
      case 'job':
        jobs.push({ id: message.id, job: message.job, background: message.background, began: host.now(), exploration: null, lastProgress: host.now(), statesBefore: 0, statesNow: 0, current: '', sent: 0 });
        schedule();
        return;
      case 'cancel':
        if (drop(message.id)) host.post({ kind: 'cancelled', id: message.id });
        return;
      default:
        return unreachable(message);
    }
  };
}
