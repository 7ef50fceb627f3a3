// Contexts of entry code in kernel trees for hovers: what is known is told at once and said to be what it is, and the
// worker is asked in the meantime; only for a place that nothing is known of a hover waits, and not long.
import type { ContextInfo } from '../core/review-types.ts';
import type { WorkerOwner } from '../worker/owner.ts';
import type { OpenDocument } from './documents.ts';
import { ask } from './events.ts';
import type { KnownContexts, Remembered } from './known-contexts.ts';

/** Milliseconds that a hover waits for the worker. */
const patience = 120;
/** Within that time the worker answers, or is gone. */
const longest = 60_000;
const earlier = 'as before the last edit: the entry paths are being explored again';

export interface KernelContexts {
  readonly at: (owner: WorkerOwner, document: OpenDocument, offset: number) => Promise<ContextInfo | 'exploring' | null>;
}

export function createKernelContexts(known: KnownContexts): KernelContexts {
  /** Questions that the worker has not answered: while it is busy no hover waits for it anew. */
  let waiting = 0;

  async function learn(owner: WorkerOwner, file: string, offset: number): Promise<boolean> {
    waiting += 1;
    const answer = await ask(owner, { kind: 'context', folder: '', file, offset }, longest);
    waiting -= 1;
    if (answer === null || answer.known === null) return false;
    known.learn(file, answer.known);
    return true;
  }

  return {
    at: async (owner, { file }, offset) => {
      const before = known.at(file, offset);
      if (before?.as === 'finished') return before.info;
      const busy = waiting > 0;
      const learned = busy && before !== null ? null : learn(owner, file, offset);
      if (before !== null) return shown(before);
      const soon = busy || learned === null ? false : await within(learned, patience);
      const now = soon ? known.at(file, offset) : null;
      return now === null ? 'exploring' : shown(now);
    },
  };
}

/** What is not the last word says so. */
function shown({ info, as }: Remembered): ContextInfo | null {
  if (info === null || as === 'finished') return info;
  if (as === 'earlier') return { ...info, unknown: [earlier, ...info.unknown] };
  const silence = info.rows.length > 0 ? null : 'not reached so far: the exploration is still running';
  return { ...info, silence, unknown: ['more contexts are still being explored', ...info.unknown] };
}

function within(work: Promise<boolean>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    void work.then((done) => {
      clearTimeout(timer);
      resolve(done);
    });
  });
}
