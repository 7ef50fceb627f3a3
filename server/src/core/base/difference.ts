// What is between the longest beginning and the longest end that two texts have in common.

export interface Difference {
  readonly start: number;
  /** Where it ends in the text before, and in the one behind. */
  readonly oldEnd: number;
  readonly newEnd: number;
}

/** Compared at once where texts are alike, which is nearly everywhere. */
const BLOCK = 4096;

export function difference(before: string, after: string): Difference {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start + BLOCK <= most && before.slice(start, start + BLOCK) === after.slice(start, start + BLOCK)) start += BLOCK;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  const longest = most - start;
  let same = 0;
  while (same + BLOCK <= longest && before.slice(before.length - same - BLOCK, before.length - same) === after.slice(after.length - same - BLOCK, after.length - same)) same += BLOCK;
  while (same < longest && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)) same += 1;
  return { start, oldEnd: before.length - same, newEnd: after.length - same };
}
