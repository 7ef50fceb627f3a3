// The worker's side of the conversation: applies the edits, runs jobs in slices, posts progress and results. Knows no
// thread: whoever runs it hands it a way to post and a way to be called again.
import type { Exploration, Finding, Progress, Review } from '../core/review-types.ts';
import { unreachable } from '../core/base/unreachable.ts';
import { ENTRY_PATHS } from '../core/review/path-scenarios.ts';
import type { HostWorkspace } from './host-files.ts';
import { reportWithKeys, withKeys } from './keys.ts';
import type { Answer, FromWorker, Job, JobResult, Question, ToWorker } from './messages.ts';
import type { Told } from './told.ts';

export const statesPerSlice = 2000;
const progressEvery = 100;
/** Steps of entry paths between two looks at the messages that wait. */
const stepsPerSlice = 4000;
/** Milliseconds that a slice of an exploration is to take, so that a question need not wait longer. */
const shortest = 3;
const longest = 8;
const fewestStates = 125;

export interface EngineHost {
  readonly post: (message: FromWorker) => void;
  /** Calls back soon, after messages that wait were handled. */
  readonly later: (next: () => void) => void;
  readonly now: () => number;
  readonly workspace: Pick<HostWorkspace, 'give' | 'forget'>;
  /** What was told the last time; null where nothing is kept. */
  readonly told: Told | null;
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

function isQuestion(job: Job): job is Question {
  return job.kind !== 'explore' && job.kind !== 'run';
}

export function createEngine(review: Review, host: EngineHost): (message: ToWorker) => void {
  const jobs: RunningJob[] = [];
  let maxStates = Number.POSITIVE_INFINITY;
  let scheduled = false;
  let slicedStates = statesPerSlice;
  /** A place whose contexts were asked for before they were explored, which is done where no job does it. */
  let wanted: { readonly file: string; readonly offset: number } | null = null;
  /** There may be more to keep, which is done where nobody waits for anything. */
  let keeping = false;

  function schedule(): void {
    if (scheduled || (jobs.length === 0 && wanted === null && !keeping)) return;
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
    if (job === undefined) {
      if (wanted !== null) exploreWanted();
      else keepMore();
      return;
    }
    try {
      advance(job);
    } catch (error) {
      drop(job.id);
      host.post({ kind: 'failed', id: job.id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }

  function advance(job: RunningJob): void {
    if (isQuestion(job.job)) {
      ask(job, job.job);
      return;
    }
    if (job.exploration === null) {
      job.began = host.now();
      if (job.job.kind === 'explore') tellAgain(job);
      job.exploration = begin(job.job);
    }
    if (job.exploration === null) {
      drop(job.id);
      host.post({ kind: 'absent', id: job.id });
      return;
    }
    const started = host.now();
    const progress = job.exploration.run(slicedStates);
    if (progress.states < job.statesNow) job.statesBefore += job.statesNow;
    job.statesNow = progress.states;
    const states = job.statesBefore + job.statesNow;
    const now = host.now();
    if (now - started > longest) slicedStates = Math.max(fewestStates, slicedStates >> 1);
    else if (now - started < shortest) slicedStates = Math.min(statesPerSlice, slicedStates << 1);
    const stopped = !progress.done && states >= maxStates;
    if (progress.done || stopped) {
      drop(job.id);
      const result = resultOf(job, job.exploration, stopped ? stoppedAt(progress, states) : null, now);
      host.post({ kind: 'result', id: job.id, result });
      if (job.job.kind === 'explore' && host.told !== null) {
        host.told.keepResult(job.job.folder, result);
        keeping = true;
      }
      return;
    }
    if (job.background) sendPartial(job, job.exploration, `${progress.scenario} ${progress.start}`);
    if (now - job.lastProgress >= progressEvery) {
      job.lastProgress = now;
      const seconds = Math.max(0.001, (now - job.began) / 1000);
      host.post({ kind: 'progress', id: job.id, progress: { ...progress, states }, perSecond: Math.round(states / seconds) });
    }
  }

  function exploreWanted(): void {
    if (wanted === null) return;
    try {
      if (review.prepareAt(wanted.file, wanted.offset, [], slicedStates)) wanted = null;
    } catch {
      // Whoever asks for it again is told.
      wanted = null;
    }
  }

  function keepMore(): void {
    try {
      keeping = host.told?.collect() === true;
    } catch {
      // What cannot be kept is found again.
      keeping = false;
    }
  }

  /** The findings of the last time, while all is explored anew. */
  function tellAgain(job: RunningJob): void {
    const before = host.told?.result(job.job.folder) ?? null;
    if (before === null || before.findings.length === 0) return;
    job.sent = before.findings.length;
    host.post({ kind: 'partial', id: job.id, findings: before.findings });
  }

  function ask(job: RunningJob, question: Question): void {
    const given = answerOf(job, question);
    const now = host.now();
    if (given !== null) {
      drop(job.id);
      host.post({ kind: 'answer', id: job.id, answer: given });
    } else if (now - job.lastProgress >= progressEvery) {
      job.lastProgress = now;
      const perSecond = Math.round(job.statesNow / Math.max(0.001, (now - job.began) / 1000));
      host.post({ kind: 'progress', id: job.id, progress: { scenario: ENTRY_PATHS, start: 'every context', states: job.statesNow, depth: 0, done: false }, perSecond });
    }
  }

  /** Null where more must be explored first. */
  function answerOf(job: RunningJob, question: Question): Answer | null {
    switch (question.kind) {
      case 'context': {
        const known = review.knownContext(question.file, question.offset);
        const told = known?.finished === true ? null : (host.told?.answer(question) ?? null);
        wanted = known?.finished === true || told !== null ? null : { file: question.file, offset: question.offset };
        return told ?? { kind: 'context', known };
      }
      case 'changes':
        return host.told?.answer(question) ?? { kind: 'changes', changes: review.contextChanges(question.file, question.span) };
      case 'entries': {
        const told = host.told?.answer(question) ?? null;
        if (told !== null) return told;
        const given: Answer = { kind: 'entries', entries: question.spans.map((span) => review.entryIn(question.file, span)) };
        host.told?.keepAnswer(question, given);
        return given;
      }
      case 'events':
        return { kind: 'events', events: review.eventsAt(question.file, question.offset) };
      case 'raise': {
        job.statesNow += stepsPerSlice;
        if (!review.prepareAt(question.file, question.offset, question.events, stepsPerSlice)) return null;
        return { kind: 'raise', run: review.raise(question.file, question.offset, question.events) };
      }
      case 'hierarchy':
        return { kind: 'hierarchy', item: review.hierarchyAt(question.file, question.offset) };
      case 'calls':
        if (question.direction === 'incoming' && !review.prepareHierarchy(question.file, question.key, stepsPerSlice)) return null;
        return { kind: 'calls', calls: review[question.direction](question.file, question.key) };
      default:
        return unreachable(question);
    }
  }

  /** The first findings are worth showing long before the last scenario is through. */
  function sendPartial(job: RunningJob, exploration: Exploration, current: string): void {
    if (current === job.current) return;
    job.current = current;
    // Whether a suppression is of use shows when everything has been explored.
    const findings = review.findings(job.job.folder, exploration.reports()).filter(({ rule }) => rule !== 'unused-suppression');
    if (findings.length <= job.sent) return;
    job.sent = findings.length;
    host.post({ kind: 'partial', id: job.id, findings: findings.map((finding) => withKeys({ ...finding, fix: null })) });
  }

  function begin(job: Exclude<Job, Question>): Exploration | null {
    if (job.kind === 'run') return job.beyond ? review.run(job.folder, job.scenario) : review.test(job.folder, job.scenario);
    return review.explore(job.folder);
  }

  function resultOf(job: RunningJob, exploration: Exploration, stopped: string | null, now: number): JobResult {
    const reports = exploration.reports();
    return {
      reports: reports.map(reportWithKeys),
      findings: review.findings(job.job.folder, reports).map((finding) => withKeys(withVerifiedFix(job.job.folder, finding))),
      milliseconds: now - job.began,
      entries: review.hasEntries(job.job.folder),
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
    wanted = null;
    keeping = false;
    for (const job of jobs.filter((candidate) => candidate.background)) {
      drop(job.id);
      host.post({ kind: 'cancelled', id: job.id });
    }
  }

  return (message) => {
    host.told?.heard(message);
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
        host.workspace.give(message.answer);
        for (const path of [...message.answer.files.map(({ file }) => file), ...message.answer.folders.map(({ folder }) => folder)]) review.fileChanged(path);
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
