// What happens to questions, answers and remembered contexts while the worker is behind by edits of comments.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ContextInfo, Finding, TextEdit } from '../core/review-types.ts';
import type { Answer, Job, Question, ToWorker } from '../worker/messages.ts';
import type { JobOutcome, WorkerOwner } from '../worker/owner.ts';
import { createBehind } from './behind.ts';
import { openDocument } from './documents.ts';
import { createKernelContexts } from './kernel-contexts.ts';
import { createKnownContexts } from './known-contexts.ts';
import { moveAcross, movedSpan, offsetBefore } from './moves.ts';

const file = '/w/entry.S';
const edit = (start: number, end: number, newText: string): TextEdit => ({ span: { start, end }, newText });
const applied = (text: string, edits: readonly TextEdit[]): string => edits.reduce((now, { span, newText }) => now.slice(0, span.start) + newText + now.slice(span.end), text);

/** An owner that remembers; the test plays the worker. */
function owned() {
  const told: ToWorker[] = [];
  const jobs: { readonly job: Job; readonly settle: (outcome: JobOutcome) => void; readonly partial: (findings: readonly Finding[]) => void }[] = [];
  const owner: WorkerOwner = {
    tell: (message) => void told.push(message),
    submit: (job, _background, listener) => {
      let settle: (outcome: JobOutcome) => void = () => undefined;
      const outcome = new Promise<JobOutcome>((resolve) => (settle = resolve));
      jobs.push({ job, settle, partial: listener.partial });
      return { outcome, cancel: () => settle({ kind: 'cancelled' }) };
    },
    stop: () => undefined,
  };
  const behind = createBehind(owner);
  const ask = (question: Question): Promise<JobOutcome> => behind.submit(question, false, { progress: () => undefined, partial: () => undefined }).outcome;
  return { told, jobs, behind, ask };
}

function info(start: number, end: number): ContextInfo {
  const place = { file, span: { start, end } };
  const row = { path: 'user mode', stack: 'task', rewinding: false, cpl: 0, gs: 'user', cr3: 'user', interruptFlag: '0', nmiBlocked: 'no', liveFrames: [], guards: [], interrupters: [], way: [{ place, title: 'here' }] };
  return { symbol: 'entry', text: 'nop', place, rows: [row], unknown: [], silence: null };
}

const answered = (answer: Answer): JobOutcome => ({ kind: 'answer', answer });
const known = (start: number, end: number, finished = true): Answer => ({ kind: 'context', known: { info: info(start, end), span: { start, end }, finished } });
const contextAt = (offset: number): Question => ({ kind: 'context', folder: '', file, offset });

describe('the worker behind edits of comments', () => {
  it('is not told of them until code is edited, and then of all in order', () => {
    const { told, behind } = owned();
    behind.keepBack(file, '/* a */ nop', [edit(3, 3, 'b')]);
    behind.keepBack(file, '/* ba */ nop', [edit(4, 4, 'c')]);
    assert.deepEqual([told, behind.heldText(file)], [[], '/* a */ nop']);
    behind.tell({ kind: 'limit', maxStates: 1 });
    behind.tell({ kind: 'edit', file, edits: [edit(10, 13, 'ud2')] });
    assert.deepEqual(told.map(({ kind }) => kind), ['limit', 'edit', 'edit']);
    const texts = told.flatMap((message) => (message.kind === 'edit' ? message.edits : []));
    assert.equal(applied('/* a */ nop', texts), '/* bca */ ud2');
    assert.equal(behind.heldText(file), null);
  });

  it('what is typed in one place is one edit, however long it is typed', () => {
    const { told, behind } = owned();
    let text = '/* */ nop';
    for (let typed = 0; typed < 5000; typed += 1) {
      const now = edit(3 + typed, 3 + typed, 'x');
      behind.keepBack(file, text, [now]);
      text = applied(text, [now]);
    }
    behind.tell({ kind: 'changed', file: '/w/other.c' });
    const [first] = told;
    assert.equal(first?.kind === 'edit' ? first.edits.length : 0, 1);
    assert.equal(first?.kind === 'edit' ? applied('/* */ nop', first.edits) : '', text);
  });

  it('any edits that are kept back are told as edits that make the same text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(4), fc.string({ maxLength: 4 })), { minLength: 1, maxLength: 12 }), (given) => {
        const { told, behind } = owned();
        let text = 'a text of some length';
        const before = text;
        for (const [where, length, newText] of given) {
          const start = Math.min(where, text.length);
          const one = edit(start, Math.min(text.length, start + length), newText);
          behind.keepBack(file, text, [one]);
          text = applied(text, [one]);
        }
        behind.tell({ kind: 'changed', file });
        const [first] = told;
        assert.equal(first?.kind === 'edit' ? applied(before, first.edits) : null, text);
      }),
      { seed: 5 },
    );
  });

  it('is asked in places of its own text, and answers in those of the text that is open', async () => {
    const { behind, jobs, ask } = owned();
    behind.keepBack(file, '/* a */ nop', [edit(3, 3, 'long ')]);
    const context = ask(contextAt(14));
    assert.deepEqual(jobs[0]?.job, contextAt(9));
    behind.keepBack(file, '', [edit(3, 3, 'so ')]);
    jobs[0]?.settle(answered(known(8, 11)));
    assert.deepEqual(await context, answered(known(16, 19)));
    const entries = ask({ kind: 'entries', folder: '', file, spans: [{ start: 16, end: 19 }] });
    assert.deepEqual(jobs[1]?.job.kind === 'entries' && jobs[1].job.spans, [{ start: 8, end: 11 }]);
    jobs[1]?.settle(answered({ kind: 'entries', entries: [{ offset: 8, events: ['NMI'] }, null] }));
    assert.deepEqual(await entries, answered({ kind: 'entries', entries: [{ offset: 16, events: ['NMI'] }, null] }));
  });

  it('findings of what it explores move too, their traces and fixes with them', async () => {
    const { behind, jobs } = owned();
    const place = (start: number) => ({ file, span: { start, end: start + 3 } });
    const finding = (start: number): Finding => ({
      rule: 'r', severity: 'error', place: place(start), message: 'm', premises: [{ fact: 'f', place: place(start), assumed: true }], related: [{ place: place(start), message: 'there' }], variants: [],
      trace: { scenario: 's', start: 'user', variant: [], choices: [1], steps: [{ title: 't', place: place(start), symbol: 'x', lane: [], changed: [], steps: 1 }] },
      fix: { title: 'mend', edits: [{ place: place(start), newText: 'ud2' }] },
    });
    let early: readonly Finding[] = [];
    const { outcome } = behind.submit({ kind: 'explore', folder: '/w' }, true, { progress: () => undefined, partial: (findings) => void (early = findings) });
    behind.keepBack(file, '/* a */ nop', [edit(3, 3, 'long ')]);
    jobs[0]?.partial([finding(8)]);
    assert.deepEqual(early, [finding(13)]);
    jobs[0]?.settle({ kind: 'result', result: { reports: [], findings: [finding(8)], milliseconds: 1, entries: false, stopped: null } });
    const settled = await outcome;
    assert.deepEqual(settled.kind === 'result' && settled.result.findings, [finding(13)]);
  });

  it('an answer about contexts that comes behind an edit of code is none', async () => {
    const { behind, jobs, ask } = owned();
    const context = ask(contextAt(9));
    behind.tell({ kind: 'edit', file, edits: [edit(8, 11, 'ud2')] });
    jobs[0]?.settle(answered(known(8, 11)));
    assert.deepEqual(await context, { kind: 'cancelled' });
  });

  it('offsets and spans outside of the edits go forth and back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(5), fc.string({ maxLength: 6 })), { maxLength: 8 }), fc.nat(40), (given, offset) => {
        const edits = given.map(([start, length, newText]) => edit(start, start + length, newText));
        const moved = moveAcross(new Map([[file, edits]])).offset(file, offset);
        const back = offsetBefore(moved, edits);
        const touched = (at: number, [first, ...rest]: readonly TextEdit[]): boolean => {
          if (first === undefined) return false;
          if (first.span.start <= at && at <= first.span.end) return true;
          return touched(movedSpan({ start: at, end: at }, [first]).start, rest);
        };
        if (!touched(offset, edits)) assert.equal(back, offset);
      }),
      { seed: 7 },
    );
  });
});

