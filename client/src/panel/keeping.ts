// Keeps the latest of states that follow each other quickly: a state may be long, and keeping it copies all of it.

export interface Keeping<T> {
  /** Once nothing else came for a while. */
  readonly soon: (state: T) => void;
  /** What waits to be kept. */
  readonly now: () => void;
}

/** Milliseconds. */
const REST = 300;

/** `after` calls back after some milliseconds; its result cancels. */
export function createKeeping<T>(keep: (state: T) => void, after: (milliseconds: number, next: () => void) => () => void): Keeping<T> {
  let waiting: { readonly state: T; readonly cancel: () => void } | null = null;

  function now(): void {
    const last = waiting;
    waiting = null;
    last?.cancel();
    if (last !== null) keep(last.state);
  }

  return {
    soon: (state) => {
      waiting?.cancel();
      waiting = { state, cancel: after(REST, now) };
    },
    now,
  };
}
