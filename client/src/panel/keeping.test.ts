// A state is kept when choices rest, so that a held key does not copy a long trace at each step.
import assert from 'node:assert/strict';
import { createKeeping } from './keeping.ts';

describe('what a page keeps', () => {
  const kept: number[] = [];
  const timers = new Map<number, () => void>();
  let begun = 0;
  const keeping = createKeeping<number>((state) => void kept.push(state), (_, next) => {
    const id = (begun += 1);
    timers.set(id, next);
    return () => void timers.delete(id);
  });
  const rest = (): void => {
    const [timer] = timers.values();
    timers.clear();
    timer?.();
  };

  beforeEach(() => {
    rest();
    kept.length = 0;
  });

  it('is the last of ten thousand states, once', () => {
    for (let state = 0; state < 10_000; state += 1) keeping.soon(state);
    assert.equal(timers.size, 1);
    assert.deepEqual(kept, []);
    rest();
    assert.deepEqual(kept, [9_999]);
  });
  it('is there at once when it must be, and not again', () => {
    keeping.soon(1);
    keeping.now();
    assert.deepEqual(kept, [1]);
    assert.equal(timers.size, 0);
    keeping.now();
    assert.deepEqual(kept, [1]);
  });
});
