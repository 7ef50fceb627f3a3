import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRows } from './rows.ts';
import type { Numbered } from './rows.ts';

const objects: readonly Numbered[] = Array.from({ length: 6 }, (_, id) => ({ id: id * 7919 }));
const cell = fc.option(fc.constantFrom(...objects), { nil: undefined });

describe('rows', () => {
  it('are what was put in them, and equal rows are one number however they were made', () => {
    const rows = createRows<Numbered>();
    const known = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 9 }), fc.array(fc.tuple(fc.nat(11), fc.constantFrom(...objects)), { maxLength: 12 }), (first, writes) => {
        const row = [...first];
        let id = rows.idOf(first);
        for (const [place, value] of writes) {
          while (row.length < place) row.push(undefined);
          row[place] = value;
          id = rows.with(id, place, value);
          assert.equal(id, rows.idOf(row));
          assert.deepEqual([...rows.at(id)], row);
          const key = `${row.length}:${row.map((one) => one?.id ?? '').join()}`;
          assert.equal(known.get(key) ?? id, id);
          known.set(key, id);
        }
      }),
      { numRuns: 400 },
    );
    assert.equal(new Set(known.values()).size, known.size);
  });

  it('stay what they are across their growth', () => {
    const rows = createRows<Numbered>();
    const many = Array.from({ length: 5_000 }, (_, id) => ({ id }));
    const ids = many.map((one) => rows.idOf([one, undefined]));
    assert.equal(rows.size(), many.length);
    many.forEach((one, at) => {
      assert.equal(rows.idOf([one, undefined]), ids[at]);
      assert.notEqual(rows.idOf([one]), ids[at]);
    });
  });
});
