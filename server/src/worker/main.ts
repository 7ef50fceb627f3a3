// Start of the worker thread: its own review, fed by the server's messages. Messages that arrive while the grammars
// load wait in order.
import { readlinkSync } from 'node:fs';
import { homedir, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { cacheFolder } from '../shell/cache-folder.ts';
import { grammarFiles, loadGrammars } from '../shell/grammars.ts';
import { createKept } from '../shell/kept.ts';
import { createWorkspace } from './disk.ts';
import { threadPort } from './start.ts';
import { serveEngine } from './thread.ts';
import { createTold } from './told.ts';

/** Where cores are scarce, what somebody waits for in the server's thread goes first. */
const background = 5;

if (parentPort !== null) {
  yieldToOthers();
  const workspace = createWorkspace();
  const review = async (): Promise<Review> => createReview(loadGrammars(__dirname), workspace, null);
  const folder = cacheFolder(process.env, process.platform, homedir());
  const kept = folder === null ? null : createKept(folder, [__filename, ...grammarFiles(__dirname)]);
  serveEngine(threadPort(parentPort), review, workspace, kept === null ? null : (made) => createTold(made, workspace, kept));
}

/** Linux gives each thread a priority of its own; elsewhere the scheduler is left alone. */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    if (thread > 0 && thread !== process.pid) setPriority(thread, background);
  } catch {
    // Without /proc it stays as it is.
  }
}
