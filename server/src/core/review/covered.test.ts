import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Span } from '../base/span.ts';
import { createCovered } from './covered.ts';

describe('text that something was said of', () => {
  it('is touched by what touches one of its spans, and by nothing else', () => {
    const span = fc.tuple(fc.nat(60), fc.nat(6)).map(([start, length]): Span => ({ start, end: start + length }));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 20 }), span, (spans, asked) => {
        const covered = createCovered();
        for (const one of spans) covered.add(one);
        assert.equal(covered.touches(asked), spans.some((one) => one.start <= asked.end && asked.start <= one.end));
      }),
      { seed: 3 },
    );
  });
});
