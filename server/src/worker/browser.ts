// The exploration worker in a browser: a worker of the server's worker, or where that is refused the server's own thread,
// in slices. Nothing is kept of what was explored.
import { createReview } from '../core/review.ts';
import type { GrammarBytes } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { createHostFiles } from './host-files.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { StartWorker, WorkerEvents, WorkerThread } from './owner.ts';
import { serveEngine } from './thread.ts';
import type { EnginePort } from './thread.ts';

/** The part of a browser's Worker that is used. */
export interface BrowserWorker {
  onmessage: ((event: { readonly data: FromWorker }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  readonly postMessage: (message: unknown) => void;
  readonly terminate: () => void;
}

/** In a browser everything is read by the editor, but what is saved nowhere. */
export function isRead(path: string): boolean {
  return /^(?:\/|[a-z][a-z0-9+.-]*:\/)/i.test(path) && !path.startsWith('untitled:');
}

export function exploreFor(port: EnginePort, grammars: GrammarBytes): void {
  const workspace = createHostFiles(isRead);
  serveEngine(port, async (): Promise<Review> => createReview(grammars, workspace, null), workspace, null);
}

/** `make` starts a worker and tells it its role; it may throw, or fail before it says that it is ready. */
export function startBrowserWorker(make: () => BrowserWorker, grammars: GrammarBytes, refused: (why: string) => void): StartWorker {
  let inOwnThread = false;
  return (events) => {
    if (inOwnThread) return startHere(events, grammars);
    const toldBefore: ToWorker[] = [];
    let ready = false;
    let ended = false;
    let thread: WorkerThread | null = null;

    function fallBack(why: string): WorkerThread {
      refused(why);
      inOwnThread = true;
      const here = startHere(events, grammars);
      for (const message of toldBefore.splice(0)) here.post(message);
      return here;
    }

    try {
      const worker = make();
      worker.onmessage = ({ data }) => {
        ready = true;
        toldBefore.length = 0;
        events.message(data);
      };
      worker.onerror = ({ message }) => {
        if (ended) return;
        const why = message ?? 'no reason is given';
        if (ready) events.gone(why);
        else {
          worker.terminate();
          thread = fallBack(why);
        }
      };
      thread = { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() };
    } catch (error) {
      thread = fallBack(error instanceof Error ? error.message : String(error));
    }
    return {
      post: (message) => {
        if (!ready && !inOwnThread) toldBefore.push(message);
        thread?.post(message);
      },
      terminate: () => {
        ended = true;
        thread?.terminate();
      },
    };
  };
}

function startHere(events: WorkerEvents, grammars: GrammarBytes): WorkerThread {
  let receive: ((message: ToWorker) => void) | null = null;
  let ended = false;
  const later = (work: () => void): void => void setImmediate(() => {
    if (!ended) work();
  });
  exploreFor({ post: (message) => later(() => events.message(message)), listen: (next) => (receive = next) }, grammars);
  return {
    post: (message) => later(() => {
      try {
        receive?.(message);
      } catch (error) {
        ended = true;
        events.gone(error instanceof Error ? error.message : String(error));
      }
    }),
    terminate: () => {
      ended = true;
    },
  };
}
