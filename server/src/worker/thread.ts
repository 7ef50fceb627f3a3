// Ties an engine to a message port. An error that escapes a message ends the thread, and its owner starts another.
import type { Review } from '../core/review-types.ts';
import { createEngine } from './engine.ts';
import type { HostWorkspace } from './host-files.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { Told } from './told.ts';
import { createWaiting } from './waiting.ts';

export interface EnginePort {
  readonly post: (message: FromWorker) => void;
  readonly listen: (receive: (message: ToWorker) => void) => void;
}

/** `toldOf` null where nothing is kept. */
export function serveEngine(port: EnginePort, createReview: () => Promise<Review>, workspace: HostWorkspace, toldOf: ((review: Review) => Told) | null): void {
  const waiting: ToWorker[] = [];
  let handle: ((message: ToWorker) => void) | null = null;
  port.listen((message) => {
    if (handle === null) waiting.push(message);
    else handle(message);
  });
  const start = async (): Promise<void> => {
    const review = await createReview();
    const host = { post: port.post, later: (next: () => void) => void setImmediate(next), now: () => performance.now(), workspace, told: toldOf?.(review) ?? null };
    handle = createWaiting((waitingHost) => createEngine(review, waitingHost), host, workspace);
    port.post({ kind: 'ready' });
    for (const message of waiting.splice(0)) handle(message);
  };
  start().catch((error: unknown) => {
    setImmediate(() => {
      throw error;
    });
  });
}
