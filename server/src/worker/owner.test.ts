// The owner of the worker: what it does when a thread dies, hangs, or is asked for things that are no longer wanted.
import assert from 'node:assert/strict';
import type { FromWorker, ToWorker } from './messages.ts';
import { createOwner } from './owner.ts';
import type { WorkerEvents } from './owner.ts';

interface Started {
  readonly told: ToWorker[];
  readonly events: WorkerEvents;
  ended: boolean;
}

/** An owner whose threads do nothing but remember; the test plays their part. */
function owned(patience: number) {
  const threads: Started[] = [];
  const owner = createOwner({
    start: (events) => {
      const started: Started = { told: [], events, ended: false };
      threads.push(started);
      return {
        post: (message) => void started.told.push(message),
        terminate: () => {
          started.ended = true;
        },
      };
    },
    snapshot: () => [{ kind: 'set', file: '/a.S', text: 'now' }],
    log: () => undefined,
    wanted: () => undefined,
    patience,
  });
  const submit = () => owner.submit({ kind: 'explore', folder: '/a' }, true, { progress: () => undefined, partial: () => undefined });
  const jobs = (at: number): readonly number[] => threads[at]?.told.flatMap((message) => (message.kind === 'job' ? [message.id] : [])) ?? [];
  return { owner, threads, submit, jobs };
}

const nothing = { reports: [], findings: [], milliseconds: 1, entries: true, stopped: null };
const result = (id: number): FromWorker => ({ kind: 'result', id, result: nothing });

describe('owner of the worker', () => {
  it('starts a thread with the first job and tells it what is open first', () => {
    const { owner, threads, submit } = owned(1000);
    assert.equal(threads.length, 0);
    void submit();
    assert.deepEqual(threads[0]?.told.map(({ kind }) => kind), ['set', 'job']);
    owner.stop();
    assert.ok(threads[0]?.ended);
  });

  it('gives the jobs of a dead thread to a new one, once a revision', async () => {
    const { owner, threads, submit, jobs } = owned(1000);
    const first = submit();
    threads[0]?.events.gone('out of memory');
    assert.deepEqual(jobs(1), jobs(0));
    threads[1]?.events.gone('out of memory');
    assert.deepEqual(await first.outcome, { kind: 'failed', message: 'out of memory' });
    owner.tell({ kind: 'set', file: '/a.S', text: 'another revision' });
    const second = submit();
    threads[2]?.events.gone('out of memory');
    threads[3]?.events.message(result(2));
    assert.deepEqual(await second.outcome, { kind: 'result', result: nothing });
    owner.stop();
  });

  it('takes a thread that says nothing for dead', async () => {
    const { owner, threads, submit } = owned(20);
    const { outcome } = submit();
    assert.deepEqual(await outcome, { kind: 'failed', message: 'no answer for 0.02 seconds' });
    assert.deepEqual(threads.map(({ ended }) => ended), [true, true]);
    owner.stop();
  });

  it('hears nothing of a thread that it has given up', async () => {
    const { owner, threads, submit } = owned(1000);
    const { outcome } = submit();
    threads[0]?.events.gone('it ended');
    threads[0]?.events.message({ kind: 'failed', id: 1, message: 'late' });
    threads[0]?.events.gone('it ended again');
    threads[1]?.events.message(result(1));
    assert.equal((await outcome).kind, 'result');
    owner.stop();
  });

  it('cancels at once and tells the thread', async () => {
    const { owner, threads, submit } = owned(1000);
    const { outcome, cancel } = submit();
    cancel();
    cancel();
    assert.deepEqual(await outcome, { kind: 'cancelled' });
    assert.deepEqual(threads[0]?.told.at(-1), { kind: 'cancel', id: 1 });
    owner.stop();
  });
});
