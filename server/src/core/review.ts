// The one API of the language server, the command line, the worker and the tests: files in, findings, contexts and
// verdicts out. Knows nothing of protocols, disks or clocks.
import type { Review, Workspace } from './review-types.ts';
import type { Configuration } from './preprocess/stream.ts';

/** The three WASM files that the parsers need, as bytes. */
export interface GrammarBytes {
  readonly core: Uint8Array;
  readonly gas: Uint8Array;
  readonly c: Uint8Array;
}

/** Creates the review. Loading the grammars is the only asynchronous part of the core. */
export async function createReview(_grammars: GrammarBytes, _workspace: Workspace, _configuration: Configuration): Promise<Review> {
  throw new Error('the review is not linked yet');
}
