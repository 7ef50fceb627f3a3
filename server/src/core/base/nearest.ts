// The word a misspelt one was probably meant to be, by edit distance. Knows no vocabulary of its own.

/** Number of insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}

/** The nearest candidate, or null where none is near enough to be worth a suggestion: a third of the word, at least one
 * edit. Case does not count; the earlier of two equally near candidates wins. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > 80) return null;
  const lower = word.toLowerCase();
  const limit = Math.max(1, Math.floor(Math.max(word.length, 3) / 3));
  let found: string | null = null;
  let best = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= best) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}
