// Time as the server's parts see it, so that tests can hold it still.

export interface Clock {
  readonly now: () => number;
  /** Calls back after some milliseconds; the result cancels. */
  readonly after: (milliseconds: number, next: () => void) => () => void;
}

export const wallClock: Clock = {
  now: () => performance.now(),
  after: (milliseconds, next) => {
    const timer = setTimeout(next, milliseconds);
    return () => clearTimeout(timer);
  },
};
