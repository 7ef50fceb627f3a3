import assert from 'node:assert/strict';
import { locator } from '../core/render/places.ts';
import { unknownText } from '../core/render/unknown.ts';
import type { Unknown } from '../core/review-types.ts';
import { tellUnknown } from './tell-unknown.ts';

const locate = locator((file) => (file === 'a.c' ? 'one\ntwo\nthree\n' : null));
const unfinished: Unknown = { kind: 'unfinished', runs: ['nested-nmi of d from user', 'nested-nmi of d from gap'], bounds: ['9 states', 'live frames at most 4'] };
const unread: Unknown = { kind: 'unread', place: { file: 'a.c', span: { start: 4, end: 7 } }, message: 'cannot read this statement' };
const byName = (name: string): Unknown => ({ kind: 'by-name', name, code: 'handler', event: '#GP', stack: { kind: 'ist', name: 'GP' } });
const calls = (count: number): readonly Unknown[] => Array.from({ length: count }, (_, at) => ({ kind: 'out-of-view', name: `f${at}` }) as const);
const rest: readonly Unknown[] = [
  { kind: 'not-judged', first: 'foo_entry', others: 2 },
  { kind: 'operand', text: 'movq %what, %rax' },
  { kind: 'macro', name: 'ENTER', symbols: ['a', 'b', 'c', 'd'] },
  { kind: 'stack-write', symbol: 'f', text: 'idt[2].ist = 0' },
  { kind: 'assumed-word', text: '%gs:8', holds: 'task stack top' },
  { kind: 'syscall-entry', name: 'enter' },
];

describe('what is not known', () => {
  it('has a sentence of its own for each kind', () => {
    const told = [unfinished, unread, byName('exc_gp'), ...calls(1), ...rest].map((one) => unknownText(one, locate));
    assert.equal(new Set(told).size, told.length);
    assert.equal(told[0], 'not explored to its end: nested-nmi of d from user and 1 more: bound hit: 9 states, live frames at most 4');
    assert.equal(told[1], 'a.c:2: cannot read this statement');
    assert.equal(told[2], 'exc_gp() is taken for the handler of #GP by its name, on the IST stack GP: a handler annotation says otherwise');
    assert.equal(unknownText({ kind: 'macro', name: 'ENTER', symbols: [''] }, locate), 'ENTER is no instruction and no macro in view: what comes behind it is not judged');
    for (const sentence of told) assert.doesNotMatch(sentence, /undefined|\.$/);
  });

  it('is told first of runs that came to a bound, and of calls in one line', () => {
    assert.deepEqual(tellUnknown([...calls(2), unread, unfinished], locate), [unknownText(unfinished, locate), 'a.c:2: cannot read this statement', 'not in view, and taken to change nothing here: f0(), f1()']);
  });

  it('is counted where it is much', () => {
    const told = tellUnknown([...calls(9), unread, byName('a'), byName('b'), byName('c'), byName('d'), byName('e')], locate);
    assert.deepEqual(told.slice(3), ['2 more are taken for what their names say (--format json lists them)', '9 names and calls are not in view and 1 statement cannot be read (--format json lists them)']);
    assert.equal(tellUnknown([unfinished, unfinished, ...rest, unread, byName('a'), byName('b'), byName('c')], locate).length, 2 + 8);
  });
});
