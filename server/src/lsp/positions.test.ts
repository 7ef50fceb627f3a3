// Pure parts of the server: paths, shifting, pauses, positions, limits.
import assert from 'node:assert/strict';
import { pauseAfter, rememberCut, rememberRun } from './debounce.ts';
import { changeDocument, offsetOf, openDocument, rangeOf } from './documents.ts';
import { limitFindings } from './limit.ts';
import { folderOf, pathOfUri, uriOfPath } from './paths.ts';
import { shiftFinding, shiftSpan } from './shift.ts';
import { createWordReview } from './word-review.ts';
import type { Finding } from '../core/review-types.ts';

const edit = (start: number, end: number, newText: string) => ({ span: { start, end }, newText });

describe('names of files', () => {
  for (const [uri, path] of [
    ['file:///home/a%20b/entry.S', '/home/a b/entry.S'],
    ['vscode-vfs://github/x/y/entry.S', 'vscode-vfs://github/x/y/entry.S'],
    ['untitled:Untitled-1', 'untitled:Untitled-1'],
  ] as const) {
    it(`${uri} is ${path} and back`, () => {
      assert.equal(pathOfUri(uri), path);
      assert.equal(uriOfPath(path), uri);
    });
  }

  it('the folder of a path is what stands before its last slash', () => {
    assert.equal(folderOf('/a/b/c.S'), '/a/b');
    assert.equal(folderOf('/c.S'), '/');
    assert.equal(folderOf('c.S'), '');
  });
});

describe('ranges move with edits', () => {
  const cases = [
    ['an edit before moves it', { start: 10, end: 14 }, [edit(0, 2, 'abcd')], { start: 12, end: 16 }],
    ['an insertion at its start moves it', { start: 10, end: 14 }, [edit(10, 10, 'ab')], { start: 12, end: 16 }],
    ['an edit behind leaves it', { start: 10, end: 14 }, [edit(14, 20, '')], { start: 10, end: 14 }],
    ['an edit inside drops it', { start: 10, end: 14 }, [edit(11, 11, 'x')], null],
    ['an edit over its start drops it', { start: 10, end: 14 }, [edit(5, 11, '')], null],
    ['later edits see the text after earlier ones', { start: 10, end: 14 }, [edit(0, 5, ''), edit(5, 5, 'xy')], { start: 7, end: 11 }],
    ['an edit that replaces all drops it', { start: 10, end: 14 }, [edit(0, 100, 'new')], null],
  ] as const;
  for (const [name, span, edits, expected] of cases) it(name, () => assert.deepEqual(shiftSpan(span, edits), expected));

  it('agrees with the text for every edit of a short line', () => {
    const text = 'aa bad cc';
    const span = { start: 3, end: 6 };
    for (let start = 0; start <= text.length; start += 1) {
      for (let end = start; end <= text.length; end += 1) {
        for (const newText of ['', 'z', 'zzzz']) {
          const moved = shiftSpan(span, [edit(start, end, newText)]);
          const after = text.slice(0, start) + newText + text.slice(end);
          if (moved !== null) assert.equal(after.slice(moved.start, moved.end), 'bad', `${start}-${end} ${newText}`);
        }
      }
    }
  });

  it('a finding keeps its trace, without the places that were touched, and loses its fix', () => {
    const finding = uglyFindings('/w/a.S', 'xx ugly').at(0);
    assert.ok(finding);
    const moved = shiftFinding(finding, '/w/a.S', [edit(0, 1, 'yyy')]);
    assert.deepEqual(moved?.place.span, { start: 5, end: 9 });
    assert.deepEqual(moved.trace?.steps.map((step) => step.place?.span ?? null), [null, { start: 5, end: 9 }]);
    assert.equal(shiftFinding(finding, '/w/other.S', [edit(0, 1, 'yyy')])?.place.span.start, 3);
  });
});

describe('the pause before exploration', () => {
  for (const [times, pause] of [
    [[], 100],
    [[20], 100],
    [[300, 5000, 400], 400],
    [[300, 400], 350],
    [[9000, 9000], 2000],
  ] as const) {
    it(`is ${pause} ms after runs of ${times.length === 0 ? 'no time' : times.join(', ')}`, () => assert.equal(pauseAfter(times), pause));
  }

  it('forgets old runs', () => {
    let times: readonly number[] = [];
    for (let run = 1; run <= 20; run += 1) times = rememberRun(times, run * 100);
    assert.equal(pauseAfter(times), 1700);
  });

  it('a run that an edit cut off counts where it took longer than the pause', () => {
    assert.equal(pauseAfter(rememberCut([], 1500)), 1500);
    assert.equal(pauseAfter(rememberCut([800, 900], 300)), 850);
    assert.equal(pauseAfter(rememberCut([], 60)), 100);
  });
});

