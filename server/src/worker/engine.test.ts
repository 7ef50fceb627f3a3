// The worker's engine without a thread: the order of jobs, what an edit does to them, what is sent.
import assert from 'node:assert/strict';
import { createWordReview, longRun } from '../lsp/word-review.ts';
import type { Exploration, Review } from '../core/review-types.ts';
import { design, open } from '../testing/review.ts';
import { createEngine, statesPerSlice } from './engine.ts';
import { withSteps } from './keys.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const nowhere = { read: () => null, list: () => [] };
const file = '/w/design/entry.S';
const job = (id: number, background: boolean): ToWorker => ({ kind: 'job', id, job: { kind: 'explore', folder: '/w/design' }, background });
const set = (text: string): ToWorker => ({ kind: 'set', file, text });

/** An engine whose slices run only when told to, on a clock of 60 ms a slice. */
function engine(given: Review | null = null) {
  const posted: FromWorker[] = [];
  const waiting: (() => void)[] = [];
  let clock = 0;
  const review = given ?? createWordReview({ workspace: nowhere, mortal: false });
  const tell = createEngine(review, { post: (message) => void posted.push(message), later: (next) => void waiting.push(next), now: () => (clock += 20), workspace: { give: () => undefined, forget: () => undefined }, told: null });
  const slice = (): void => waiting.shift()?.();
  return { posted, tell, slice, idle: () => waiting.length === 0, kinds: () => posted.map((message) => `${message.kind} ${'id' in message ? message.id : ''}`) };
}

describe('exploration worker', () => {
  it('finds what the review in one thread finds, with the same verdicts, states and replay keys', async () => {
    const files = design('apf-flags-word');
    const { review, folder, path } = await open(files, 'apf-flags-word');
    const alone = review.explore(folder);
    while (!alone.run(1_000_000).done) continue;
    const expected = { findings: review.findings(folder, alone.reports()), reports: alone.reports() };

    const { posted, tell, slice, idle } = engine(review);
    for (const [name, text] of files) tell({ kind: 'set', file: path(name), text });
    tell({ kind: 'job', id: 1, job: { kind: 'explore', folder }, background: true });
    while (!idle()) slice();
    const last = posted.at(-1);
    assert.equal(last?.kind, 'result');
    assert.deepEqual(
      last.result.reports.map((report) => ({ ...report, findings: [], trace: report.trace?.choices ?? null })),
      expected.reports.map((report) => ({ ...report, findings: [], trace: report.trace?.choices ?? null })),
    );
    assert.deepEqual(
      last.result.findings.map(({ rule, place, message, trace }) => ({ rule, place, message, key: trace?.choices })),
      expected.findings.map(({ rule, place, message, trace }) => ({ rule, place, message, key: trace?.choices })),
    );
    review.release();
  });

  it('sends findings and reports whose traces are keys without steps', () => {
    const { posted, tell, slice } = engine();
    tell(set('xx ugly'));
    tell(job(1, true));
    slice();
    const [message] = posted;
    assert.equal(message?.kind, 'result');
    const { findings, reports } = message.result;
    for (const trace of [findings[0]?.trace, reports[0]?.trace, reports[0]?.findings[0]?.trace]) assert.deepEqual([trace?.choices, trace?.steps], [[3], []]);
  });

  it('the receiver makes the steps whole by replay', () => {
    const { posted, tell, slice } = engine();
    tell(set('xx ugly'));
    tell(job(1, true));
    slice();
    const [message] = posted;
    assert.equal(message?.kind, 'result');
    const [bare] = message.result.findings;
    assert.ok(bare);
    const own = createWordReview({ workspace: nowhere, mortal: false });
    own.setFile(file, 'xx ugly');
    assert.deepEqual(withSteps(own, '/w/design', bare).trace?.steps.map(({ title }) => title), ['the walk begins', 'the word is reached']);
  });

  it('runs what somebody waits for before the diagnostics', () => {
    const { tell, slice, kinds } = engine();
    tell(set('nop'));
    tell(job(1, true));
    tell(job(2, false));
    slice();
    slice();
    assert.deepEqual(kinds(), ['result 2', 'result 1']);
  });

  it('drops the diagnostics of an old text and keeps what somebody waits for', () => {
    const { tell, slice, kinds, idle } = engine();
    tell(set('slow'));
    tell(job(1, true));
    tell(job(2, false));
    slice();
    tell({ kind: 'edit', file, edits: [{ span: { start: 0, end: 4 }, newText: 'nop' }] });
    assert.deepEqual(kinds(), ['cancelled 1']);
    tell({ kind: 'cancel', id: 2 });
    slice();
    assert.ok(idle(), 'nothing runs on');
    assert.deepEqual(kinds(), ['cancelled 1', 'cancelled 2']);
  });

  it('tells progress and stops at the limit of states, named', () => {
    const { posted, tell, slice, idle } = engine();
    tell({ kind: 'limit', maxStates: 20 * statesPerSlice });
    tell(set('slow'));
    tell(job(1, true));
    while (!idle()) slice();
    assert.ok(posted.some((message) => message.kind === 'progress' && message.perSecond > 0 && message.progress.states < longRun));
    const last = posted.at(-1);
    assert.equal(last?.kind, 'result');
    assert.equal(last.result.stopped, 'stopped in walk after 40000 states, the limit of entrycheck.maxStates');
  });

  it('sends the findings of complete runs while others go on, once each, and only for the diagnostics', () => {
    const words = createWordReview({ workspace: nowhere, mortal: false });
    /** Runs one after the other, a slice each; the first one finds something. */
    const explore = (folder: string): Exploration => {
      const first = words.explore(folder);
      let slices = 0;
      return {
        run: (states) => {
          slices += 1;
          const progress = first.run(states);
          return { ...progress, scenario: `run ${slices}`, done: slices === 4 };
        },
        reports: () => first.reports(),
      };
    };
    const { tell, slice, kinds, idle } = engine({ ...words, explore });
    tell(set('ugly'));
    tell(job(1, true));
    while (!idle()) slice();
    assert.deepEqual(kinds().filter((kind) => !kind.startsWith('progress')), ['partial 1', 'result 1']);
    tell(job(2, false));
    while (!idle()) slice();
    assert.deepEqual(kinds().filter((kind) => kind.endsWith(' 2') && !kind.startsWith('progress')), ['result 2']);
  });

  it('says that there is no such scenario, and survives an exploration that throws', () => {
    const { tell, slice, kinds } = engine();
    tell(set('broken'));
    tell({ kind: 'job', id: 1, job: { kind: 'run', folder: '/w/design', scenario: 'stroll', beyond: true }, background: false });
    slice();
    tell(job(2, true));
    slice();
    tell(set('nop'));
    tell(job(3, true));
    slice();
    assert.deepEqual(kinds(), ['absent 1', 'failed 2', 'result 3']);
  });
});
