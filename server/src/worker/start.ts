// The worker as a thread of Node: starts it, and its port as the engine sees it.
import { Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './messages.ts';
import type { StartWorker } from './owner.ts';
import type { EnginePort } from './thread.ts';

/**
 * Of MiB: what is explored makes many short-lived states, and a heap that may hold more of them before it looks holds more
 * of everything.
 */
const YOUNG_GENERATION = 12;

/** `script` is the worker's bundle. Its output goes to standard error: standard output may be the protocol's. */
export function startThread(script: string): StartWorker {
  return (events) => {
    const worker = new Worker(script, { stdout: true, stderr: true, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION } });
    worker.stdout.pipe(process.stderr);
    worker.stderr.pipe(process.stderr);
    let reason = 'the thread ended';
    worker.on('message', (message: FromWorker) => events.message(message));
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => events.gone(reason));
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => {
        void worker.terminate();
      },
    };
  };
}

/** Of the thread that runs this. */
export function threadPort(port: MessagePort): EnginePort {
  return {
    post: (message) => port.postMessage(message),
    listen: (receive) => void port.on('message', (message: ToWorker) => receive(message)),
  };
}
