// A finding says the same in every client and on the command line.
import assert from 'node:assert/strict';
import { plain } from '../core/render/paint.ts';
import { locator as pointLocator } from '../core/render/places.ts';
import { findingText } from '../core/render/text.ts';
import type { Finding, TraceStep } from '../core/review-types.ts';
import { diagnosticOf } from './diagnostics.ts';
import { createLocator } from './locate.ts';

const file = '/w/design.c';
const text = Array.from({ length: 40 }, (_, line) => `line ${line};`).join('\n');
const place = (line: number) => ({ file, span: { start: text.indexOf(`line ${line};`), end: text.indexOf(`line ${line};`) + 4 } });

const step = (index: number): TraceStep => ({
  title: `step ${index}`,
  place: index % 5 === 4 ? null : place(index),
  symbol: 'exc_ve',
  lane: index < 3 ? ['task'] : ['task', 'NMI'],
  changed: index % 3 === 0 ? [{ field: 'IF', from: '1', to: '0' }, { field: 'stack', from: 'thread', to: 'NMI' }] : [],
  steps: 1,
});

const finding = (steps: number): Finding => ({
  rule: 'guard-cleared-on-rewinding-stack',
  severity: 'error',
  place: place(7),
  message: 'reentrancy word cleared on IST stack while a frame is live there',
  premises: [
    { fact: 'ist=VE', place: place(1), assumed: false },
    { fact: 'perf samples the user stack', place: null, assumed: true },
  ],
  trace: { steps: Array.from({ length: steps }, (_, index) => step(index)), choices: [1, 2], scenario: 'perf-nmi-ve-ve', start: 'user', variant: ['FSGSBASE'] },
  related: [{ place: place(2), message: 'the guard is declared here' }],
  fix: null,
  variants: ['perf-nmi-ve-ve', 'mc-then-mc'],
});

const locator = createLocator(() => text, (path) => `file://${path}`);
const notesOfCommandLine = (given: Finding): readonly string[] =>
  findingText(given, pointLocator(() => text), plain)
    .slice(1)
    .map((line) => line.slice(line.indexOf('note: ') + 'note: '.length));

describe('published findings', () => {
  for (const steps of [0, 3, 20, 21, 300]) {
    it(`of ${steps} steps have the command line's notes as related information, at most 20 steps`, () => {
      const given = steps === 0 ? { ...finding(0), trace: null } : finding(steps);
      const diagnostic = diagnosticOf(given, 'key', locator, { relatedInformation: true, codeDescription: true, tags: true });
      const notes = diagnostic.relatedInformation?.map(({ message }) => message) ?? [];
      assert.deepEqual(notes, notesOfCommandLine(given));
      assert.equal(notes.filter((note) => /^\d+\. /.test(note)).length, Math.min(steps, 20));
      assert.equal(diagnostic.message, given.message);
    });

    it(`of ${steps} steps say the same folded into the message`, () => {
      const given = steps === 0 ? { ...finding(0), trace: null } : finding(steps);
      const { message, relatedInformation } = diagnosticOf(given, 'key', locator, { relatedInformation: false, codeDescription: false, tags: false });
      assert.equal(relatedInformation, undefined);
      assert.ok(typeof message === 'string');
      const [head, ...notes] = message.split('\n');
      assert.equal(head, given.message);
      assert.deepEqual(notes.map((note) => note.replace(/^ {2}design\.c:\d+: /, '')), notesOfCommandLine(given));
    });
  }

  it('mark what a redundant annotation or an unused suppression covers', () => {
    const abilities = { relatedInformation: true, codeDescription: true, tags: true };
    assert.deepEqual(diagnosticOf({ ...finding(0), rule: 'unused-suppression' }, 'key', locator, abilities).tags, [1]);
    assert.equal(diagnosticOf(finding(0), 'key', locator, abilities).tags, undefined);
  });
});
