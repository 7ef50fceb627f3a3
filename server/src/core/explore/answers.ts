// Answers that depend on few pieces of what is asked about, kept by the values of those pieces: an answer that was made
// once is found for every subject that is equal in what its making looked at. Knows neither pieces nor subjects.

export interface Made<T, P> {
  readonly answer: T;
  /** What was looked at, in that order; equal values so far lead to the same next piece. */
  readonly reads: readonly P[];
}

export interface Answers<T, P, S> {
  /** The answer to a question, a small number, about a subject: found, or made. */
  readonly of: (question: number, subject: S, make: () => Made<T, P>) => T;
  /** Answers that were made. */
  readonly made: () => number;
}

/** What to look at next, and where its value leads; or the answer. */
interface Asking<T, P> {
  piece: P | null;
  /** The value that came last: most often it comes again. */
  lastValue: number;
  last: Asking<T, P> | null;
  /** Null up to the second value: most pieces only ever have one. */
  next: Map<number, Asking<T, P>> | null;
  answer: { readonly of: T } | null;
}

/** `valueOf`: equal values of one piece have the same number. */
export function createAnswersBy<T, P, S>(valueOf: (piece: P, subject: S) => number): Answers<T, P, S> {
  const roots: (Asking<T, P> | undefined)[] = [];
  let made = 0;
  const newAsking = (): Asking<T, P> => ({ piece: null, lastValue: 0, last: null, next: null, answer: null });

  function following(from: Asking<T, P>, value: number): Asking<T, P> | undefined {
    return from.last !== null && from.lastValue === value ? from.last : from.next?.get(value);
  }

  function leadTo(from: Asking<T, P>, value: number): Asking<T, P> {
    const next = newAsking();
    if (from.last === null) {
      from.last = next;
      from.lastValue = value;
      return next;
    }
    from.next ??= new Map([[from.lastValue, from.last]]);
    from.next.set(value, next);
    return next;
  }

  function learn(root: Asking<T, P>, subject: S, make: () => Made<T, P>): T {
    made += 1;
    const { answer, reads } = make();
    let at = root;
    for (const piece of reads) {
      at.piece ??= piece;
      const value = valueOf(at.piece, subject);
      at = following(at, value) ?? leadTo(at, value);
    }
    at.answer = { of: answer };
    return answer;
  }

  return {
    of: (question, subject, make) => {
      const root = (roots[question] ??= newAsking());
      let at = root;
      while (at.piece !== null) {
        const value = valueOf(at.piece, subject);
        if (at.last === null || at.lastValue !== value) {
          const next = at.next?.get(value);
          if (next === undefined) return learn(root, subject, make);
          at.last = next;
          at.lastValue = value;
        }
        at = at.last;
      }
      return at.answer === null ? learn(root, subject, make) : at.answer.of;
    },
    made: () => made,
  };
}
