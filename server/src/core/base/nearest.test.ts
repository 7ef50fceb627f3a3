import assert from 'node:assert/strict';
import { editDistance, nearest } from './nearest.ts';

describe('nearest', () => {
  it('counts insertions, deletions, replacements and swaps as one edit each', () => {
    const cases: [string, string, number][] = [['', 'abc', 3], ['clear', 'clears', 1], ['gaurd', 'guard', 1], ['ist', 'isf', 1], ['kitten', 'sitting', 3]];
    for (const [from, to, distance] of cases) {
      assert.equal(editDistance(from, to), distance, `${from} -> ${to}`);
      assert.equal(editDistance(to, from), distance, `${to} -> ${from}`);
    }
  });

  it('suggests a near word and stays silent about a far one', () => {
    assert.equal(nearest('gaurd', ['handler', 'guard']), 'guard');
    assert.equal(nearest('VMEXIT', ['vmexit', 'df']), 'vmexit');
    assert.equal(nearest('frobnicate', ['handler', 'guard']), null);
    assert.equal(nearest('', ['a-long-word']), null);
  });
});
