// How long the worker's part, and what is made ahead, wait after an edit. A pure function of past run times: the caller
// owns clock and timer.

export const shortestPause = 100;
export const longestPause = 2000;
/** Milliseconds after which whoever types has paused, so that what is made ahead keeps no keystroke waiting. */
export const idlePause = 250;
const remembered = 7;

/** Milliseconds to wait: the median of recent run times, between 100 ms and 2 s. */
export function pauseAfter(runTimes: readonly number[]): number {
  const sorted = [...runTimes].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return shortestPause;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return Math.min(longestPause, Math.max(shortestPause, median));
}

/** The run times to remember after one more run. */
export function rememberRun(runTimes: readonly number[], milliseconds: number): readonly number[] {
  return [...runTimes, milliseconds].slice(-remembered);
}

/** The same after one that an edit cut off: it would have taken longer, which is news where it took longer than one waits. */
export function rememberCut(runTimes: readonly number[], milliseconds: number): readonly number[] {
  return milliseconds > pauseAfter(runTimes) ? rememberRun(runTimes, milliseconds) : runTimes;
}