describe('contexts that are remembered', () => {
  const document = openDocument('file:///w/entry.S', file, 'asm', 1, '/* a */ nop; ud2');

  it('move with edits of comments and stay what they are; of edited code they are of an earlier text', () => {
    const contexts = createKnownContexts();
    contexts.learn(file, { info: info(8, 11), span: { start: 8, end: 11 }, finished: true });
    contexts.moved(file, [edit(3, 3, 'bc')]);
    assert.deepEqual(contexts.at(file, 11), { info: info(10, 13), span: { start: 10, end: 13 }, as: 'finished' });
    assert.equal(contexts.at(file, 9), null);
    contexts.edited(file, [edit(20, 20, 'x')]);
    assert.equal(contexts.at(file, 11)?.as, 'earlier');
    contexts.edited(file, [edit(12, 13, '')]);
    assert.equal(contexts.at(file, 11), null, 'its own text was edited');
  });

  it('of a place that is known a hover does not wait; what is not the last word says so', async () => {
    const { behind, jobs } = owned();
    const contexts = createKnownContexts();
    const of = createKernelContexts(contexts);
    contexts.learn(file, { info: info(8, 11), span: { start: 8, end: 11 }, finished: true });
    assert.deepEqual(await of.at(behind, document, 9), info(8, 11));
    assert.equal(jobs.length, 0, 'nothing is asked');
    contexts.edited(file, [edit(13, 16, 'hlt')]);
    const earlier = await of.at(behind, document, 9);
    assert.ok(earlier !== null && earlier !== 'exploring');
    assert.match(earlier.unknown[0] ?? '', /^as before the last edit/);
    assert.equal(jobs.length, 1, 'it is asked for in the meantime');
    jobs[0]?.settle(answered(known(8, 11, false)));
    await new Promise((resolve) => setImmediate(resolve));
    const growing = await of.at(behind, document, 9);
    assert.ok(growing !== null && growing !== 'exploring');
    assert.match(growing.unknown[0] ?? '', /^more contexts are still being explored/);
  });

  it('a hover waits once for a worker that is busy, and then no more until it answers', async () => {
    const { behind, jobs } = owned();
    const contexts = createKnownContexts();
    const of = createKernelContexts(contexts);
    assert.equal(await of.at(behind, document, 9), 'exploring');
    let quick: unknown = 'waits';
    void of.at(behind, document, 14).then((answer) => (quick = answer));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(quick, 'exploring');
    for (const { settle } of jobs) settle(answered(known(8, 11)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await of.at(behind, document, 9), info(8, 11));
  });

  it('are those of few places of a file, the latest', () => {
    const contexts = createKnownContexts();
    for (let place = 0; place < 2000; place += 1) contexts.learn(file, { info: null, span: { start: place * 2, end: place * 2 }, finished: true });
    assert.deepEqual([contexts.at(file, 0), contexts.at(file, 3998)?.as], [null, 'finished']);
  });
});
