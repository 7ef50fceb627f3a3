// The first message to a worker of the browser, which says what it is to be.
import type { GrammarBytes } from '../core/review.ts';

export interface BrowserStart {
  readonly role: 'server' | 'worker';
  /** Where the one script of both lies, for a worker of the worker. */
  readonly script: string;
  readonly grammars: GrammarBytes;
}
