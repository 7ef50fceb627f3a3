// What hovers would wait for is made while nothing else happens, a few milliseconds at a time: a file that was just opened
// is read and some of its words are looked up; then the contexts of designs are explored.
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

/** Words looked up of a file: what they need of it is made for the first of each kind. */
const mostWords = 12;

export function createWarming(review: Review, documents: () => readonly OpenDocument[], clock: Clock, attempt: Attempt): Warming {
  let cancel: (() => void) | null = null;
  /** Offsets of words of each file that are still to be looked up. */
  const words = new Map<string, number[]>();

  function stop(): void {
    cancel?.();
    cancel = null;
  }

  /** False where there was none left. */
  function lookUpOne(): boolean {
    const shown = documents().filter((document) => document.refusal === null);
    for (const file of words.keys()) if (!shown.some((document) => document.file === file)) words.delete(file);
    for (const { file, text } of shown) {
      const left = words.get(file) ?? firstWords(text);
      words.set(file, left);
      const offset = left.pop();
      if (offset === undefined) continue;
      if (offset < text.length) attempt(`a word of ${file}`, () => review.hover(file, offset), null);
      return true;
    }
    return false;
  }

  function start(): void {
    stop();
    if (lookUpOne()) {
      cancel = clock.after(0, start);
      return;
    }
    const left = documents().filter((document) => document.refusal === null && !review.inKernelTree(document.file) && !attempt(`contexts of ${document.file}`, () => review.prepareContexts(document.file, statesAtOnce), true));
    if (left.length > 0) cancel = clock.after(0, start);
  }

  return { start, stop };
}

/** Where different words first begin a line of code. */
function firstWords(text: string): number[] {
  const offsets = new Map<string, number>();
  for (const found of text.matchAll(/^[ \t]+([A-Za-z_]\w+)/gm)) {
    const word = found[1] ?? '';
    if (!offsets.has(word)) offsets.set(word, found.index + found[0].length - 1);
    if (offsets.size === mostWords) break;
  }
  return [...offsets.values()];
}
