// Text that something was said of: a set of spans that is asked whether another touches one of them.
import { firstWhere } from '../base/first.ts';
import type { Span } from '../base/span.ts';

export interface Covered {
  readonly touches: (span: Span) => boolean;
  readonly add: (span: Span) => void;
}

/** Spans that touch each other are kept as one, in text order. */
export function createCovered(): Covered {
  const spans: Span[] = [];

  /** Index of the first that ends at an offset or behind it. */
  const firstEndingFrom = (offset: number): number => firstWhere(spans, ({ end }) => end >= offset);

  return {
    touches: ({ start, end }) => {
      const next = spans[firstEndingFrom(start)];
      return next !== undefined && next.start <= end;
    },
    add: (span) => {
      const at = firstEndingFrom(span.start);
      let behind = at;
      while ((spans[behind]?.start ?? Number.POSITIVE_INFINITY) <= span.end) behind += 1;
      const joined = spans.slice(at, behind);
      spans.splice(at, behind - at, { start: Math.min(span.start, joined[0]?.start ?? span.start), end: Math.max(span.end, joined.at(-1)?.end ?? span.end) });
    },
  };
}
