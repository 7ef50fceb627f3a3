import assert from 'node:assert/strict';
import { changesOf } from './series.ts';

const entry = (line: string, count = 1) => ({ rule: 'r', path: 'a.c', symbol: null, line, message: 'm', count }) as const;
/** The changes of one entry that is there so many times in each state: `brought-taken`. */
const spans = (...counts: readonly number[]): readonly string[] => changesOf(counts.map((count) => (count === 0 ? [] : [entry('x', count)]))).map(({ broughtBy, takenAwayBy }) => `${broughtBy ?? ''}-${takenAwayBy ?? ''}`);

describe('a series', () => {
  it('brings what is there in the end and not before, by the patch since which it stays', () => {
    assert.deepEqual(spans(0, 0, 1, 1), ['2-']);
    assert.deepEqual(spans(0, 1, 0, 1), ['1-2', '3-']);
  });

  it('takes away what is there before and not in the end', () => {
    assert.deepEqual(spans(1, 1, 0), ['-2']);
    assert.deepEqual(spans(1, 0, 1, 0), ['-1', '2-3']);
  });

  it('tells of what is there for a while', () => assert.deepEqual(spans(0, 0, 1, 1, 0, 0), ['2-4']));

  it('says nothing of what is there before and in the end', () => {
    assert.deepEqual(spans(1, 1, 1), []);
    assert.deepEqual(spans(1, 0, 1), []);
    assert.deepEqual(spans(0, 0), []);
  });

  it('counts findings of the same text one by one', () => {
    assert.deepEqual(spans(1, 2, 3), ['1-', '2-']);
    assert.deepEqual(spans(2, 3, 1), ['-2', '1-2']);
  });

  it('keeps findings of other lines apart', () => {
    assert.deepEqual(changesOf([[entry('x')], [entry('y')]]).map(({ entry: { line }, broughtBy, takenAwayBy }) => [line, broughtBy, takenAwayBy]), [['x', null, 1], ['y', 1, null]]);
  });
});
