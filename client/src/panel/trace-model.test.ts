// What the trace page shows, from runs and choices.
import assert from 'node:assert/strict';
import { neighbour, placeText, rowOfStep, rowsOf, shownSteps, stepAtLine, summary, verdictText, worth } from './trace-model.ts';
import type { TraceView, ViewStep } from '../../../server/src/lsp/protocol.ts';

const step = (title: string, line: number, changed: ViewStep['changed'] = []): ViewStep => ({
  title,
  at: { uri: 'file:///w/a%20b.c', startLine: line, startCharacter: 0, endLine: line, endCharacter: 3 },
  symbol: 'exc_ve',
  lane: ['task', 'VE'],
  changed,
  merged: 1,
});

const flag = [{ field: 'IF', from: '1', to: '0' }];
const view: TraceView = {
  title: 'd: s from user',
  rule: null,
  message: null,
  design: 'd',
  scenario: 's',
  start: 'user',
  verdict: 'inconclusive',
  states: 12,
  transitions: 20,
  depth: 3,
  variant: [],
  bounds: ['NMI at most 1', 'nesting at most 6'],
  boundsHit: ['nesting at most 6'],
  beyond: [],
  assumptions: [],
  remarks: [],
  steps: [step('begins', 1), step('runs', 2), step('NMI delivered', 5, flag), step('runs on', 2), step('ends', 9)],
  text: '',
};
const all = { filter: '', onlyChanges: false };
const titles = (choices: typeof all): readonly string[] => rowsOf(view, choices).map((row) => (row.kind === 'step' ? row.step.title : `${row.count} hidden`));

describe('trace page', () => {
  it('shows every step without a filter', () => assert.deepEqual(titles(all), ['begins', 'runs', 'NMI delivered', 'runs on', 'ends']));
  it('keeps both ends and what changes something', () => assert.deepEqual(titles({ ...all, onlyChanges: true }), ['begins', '1 hidden', 'NMI delivered', '1 hidden', 'ends']));
  it('filters by all words, in titles, places, lanes and changes', () => {
    assert.deepEqual(titles({ ...all, filter: 'if nmi' }), ['2 hidden', 'NMI delivered', '2 hidden']);
    assert.deepEqual(titles({ ...all, filter: 'b.c:3' }), ['1 hidden', 'runs', '1 hidden', 'runs on', '1 hidden']);
    assert.deepEqual(titles({ ...all, filter: 'nowhere' }), ['5 hidden']);
  });
  it('moves over shown steps only and stops at the ends', () => {
    const shown = shownSteps(rowsOf(view, { ...all, onlyChanges: true }));
    assert.equal(neighbour(shown, 0, 1), 2);
    assert.equal(neighbour(shown, 2, -1), 0);
    assert.equal(neighbour(shown, 4, 10), 4);
    assert.equal(neighbour([], 3, 1), 3);
  });
  it('moves from a step that is not shown as from the next one that is', () => {
    const shown = shownSteps(rowsOf(view, { ...all, onlyChanges: true }));
    assert.equal(neighbour(shown, 1, 1), 4);
    assert.equal(neighbour(shown, 3, -1), 2);
  });
  it('knows the row of a step', () => {
    const shown = shownSteps(rowsOf(view, { ...all, onlyChanges: true }));
    assert.deepEqual([0, 1, 2, 3, 4].map((index) => rowOfStep(shown, index)), [0, null, 2, null, 4]);
  });
  it('follows the cursor to the next step of the line and stays where it stands', () => {
    const uri = 'file:///w/a%20b.c';
    assert.equal(stepAtLine(view, 0, uri, 2), 1);
    assert.equal(stepAtLine(view, 2, uri, 2), 3);
    assert.equal(stepAtLine(view, 3, uri, 2), 3);
    assert.equal(stepAtLine(view, 0, uri, 40), null);
    assert.equal(stepAtLine(view, 0, 'file:///w/other.c', 2), null);
  });
  it('counts verdicts, worst first', () => {
    assert.equal(summary([{ ...view, verdict: 'holds' }, view, { ...view, verdict: 'violated' }, { ...view, verdict: 'holds' }]), '4 runs: 1 violated, 1 inconclusive, 2 holds');
    assert.equal(summary([{ ...view, verdict: null }, { ...view, verdict: null }]), '2 traces');
  });
  it('names places by file and line', () => assert.equal(placeText(step('', 11)), 'a b.c:12'));
  it('says in words what a verdict is worth, the bound that was hit first', () => {
    assert.equal(verdictText(view), '? inconclusive');
    assert.deepEqual(worth(view), [
      { name: 'Explored', facts: ['12 states, 20 transitions, depth 3'] },
      { name: 'Bounds hit', facts: ['nesting at most 6'] },
      { name: 'Bounds', facts: ['NMI at most 1, nesting at most 6'] },
    ]);
  });
});
