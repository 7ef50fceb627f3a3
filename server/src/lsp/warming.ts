// Explores the contexts that hovers in designs need while nothing else happens, a few milliseconds at a time.
import type { Review } from '../core/review-types.ts';
import type { Attempt } from './attempt.ts';
import type { Clock } from './clock.ts';
import type { OpenDocument } from './documents.ts';

export interface Warming {
  /** Begins, or begins anew. */
  readonly start: () => void;
  readonly stop: () => void;
}

/** States explored before requests are answered again. */
const statesAtOnce = 200;

export function createWarming(review: Review, documents: () => readonly OpenDocument[], clock: Clock, attempt: Attempt): Warming {
  let cancel: (() => void) | null = null;

  function stop(): void {
    cancel?.();
    cancel = null;
  }

  function start(): void {
    stop();
    const left = documents().filter((document) => document.refusal === null && !review.inKernelTree(document.file) && !attempt(`contexts of ${document.file}`, () => review.prepareContexts(document.file, statesAtOnce), true));
    if (left.length > 0) cancel = clock.after(0, start);
  }

  return { start, stop };
}
