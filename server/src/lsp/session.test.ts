// How much work an edit makes: what is looked for, what the worker is told, and when. Counts work, not time.
import assert from 'node:assert/strict';
import type { Finding, Review, TextEdit } from '../core/review-types.ts';
import type { ToWorker } from '../worker/messages.ts';
import { createBehind } from './behind.ts';
import { defaultSettings } from './protocol.ts';
import { createSession } from './session.ts';
import { createWordReview } from './word-review.ts';

const uri = 'file:///w/design/entry.S';
const file = '/w/design/entry.S';

/** A session of a review whose findings take `cost` milliseconds; timers run when the test says so. */
function session(cost: number, review: Partial<Review> = {}) {
  let time = 0;
  let looked = 0;
  let moved = 0;
  const told: ToWorker[] = [];
  const jobs: string[] = [];
  const timers = new Set<{ readonly at: number; readonly next: () => void }>();
  const words = createWordReview({ workspace: { read: () => null, list: () => [] }, mortal: false });
  const counting: Review = {
    ...words,
    ...review,
    quickFindings: (asked) => {
      looked += 1;
      time += cost;
      return (review.quickFindings ?? words.quickFindings)(asked);
    },
  };
  const owner = createBehind({
    tell: (message) => void told.push(message),
    submit: ({ kind }) => {
      jobs.push(kind);
      return { outcome: new Promise(() => undefined), cancel: () => undefined };
    },
    stop: () => undefined,
  });
  const changed: string[] = [];
  const made = createSession(counting, owner, { changed: (files, cause) => { changed.push(cause); for (const one of files) moved += made.findings(one).findings.length; }, status: () => undefined, forget: () => undefined, log: (message) => assert.fail(message) }, {
    now: () => time,
    after: (milliseconds, next) => {
      const timer = { at: time + milliseconds, next };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  }, defaultSettings);
  /** Lets that many milliseconds pass. */
  const pass = (milliseconds: number): void => {
    time += milliseconds;
    for (const timer of Array.from(timers)) {
      if (timer.at > time || !timers.delete(timer)) continue;
      timer.next();
    }
  };
  let version = 1;
  const type = (text: string, character: number, line = 0): void => {
    version += 1;
    made.change(uri, version, [{ range: { start: { line, character }, end: { line, character } }, text }]);
  };
  return { made, told, jobs, changed, pass, type, looked: () => looked, shown: () => moved };
}

describe('what an edit costs', () => {
  it('findings that are soon found are looked for once an edit', () => {
    const { made, type, looked } = session(5);
    made.open(uri, 'asm', 1, 'entry\n');
    assert.equal(looked(), 1);
    for (let typed = 0; typed < 10; typed += 1) type('x', 0);
    assert.equal(looked(), 11);
  });

  it('those that take long are looked for once, when typing rests; until then the old ones move', () => {
    const { made, type, looked, pass, changed } = session(400);
    made.open(uri, 'asm', 1, 'bad\nentry\n');
    for (let typed = 0; typed < 10; typed += 1) {
      type('x ', 0);
      pass(50);
    }
    assert.equal(looked(), 2, 'of the text that was opened, and once to see what an edit takes');
    assert.deepEqual(made.findings(file).findings.map(({ place }) => place.span), [{ start: 20, end: 23 }]);
    assert.equal(changed.filter((cause) => cause === 'edit').length, 11, 'each edit is told at once');
    pass(400);
    assert.equal(looked(), 3);
  });

  it('what the text alone shows is told at once when a file is opened, and the rest when what it includes is read', () => {
    const alone: Finding = { rule: 'syntax', severity: 'warning', place: { file, span: { start: 4, end: 5 } }, message: 'a comma too many', premises: [], trace: null, related: [], fix: null, variants: [] };
    const { made, type, looked, shown, pass, changed } = session(400, { syntaxFindings: () => [alone], inactive: () => assert.fail('that is known when all is read') });
    made.open(uri, 'asm', 1, 'bad, bad\n');
    assert.deepEqual([looked(), shown(), changed], [0, 1, ['edit']]);
    pass(0);
    assert.deepEqual([looked(), shown(), changed], [1, 3, ['edit', 'explored']]);
    type('x', 8);
    assert.deepEqual(looked(), 2, 'an edit is judged as a whole');
  });

  it('an edit that comes before all is read is judged as a whole', () => {
    const { made, type, looked, pass } = session(5, { syntaxFindings: () => [] });
    made.open(uri, 'asm', 1, 'entry\n');
    type('x', 0);
    assert.equal(looked(), 1);
    pass(0);
    assert.equal(looked(), 1);
    made.close(uri);
    made.open(uri, 'asm', 1, 'entry\n');
    assert.equal(looked(), 1, 'a file that is opened again has a first time again');
  });

  it('an edit of comments looks for nothing, explores nothing, and the worker is not told', () => {
    const { made, type, looked, told, jobs, pass, changed } = session(5, { sameCode: (_file, before, after) => before.replace(/\/\*.*\*\//, '') === after.replace(/\/\*.*\*\//, '') });
    made.open(uri, 'asm', 1, '/* a */ bad\n');
    pass(200);
    assert.deepEqual([looked(), jobs, told.map(({ kind }) => kind)], [1, ['explore'], ['set']]);
    for (let typed = 0; typed < 50; typed += 1) type('b', 4 + typed);
    pass(5000);
    assert.deepEqual([looked(), jobs, told.length], [1, ['explore'], 1]);
    assert.equal(changed.length, 51, 'diagnostics are told with each edit, in their new places');
    assert.deepEqual(made.findings(file).findings.map(({ place }) => place.span), [{ start: 58, end: 61 }]);
    type('x', 0);
    pass(5000);
    assert.deepEqual([looked(), jobs, told.map(({ kind }) => kind)], [2, ['explore', 'explore'], ['set', 'edit', 'edit']]);
  });

  it('ten thousand findings are each moved once an edit and shown once', () => {
    const many = Array.from({ length: 10_000 }, (_, at): Finding => ({ rule: 'bad-word', severity: 'warning', place: { file, span: { start: 10 + at * 4, end: 13 + at * 4 } }, message: `word ${at}`, premises: [], trace: null, related: [], fix: null, variants: [] }));
    const edits: TextEdit[] = [];
    const { made, type, shown, looked } = session(1000, { sameCode: () => true, quickFindings: () => many, editFile: (_file, more) => void edits.push(...more) });
    made.open(uri, 'asm', 1, 'a text\n');
    const before = shown();
    type('xy', 0);
    assert.deepEqual([shown() - before, looked(), edits.length], [10_000, 1, 1]);
    assert.deepEqual(made.findings(file).findings.at(-1)?.place.span, { start: 12 + 9999 * 4, end: 15 + 9999 * 4 });
  });

  it('words of a file that was opened are looked up while nothing happens, once, until somebody types', () => {
    const asked: string[] = [];
    const { made, type, pass } = session(0, { hover: (_, offset) => (asked.push(String(offset)), null), inKernelTree: () => true });
    made.open(uri, 'asm', 1, '\tone a\n\ttwo b\n\tone c\n\tthree d\n');
    assert.deepEqual(asked, []);
    pass(500);
    pass(0);
    assert.equal(asked.length, 2);
    type('x', 2);
    pass(0);
    assert.equal(asked.length, 2);
    for (let at = 0; at < 5; at += 1) pass(500);
    assert.deepEqual(asked.map(Number).sort((a, b) => a - b), [3, 10, 26]);
  });

  it('an exploration that an edit cut off says how long the next one waits for typing to rest', () => {
    const { made, type, pass, jobs } = session(0);
    made.open(uri, 'asm', 1, 'entry\n');
    pass(100);
    assert.deepEqual(jobs, ['explore']);
    pass(1500);
    for (let typed = 0; typed < 10; typed += 1) {
      type('x', 0);
      pass(150);
    }
    assert.deepEqual(jobs, ['explore'], 'none between keystrokes');
    pass(1350);
    assert.deepEqual(jobs, ['explore', 'explore']);
  });

  it('a file that is closed leaves no timer behind', () => {
    const { made, type, pass, looked } = session(400);
    made.open(uri, 'asm', 1, 'bad\n');
    type('x ', 0);
    type('x ', 0);
    made.close(uri);
    pass(5000);
    assert.equal(looked(), 2);
  });
});
