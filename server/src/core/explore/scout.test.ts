// A look around comes soon to what lies deep, in any slices, and ends where it is told to.
import assert from 'node:assert/strict';
import type { Model } from './model.ts';
import { createScout } from './scout.ts';

/** A binary tree of so many levels, its nodes numbered from 1. */
function tree(levels: number, seen: number[]): Model<number> {
  return {
    width: 1,
    initial: () => [1],
    successors: (node) => {
      seen.push(node);
      return node < 1 << (levels - 1) ? [2 * node, 2 * node + 1].map((state) => ({ label: '', state, weight: 1 })) : [];
    },
    pack: (node, into, offset) => {
      into[offset] = node;
    },
  };
}

describe('a look around', () => {
  it('goes down first, and sees each state once', () => {
    const seen: number[] = [];
    const scout = createScout(tree(4, seen), () => false);
    assert.equal(scout.run(100), true);
    assert.deepEqual(seen.slice(0, 5), [1, 3, 7, 15, 14]);
    assert.deepEqual([...seen].sort((a, b) => a - b), Array.from({ length: 15 }, (_, index) => index + 1));
    assert.equal(scout.states(), 15);
  });

  it('is the same in any slices', () => {
    const whole: number[] = [];
    createScout(tree(5, whole), () => false).run(100);
    const sliced: number[] = [];
    const scout = createScout(tree(5, sliced), () => false);
    while (!scout.run(3));
    assert.deepEqual(sliced, whole);
  });

  it('ends where that is enough', () => {
    const seen: number[] = [];
    assert.equal(createScout(tree(8, seen), (states) => states > 6).run(100), true);
    assert.deepEqual(seen, [1, 3, 7]);
  });
});
