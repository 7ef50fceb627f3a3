import assert from 'node:assert/strict';
import { matchesGolden } from '../../testing/golden.ts';
import { sampleRun, sampleText } from '../../testing/samples.ts';
import type { RunReport } from '../rules/finding.ts';
import { itfRun } from './itf.ts';
import { markdownRun } from './markdown.ts';
import { mermaidRun } from './mermaid.ts';
import { locator } from './places.ts';

const locate = locator((file) => sampleText.get(file) ?? null);
const golden = (name: string, text: readonly string[]): void => matchesGolden(`test-fixtures/render/${name}`, `${text.join('\n')}\n`);
const holds: RunReport = { ...sampleRun, verdict: 'holds', findings: [], trace: null };

/** A run of one trace, each step with its lane, its title and what it changes. */
function runWith(...steps: readonly { readonly lane: readonly string[]; readonly title: string; readonly changed?: readonly { readonly field: string; readonly from: string; readonly to: string }[] }[]): RunReport {
  assert.ok(sampleRun.trace !== null);
  return { ...sampleRun, findings: [], trace: { ...sampleRun.trace, steps: steps.map(({ lane, title, changed = [] }) => ({ title, lane, changed, place: null, symbol: '', steps: 1 })) } };
}

describe('a run for other tools', () => {
  it('Markdown', () => golden('run.md', markdownRun(sampleRun, locate)));
  it('a sequence chart', () => golden('run.mmd', mermaidRun(sampleRun, locate)));
  it('ITF', () => golden('run.itf.json', [JSON.stringify(itfRun(sampleRun, locate), null, 2)]));

  it('without a trace there is neither chart nor ITF, and the Markdown ends with the verdict', () => {
    assert.deepEqual(mermaidRun(holds, locate), []);
    assert.equal(itfRun(holds, locate), null);
    assert.equal(markdownRun(holds, locate).some((line) => line.startsWith('|')), false);
  });
});

describe('a sequence chart', () => {
  it('has a lifeline for each depth: an event in one of its own kind has its own, and returns lead back', () => {
    const lines = mermaidRun(runWith({ lane: ['user', '#VE'], title: 'arrives' }, { lane: ['user', '#VE', '#VE'], title: 'again' }, { lane: ['user', '#VE'], title: 'returns' }, { lane: ['user'], title: 'returns too' }), locate);
    assert.deepEqual(lines.slice(2), [
      '  participant f0_user as user',
      '  participant f1__VE as #35;VE',
      '  participant f2__VE as #35;VE (2)',
      '  f0_user->>f1__VE: 1. arrives',
      '  f1__VE->>f2__VE: 2. again',
      '  f2__VE-->>f1__VE: 3. returns',
      '  f1__VE-->>f0_user: 4. returns too',
    ]);
  });

  it('nothing in a text ends a statement or is markup', () => {
    const [line] = mermaidRun(runWith({ lane: ['user'], title: 'a; b %% c # d <br> "e" {f}' }), locate).slice(-1);
    assert.equal(line?.replaceAll(/#\d+;/g, ''), '  Note over f0_user: 1. a b  c  d br e f');
  });
});

describe('ITF', () => {
  it('a field is what it was until a step changes it; names are those that readers take', () => {
    const run = runWith({ lane: ['user'], title: 'one', changed: [{ field: 'GS base', from: 'user', to: 'kernel' }] }, { lane: ['user'], title: 'two', changed: [{ field: 've.busy', from: 'armed', to: 'busy' }, { field: 've busy', from: '0', to: '1' }] });
    const trace = itfRun(run, locate);
    assert.deepEqual(trace?.vars, ['action', 'place', 'frames', 'machine_steps', 'GS_base', 've_busy', 've_busy_2']);
    assert.deepEqual(trace?.states.map((state) => [state['GS_base'], state['ve_busy'], state['ve_busy_2']]), [['user', 'armed', '0'], ['kernel', 'armed', '0'], ['kernel', 'busy', '1']]);
    for (const state of trace?.states ?? []) for (const name of trace?.vars ?? []) assert.ok(name in state, name);
  });
});

describe('Markdown', () => {
  it('what would be markup is text, and a bar ends no cell', () => {
    const [row] = markdownRun(runWith({ lane: ['user'], title: 'a | b *c* `d` <e> __f g_h [i]' }), locate).slice(-1);
    assert.equal(row, '| 1 | user | a \\| b \\*c\\* \\`d\\` \\<e> \\_\\_f g_h \\[i\\] |  |  |');
  });
});
