import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createLists, createPairs } from './pairs.ts';

describe('pairs', () => {
  it('equal pairs are one number, others are not, across their growth', () => {
    const pairs = createPairs();
    const known = new Map<string, number>();
    for (let at = 0; at < 20_000; at += 1) {
      const [left, right] = [(at * 7919) % 997, (at * 104_729) % 1_009];
      const key = `${left},${right}`;
      const id = pairs.idOf(left, right);
      assert.equal(known.get(key) ?? id, id);
      known.set(key, id);
      assert.deepEqual([pairs.left(id), pairs.right(id)], [left, right]);
    }
    assert.equal(pairs.size(), known.size);
    assert.equal(new Set(known.values()).size, known.size);
  });
});

describe('lists of numbers', () => {
  it('are what was put in them, and equal lists are one number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 17 }), fc.array(fc.tuple(fc.nat(16), fc.nat(5)), { maxLength: 40 }), (length, writes) => {
        const lists = createLists(length);
        const values = Array.from({ length }, () => 0);
        let list = lists.idOf(values);
        for (const [place, value] of writes) {
          values[place % length] = value;
          list = lists.with(list, place % length, value);
          assert.equal(list, lists.idOf(values));
          assert.deepEqual(values.map((_, at) => lists.at(list, at)), values);
        }
      }),
    );
  });
});
