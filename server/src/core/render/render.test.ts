import assert from 'node:assert/strict';
import { matchesGolden } from '../../testing/golden.ts';
import { contextText } from './context.ts';
import { mailRun, mailWidth, shortest } from './mail.ts';
import { coloured, plain } from './paint.ts';
import { inOrder, locator } from './places.ts';
import { rulePageText } from './rule-page.ts';
import { longTrace, placeOf, sampleContext, sampleFinding, sampleRun, sampleText, sampleWarning } from '../../testing/samples.ts';
import { mostSteps, shownSteps } from './steps.ts';
import { markdownTable, verdictTable } from './table.ts';
import { findingText, runText } from './text.ts';

const locate = locator((file) => sampleText.get(file) ?? null);
const lines = (text: readonly string[]): string => `${text.join('\n')}\n`;
const golden = (name: string, text: readonly string[]): void => matchesGolden(`test-fixtures/render/${name}`, lines(text));

describe('places', () => {
  it('lines and columns are one-based and the end is behind the last character', () => {
    const { line, column, endLine, endColumn } = locate(placeOf('designs/early/handler.c', 'WRITE_ONCE'));
    assert.deepEqual([line, column, endLine, endColumn], [7, 2, 7, 12]);
  });

  it('columns count UTF-16 units: a character outside the basic plane is two', () => {
    const wide = locator(() => '\u{1f980}x');
    assert.equal(wide({ file: 'a.c', span: { start: 2, end: 3 } }).column, 3);
  });

  it('a file without text is at 1:1', () => {
    const gone = locator(() => null);
    assert.deepEqual(gone({ file: 'gone.c', span: { start: 40, end: 50 } }), { file: 'gone.c', line: 1, column: 1, endLine: 1, endColumn: 1 });
  });

  it('findings are ordered by file, line, column and rule, whatever the order they came in, and doubles go', () => {
    const elsewhere = { ...sampleWarning, place: placeOf('designs/early/entry.S', 'iretq') };
    const other = { ...sampleFinding, rule: 'a-rule' };
    const wanted = [elsewhere, sampleWarning, other, sampleFinding];
    assert.deepEqual(inOrder([sampleFinding, sampleWarning, other, elsewhere, sampleFinding], locate), wanted);
    assert.deepEqual(inOrder([elsewhere, other, sampleWarning, sampleFinding], locate), wanted);
  });

  it('of two equal findings the one with a trace is kept', () => {
    const [kept, ...others] = inOrder([{ ...sampleFinding, trace: null }, sampleFinding], locate);
    assert.equal(kept, sampleFinding);
    assert.equal(others.length, 0);
  });
});

describe('steps of a trace', () => {
  it('twenty steps are all shown', () => {
    assert.equal(shownSteps(longTrace(mostSteps)).length, mostSteps);
  });

  for (const count of [21, 25, 60, 2000]) {
    it(`of ${count} steps twenty are shown, the first and the last among them, and the gaps are counted`, () => {
      const shown = shownSteps(longTrace(count));
      const numbers = shown.flatMap((item) => (item.kind === 'step' ? [item.number] : []));
      const skipped = shown.flatMap((item) => (item.kind === 'gap' ? [item.steps] : []));
      assert.equal(numbers.length, mostSteps);
      assert.equal(numbers[0], 1);
      assert.equal(numbers.at(-1), count);
      assert.equal(
        skipped.reduce((sum, steps) => sum + steps, numbers.length),
        count,
      );
    });
  }

  it('steps that changed nothing are left out before those that did', () => {
    const shown = shownSteps(longTrace(30));
    const changing = shown.filter((item) => item.kind === 'step' && item.step.changed.length > 0);
    assert.equal(changing.length, 10);
  });
});

