// Keeps edits of comments from the worker, so that all it has explored stays good: it stays behind with the text that has
// the same code, and what it is asked and what it answers is carried over those edits. Everything else is told at once.
import { unreachable } from '../core/base/unreachable.ts';
import type { TextEdit } from '../core/review-types.ts';
import type { Job, ToWorker } from '../worker/messages.ts';
import type { JobOutcome, WorkerOwner } from '../worker/owner.ts';
import { moveAcross, movedAnswer, movedFinding, movedReport, offsetBefore } from './moves.ts';
import type { Move } from './moves.ts';

export interface Behind extends WorkerOwner {
  /** An edit of a file after which its code is what it was in `before`. */
  readonly keepBack: (file: string, before: string, edits: readonly TextEdit[]) => void;
  /** The text of a file as the worker has it, where it is behind; else null. */
  readonly heldText: (file: string) => string | null;
}

export function createBehind(owner: WorkerOwner): Behind {
  const texts = new Map<string, string>();
  const edits = new Map<string, TextEdit[]>();
  /** Times that the worker was told of code. */
  let revisions = 0;

  function catchUp(): void {
    for (const [file, kept] of edits) owner.tell({ kind: 'edit', file, edits: kept });
    texts.clear();
    edits.clear();
    revisions += 1;
  }

  function tell(message: ToWorker): void {
    switch (message.kind) {
      case 'limit':
      case 'cancel':
      case 'job':
      // Of no open text; what was explored without it begins again by itself.
      case 'host-files':
        break;
      case 'set':
      case 'edit':
      case 'close':
      case 'changed':
      case 'configuration':
        catchUp();
        break;
      default:
        unreachable(message);
    }
    owner.tell(message);
  }

  const now = (): Move => moveAcross(edits);

  function asked(job: Job): Job {
    const before = (offset: number): number => offsetBefore(offset, edits.get('file' in job ? job.file : '') ?? []);
    switch (job.kind) {
      case 'explore':
      case 'run':
      case 'calls':
        return job;
      case 'entries':
        return { ...job, spans: job.spans.map(({ start, end }) => ({ start: before(start), end: before(end) })) };
      case 'changes':
        return { ...job, span: { start: before(job.span.start), end: before(job.span.end) } };
      case 'context':
      case 'events':
      case 'raise':
      case 'hierarchy':
        return { ...job, offset: before(job.offset) };
      default:
        return unreachable(job);
    }
  }

  function told(job: Job, outcome: JobOutcome, revision: number): JobOutcome {
    if (job.kind === 'context' && revision !== revisions) return { kind: 'cancelled' };
    if (edits.size === 0) return outcome;
    switch (outcome.kind) {
      case 'result': {
        const { result } = outcome;
        return { kind: 'result', result: { ...result, findings: result.findings.map((finding) => movedFinding(finding, now())), reports: result.reports.map((report) => movedReport(report, now())) } };
      }
      case 'answer':
        return job.kind === 'explore' || job.kind === 'run' ? outcome : { kind: 'answer', answer: movedAnswer(job, outcome.answer, now()) };
      case 'cancelled':
      case 'absent':
      case 'failed':
        return outcome;
      default:
        return unreachable(outcome);
    }
  }

  return {
    tell,
    submit: (job, background, listener) => {
      const revision = revisions;
      const handle = owner.submit(asked(job), background, {
        progress: listener.progress,
        partial: (findings) => listener.partial(edits.size === 0 ? findings : findings.map((finding) => movedFinding(finding, now()))),
      });
      return { outcome: handle.outcome.then((outcome) => told(job, outcome, revision)), cancel: handle.cancel };
    },
    stop: owner.stop,
    keepBack: (file, before, more) => {
      if (!texts.has(file)) texts.set(file, before);
      edits.set(file, joined(edits.get(file) ?? [], more));
    },
    heldText: (file) => texts.get(file) ?? null,
  };
}

/** What is typed in one place is one edit. */
function joined(kept: readonly TextEdit[], more: readonly TextEdit[]): TextEdit[] {
  const out = [...kept];
  for (const { span, newText } of more) {
    const last = out.at(-1);
    const at = last === undefined ? -1 : span.start - last.span.start;
    if (last === undefined || at < 0 || span.end > last.span.start + last.newText.length) out.push({ span, newText });
    else out[out.length - 1] = { span: last.span, newText: last.newText.slice(0, at) + newText + last.newText.slice(at + span.end - span.start) };
  }
  return out;
}
