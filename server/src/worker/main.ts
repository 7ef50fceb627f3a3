// Start of the worker thread: its own review, fed by the server's messages. Messages that arrive while the grammars
// load wait in order.
import { parentPort } from 'node:worker_threads';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createWorkspace } from './disk.ts';
import { serveEngine } from './thread.ts';

if (parentPort !== null) {
  const workspace = createWorkspace();
  const review = async (): Promise<Review> => createReview(loadGrammars(__dirname), workspace, null);
  serveEngine(parentPort, review, workspace);
}