describe('text forms', () => {
  it('a finding as compilers print it', () => golden('finding.txt', [...findingText(sampleWarning, locate, plain), ...findingText(sampleFinding, locate, plain)]));
  it('a run as compilers print it', () => golden('run.txt', runText(sampleRun, locate, plain)));
  it('what a run that holds says beyond its bounds, each in one line', () => {
    const beyond = (verdict: 'holds' | 'violated' | 'open', why: string | null): readonly string[] => runText({ ...sampleRun, verdict: 'holds', findings: [], trace: null, anyNumber: { verdict, bound: 'any number of #VE and NMI', states: 7814, why } }, locate, plain).slice(-1);
    assert.deepEqual(beyond('holds', null), ['    note: beyond the bounds: holds for any number of #VE and NMI (7,814 states)']);
    assert.deepEqual(beyond('violated', 'NMI 2 times, after 105 steps: never shutdown'), ['    note: beyond the bounds: violated by NMI 2 times, after 105 steps: never shutdown']);
    assert.deepEqual(beyond('open', 'frames nest to the bound of 6'), ['    note: beyond the bounds: open for any number of #VE and NMI: frames nest to the bound of 6']);
    assert.doesNotMatch(runText({ ...sampleRun, anyNumber: null }, locate, plain).join(' '), /beyond/);
  });
  it('a run for a mail', () => golden('mail.txt', mailRun(sampleRun, locate)));
  it('the contexts at a line, side by side', () => golden('context.txt', contextText(sampleContext, locate, 100, plain)));
  it('the contexts at a line, below each other on a narrow terminal', () => golden('context-narrow.txt', contextText(sampleContext, locate, 60, plain)));

  it('every trace line of a finding is an indented note, so that :make and M-x compile read them', () => {
    const [head, ...notes] = findingText(sampleFinding, locate, plain);
    assert.match(head ?? '', /^designs\/early\/handler\.c:7:2: error: .* \[guard-cleared-on-rewinding-stack\]$/);
    for (const note of notes) assert.match(note, /^ {4}(?:[^ :]+:\d+:\d+: )?note: \S/);
  });

  it('assumed premises are told from known ones', () => {
    const text = lines(findingText(sampleFinding, locate, plain));
    assert.match(text, /note: assumed: vector VE uses IST VE/);
    assert.match(text, /note: premise: NMIs are not blocked/);
  });

  it('no line of a mail is wider than 72 columns or ends in a blank', () => {
    const deep = { file: `${'folder/'.repeat(20)}${'x'.repeat(90)}.c`, span: { start: 0, end: 0 } };
    const long = {
      ...sampleRun,
      remarks: ['a remark '.repeat(30), `call of ${'symbol_'.repeat(20)}()`],
      findings: [{ ...sampleFinding, place: deep, trace: longTrace(400) }],
    };
    for (const line of [...mailRun(sampleRun, locate), ...mailRun(long, locate)]) {
      assert.ok(line.length <= mailWidth, line);
      assert.equal(line, line.trimEnd());
    }
  });

  it('a deep lane gives up its outermost frames first', () => {
    const [step] = sampleRun.trace?.steps ?? [];
    assert.ok(step !== undefined);
    const deep = { ...longTrace(1), steps: [{ ...step, lane: ['task', 'syscall', 'NMI', 'VE', 'MC'] }] };
    assert.match(lines(mailRun({ ...sampleRun, findings: [], trace: deep }, locate)), / 1 {2}\.\. > NMI > VE > MC {2}/);
  });

  it('colour changes no letter', () => {
    const bare = lines(findingText(sampleFinding, locate, coloured)).replaceAll(/\p{Cc}\[\d+m/gu, '');
    assert.equal(bare, lines(findingText(sampleFinding, locate, plain)));
  });

  it('the shortest trace is the one with fewest choices', () => {
    const short = { ...sampleFinding, trace: { ...longTrace(40), choices: [1] } };
    assert.equal(shortest([sampleFinding, sampleWarning, short]), short);
    assert.equal(shortest([]), null);
  });
});

describe('tables', () => {
  it('a row a design, a column a start: the worst verdict and the sum of the states', () => {
    const holds = { ...sampleRun, verdict: 'holds' as const, states: 8, findings: [] };
    const designs = new Map([
      ['early', [sampleRun, holds]],
      ['late', [holds]],
    ]);
    assert.deepEqual(
      verdictTable(designs, [
        { title: 'task', of: () => true },
        { title: 'NMI', of: () => false },
      ]),
      [
        '| design | task                                                       | NMI     |',
        '|--------|------------------------------------------------------------|---------|',
        '| early  | **violated** guard-cleared-on-rewinding-stack (820 states) | not run |',
        '| late   | holds (8 states)                                           | not run |',
      ],
    );
  });

  it('a bar in a cell does not make a column', () => {
    assert.equal(markdownTable(['a'], [['x|y']])[2], '| x\\|y |');
  });
});

describe('rule pages', () => {
  it('Markdown as text: headings, paragraphs, lists, code, links', () => {
    const markdown = [
      '# guard-cleared',
      '<!-- generated -->',
      'A **guard** is',
      'cleared, see [the manual](https://example.org/x).',
      '',
      '- one `WRITE_ONCE` that is a long line of words and wraps below the item, not below its mark',
      '- two',
      '',
      '## Bad',
      '```c',
      '# not a heading',
      '\tx = 0;',
      '```',
      'Done.',
      '',
    ].join('\n');
    const page = { name: 'guard-cleared', id: 'VE01', group: 'VE', severity: 'error' as const, summary: 's', markdown };
    golden('rule-page.txt', rulePageText(page, 60, plain));
  });
});
