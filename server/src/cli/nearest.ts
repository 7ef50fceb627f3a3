// "Did you mean": the name that a misspelt or shortened one stands for. Knows no names itself.
import { nearest } from '../core/base/nearest.ts';

/** `; did you mean 'x'?` where a candidate is near or holds the word, else nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const name = nearest(word, candidates) ?? (word.length < 3 ? null : (candidates.find((candidate) => candidate.toLowerCase().includes(word.toLowerCase())) ?? null));
  return name === null ? '' : `; did you mean '${name}'?`;
}
