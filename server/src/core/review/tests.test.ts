import assert from 'node:assert/strict';
import type { Verdict } from '../rules/finding.ts';
import { outcomeOf } from './tests.ts';

describe('scenarios as tests', () => {
  const runs = (...verdicts: readonly Verdict[]): readonly { readonly verdict: Verdict; readonly start: string }[] => verdicts.map((verdict, index) => ({ verdict, start: ['user', 'kernel', 'gap'][index] ?? '' }));

  it('one that awaits that it holds passes where every run holds', () => {
    assert.deepEqual(outcomeOf('holds', runs('holds', 'holds')), { kind: 'passed', message: 'holds from user, kernel' });
  });

  it('a violation fails it, whatever else is open', () => {
    assert.deepEqual(outcomeOf('holds', runs('inconclusive', 'violated', 'vacuous')), { kind: 'failed', message: 'violated from kernel' });
  });

  it('a run in which what must be seen is not fails it', () => {
    assert.equal(outcomeOf('holds', runs('holds', 'vacuous')).kind, 'failed');
  });

  it('a run that came to a bound decides nothing', () => {
    assert.equal(outcomeOf('holds', runs('holds', 'inconclusive')).kind, 'undecided');
    assert.equal(outcomeOf('violated', runs('holds', 'inconclusive')).kind, 'undecided');
  });

  it('a known bug needs one start that shows it, and fails once none does', () => {
    assert.deepEqual(outcomeOf('violated', runs('holds', 'violated', 'inconclusive')), { kind: 'passed', message: 'violated from kernel, as awaited' });
    assert.deepEqual(outcomeOf('violated', runs('holds', 'vacuous')).kind, 'failed');
  });
});