describe('documents', () => {
  const document = openDocument('file:///a.S', '/a.S', 'gas-x86', 1, 'one\r\ntwo 😀 x\nthree');

  it('positions are UTF-16 columns and clamp to their line', () => {
    assert.equal(offsetOf(document.lines, { line: 1, character: 7 }), 12);
    assert.equal(offsetOf(document.lines, { line: 1, character: 99 }), 13);
    assert.equal(offsetOf(document.lines, { line: 99, character: 0 }), 14);
    assert.deepEqual(rangeOf(document.lines, { start: 14, end: 19 }), { start: { line: 2, character: 0 }, end: { line: 2, character: 5 } });
  });

  it('changes of one message apply one after the other', () => {
    const at = (line: number, from: number, to: number) => ({ start: { line, character: from }, end: { line, character: to } });
    const { document: after, change } = changeDocument(document, 2, [
      { range: at(0, 0, 3), text: '1\n' },
      { range: at(2, 0, 3), text: 'TWO' },
    ]);
    assert.equal(after.text, '1\n\r\nTWO 😀 x\nthree');
    assert.deepEqual(change, { kind: 'edits', edits: [{ span: { start: 0, end: 3 }, newText: '1\n' }, { span: { start: 4, end: 7 }, newText: 'TWO' }] });
  });

  it('the edits that the review is given make the text that the client has, for every pair of small edits', () => {
    const text = 'ab\ncd\r\ne';
    const ends = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 2], [1, 3], [2, 0], [2, 1], [9, 9]] as const;
    const ranges = ends.flatMap((start, from) => ends.slice(from).map((end) => ({ start: { line: start[0], character: start[1] }, end: { line: end[0], character: end[1] } })));
    const fresh = openDocument('u', 'f', 'l', 1, text);
    for (const first of ranges) {
      for (const second of ranges) {
        const changes = [{ range: first, text: 'x\ny' }, { range: second, text: '' }];
        const { document: after, edits } = changeDocument(fresh, 2, changes);
        const edited = edits.reduce((now, { span, newText }) => now.slice(0, span.start) + newText + now.slice(span.end), text);
        assert.equal(after.text, edited);
        assert.deepEqual(after.lines, openDocument('u', 'f', 'l', 2, edited).lines);
      }
    }
  });

  it('binary and very large texts are kept from the review, and given whole when they become text', () => {
    const { document: binary, change } = changeDocument(document, 2, [{ text: 'a\0b' }]);
    assert.match(binary.refusal ?? '', /^not analysed: the file is binary/);
    assert.deepEqual(change, { kind: 'text', text: '' });
    assert.deepEqual(changeDocument(binary, 3, [{ text: 'nop' }]).change, { kind: 'text', text: 'nop' });
    assert.match(openDocument('u', 'f', 'l', 1, 'x'.repeat(5_000_000)).refusal ?? '', /^not analysed: the file has 5000000 characters/);
  });
});

describe('two findings of one rule per entry point', () => {
  it('then a count', () => {
    const ugly = uglyFindings('/w/a.S', 'ugly');
    const same = [...ugly, ...ugly, ...ugly, ...ugly, ...ugly];
    const limited = limitFindings(same);
    assert.deepEqual(limited.map((finding) => finding.message), ['ugly word at 0', 'ugly word at 0', 'and 3 more of ugly-word on this entry path: ugly word at 0']);
  });

  it('but findings of different entry points, or without a trace, all stay', () => {
    const different = uglyFindings('/w/a.S', 'ugly ugly ugly ugly');
    assert.equal(limitFindings(different).length, 4);
    assert.equal(limitFindings(different.map((finding) => ({ ...finding, trace: null }))).length, 4);
  });
});

function uglyFindings(file: string, text: string): readonly Finding[] {
  const review = createWordReview({ workspace: { read: () => null, list: () => [] }, mortal: false });
  review.setFile(file, text);
  const exploration = review.explore(folderOf(file));
  exploration.run(text.length);
  return review.findings(folderOf(file), exploration.reports());
}
