// Ties an engine to a message port. An error that escapes a message ends the thread, and its owner starts another.
import type { MessagePort } from 'node:worker_threads';
import type { Review } from '../core/review-types.ts';
import type { Kept } from '../shell/kept.ts';
import type { HostWorkspace } from './disk.ts';
import { createEngine } from './engine.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { createTold } from './told.ts';

export function serveEngine(port: MessagePort, createReview: () => Promise<Review>, workspace: HostWorkspace, kept: Kept | null): void {
  const post = (message: FromWorker): void => port.postMessage(message);
  const waiting: ToWorker[] = [];
  let handle: ((message: ToWorker) => void) | null = null;
  port.on('message', (message: ToWorker) => {
    if (handle === null) waiting.push(message);
    else handle(message);
  });
  const start = async (): Promise<void> => {
    const review = await createReview();
    handle = createEngine(review, { post, later: (next) => setImmediate(next), now: () => performance.now(), workspace, told: kept === null ? null : createTold(review, workspace, kept) });
    post({ kind: 'ready' });
    for (const message of waiting.splice(0)) handle(message);
  };
  start().catch((error: unknown) => {
    setImmediate(() => {
      throw error;
    });
  });
}
