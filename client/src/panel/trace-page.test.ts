/// <reference lib="dom" />
// A trace of ten thousand steps in the panel: what is in the document, made and told is counted, so that no step costs what
// the length of the trace is.
import assert from 'node:assert/strict';
import type { TraceView, ViewStep } from '../../../server/src/lsp/protocol.ts';
import { BLOCK_ROWS } from './lazy-list.ts';
import type { FromPage, TraceState } from './messages.ts';
import { TestDocument, TestElement } from './test-document.ts';
import { tracePage } from './trace-page.ts';
import type { TracePage } from './trace-page.ts';

const LENGTH = 10_000;
/** A step in so many is an NMI, and one in ten changes the interrupt flag. */
const NMI_EACH = 100;

function stepAt(index: number): ViewStep {
  return {
    title: index % NMI_EACH === 0 ? `NMI ${index / NMI_EACH} delivered` : `instruction ${index}`,
    at: { uri: 'file:///w/entry.S', startLine: index, startCharacter: 0, endLine: index, endCharacter: 4 },
    symbol: 'asm_exc_nmi',
    lane: index % NMI_EACH < 50 ? ['task', 'NMI'] : ['task'],
    changed: index % 10 === 0 ? [{ field: 'IF', from: '1', to: '0' }] : [],
    merged: 1,
  };
}

const traceOf = (length: number): TraceView => ({
  title: 'long: nested from user', rule: null, message: null, design: 'long', scenario: 'nested', start: 'user', verdict: 'violated', states: length, transitions: length, depth: length,
  variant: [], bounds: [], boundsHit: [], beyond: [], assumptions: [], remarks: [], steps: Array.from({ length }, (_, index) => stepAt(index)), text: `a trace of ${length} steps\n`,
});

interface Opened {
  readonly document: TestDocument;
  readonly page: TracePage;
  readonly list: TestElement;
  readonly filter: TestElement;
  readonly posted: FromPage[];
  /** What the page wants to be kept, last. */
  readonly kept: () => TraceState | undefined;
  readonly root: TestElement;
}

describe('a trace of ten thousand steps', () => {
  let remove: () => void = () => undefined;
  afterEach(() => remove());

  /** The page of a trace, with its first block in view. */
  function opened(length: number, before: TraceState | null = null): Opened {
    const document = new TestDocument();
    remove = document.install();
    const root = document.createElement('main');
    const posted: FromPage[] = [];
    let kept: TraceState | undefined;
    const host = { post: (message: FromPage) => void posted.push(message), keep: (state: TraceState) => void (kept = state) };
    const page = tracePage(root as unknown as HTMLElement, host, before);
    if (before === null) page.receive({ kind: 'show', runs: [traceOf(length)], stopped: null, selected: 0 });
    const list = root.all().find((one) => one.attributes.get('id') === 'steps');
    assert.ok(list !== undefined);
    if (before === null) document.see((at) => at < 1);
    return { document, page, list, filter: root.named('input'), posted, kept: () => kept, root };
  }

  const rows = (list: TestElement): readonly TestElement[] => list.withClass('step');
  const selected = (list: TestElement): readonly string[] => rows(list).filter((row) => row.attributes.get('aria-selected') === 'true').map((row) => row.withClass('title')[0]?.textContent ?? '');
  const press = ({ list }: Opened, key: string): void => list.happens('keydown', { key });
  const count = ({ root }: Opened): string => root.withClass('count')[0]?.textContent ?? '';

  it('is drawn where it is seen: ten times the steps are as many rows, and more elements by one for each block', () => {
    const short = opened(LENGTH / 10);
    remove();
    const long = opened(LENGTH);
    assert.equal(rows(long.list).length, BLOCK_ROWS);
    assert.equal(rows(short.list).length, BLOCK_ROWS);
    assert.equal(long.document.made - short.document.made, (LENGTH - LENGTH / 10) / BLOCK_ROWS);
    assert.equal(count(long), `${LENGTH} steps`);
    assert.equal(rows(long.list)[0]?.attributes.get('aria-setsize'), String(LENGTH));
  });

  it('every step is drawn when it is seen, and gone when it is not', () => {
    const { document, list } = opened(LENGTH);
    const blocks = LENGTH / BLOCK_ROWS;
    const seen = new Set<string>();
    for (let block = 0; block < blocks; block += 1) {
      document.see((at) => Math.abs(at - block) <= 1);
      const there = rows(list);
      // The block of the selected step stays besides the three in view.
      assert.ok(there.length <= 4 * BLOCK_ROWS, `${there.length} rows at block ${block}`);
      for (const row of there) seen.add(row.attributes.get('data-step') ?? '');
    }
    assert.equal(seen.size, LENGTH);
  });

  it('goes to the last step and back at the cost of one block and one message', () => {
    const page = opened(LENGTH);
    const made = page.document.made;
    page.posted.length = 0;
    press(page, 'End');
    assert.deepEqual(selected(page.list), [`instruction ${LENGTH - 1}`]);
    assert.equal(page.kept()?.step, LENGTH - 1);
    assert.equal(page.list.attributes.get('aria-activedescendant'), `step-${LENGTH - 1}`);
    assert.equal(page.document.scrolledTo?.attributes.get('data-step'), String(LENGTH - 1));
    const blocks = LENGTH / BLOCK_ROWS;
    page.document.see((at) => at >= blocks - 2);
    assert.equal(rows(page.list).length, 2 * BLOCK_ROWS);
    press(page, 'Home');
    assert.deepEqual(selected(page.list), ['NMI 0 delivered']);
    page.document.see((at) => at < 1);
    assert.equal(rows(page.list).length, BLOCK_ROWS);
    assert.deepEqual(page.posted.map((message) => (message.kind === 'jump' ? message.at.startLine : message.kind)), [LENGTH - 1, 0]);
    // Three blocks: the last, the one before it, and the first again. A row is less than 25 elements.
    assert.ok(page.document.made - made <= 3 * BLOCK_ROWS * 25, `${page.document.made - made} elements`);
  });

  it('a held arrow key walks through all steps with a message for each, and draws each block once', () => {
    const page = opened(LENGTH);
    page.posted.length = 0;
    let most = 0;
    const made = page.document.made;
    for (let step = 1; step < LENGTH; step += 1) {
      press(page, 'ArrowDown');
      if (step % BLOCK_ROWS !== 0) continue;
      page.document.see((at) => at === step / BLOCK_ROWS);
      most = Math.max(most, rows(page.list).length);
    }
    assert.deepEqual(selected(page.list), [`instruction ${LENGTH - 1}`]);
    assert.deepEqual(page.posted.map((message) => (message.kind === 'jump' ? message.at.startLine : message.kind)), Array.from({ length: LENGTH - 1 }, (_, at) => at + 1));
    assert.ok(most <= 2 * BLOCK_ROWS, `${most} rows`);
    assert.ok(page.document.made - made <= LENGTH * 25, `${page.document.made - made} elements`);
  });

  it('filters to the steps that match, moves over those, and shows all again', () => {
    const page = opened(LENGTH);
    page.filter.value = 'nmi delivered';
    page.filter.happens('input');
    page.document.see((at) => at === 0);
    assert.equal(count(page), `${LENGTH / NMI_EACH} of ${LENGTH} steps`);
    // Between two steps that match is a row that says how many do not.
    assert.equal(rows(page.list).length, BLOCK_ROWS / 2);
    assert.equal(page.list.withClass('hidden-steps')[0]?.textContent, `${NMI_EACH - 1} steps hidden`);
    press(page, 'End');
    assert.deepEqual(selected(page.list), [`NMI ${LENGTH / NMI_EACH - 1} delivered`]);
    press(page, 'ArrowUp');
    assert.deepEqual(selected(page.list), [`NMI ${LENGTH / NMI_EACH - 2} delivered`]);
    page.filter.value = '';
    page.filter.happens('input');
    assert.equal(count(page), `${LENGTH} steps`);
    assert.deepEqual(selected(page.list), [`NMI ${LENGTH / NMI_EACH - 2} delivered`]);
    assert.ok(rows(page.list).length <= 2 * BLOCK_ROWS);
  });

  it('hides the steps that change nothing', () => {
    const page = opened(LENGTH);
    page.root.all().find((one) => one.name === 'button' && one.textContent === 'Only changes')?.happens('click');
    // One in ten, and the last one.
    assert.equal(count(page), `${LENGTH / 10 + 1} of ${LENGTH} steps`);
  });

  it('follows the editor to a step far away', () => {
    const page = opened(LENGTH);
    page.root.all().find((one) => one.name === 'button' && one.textContent === 'Follow editor')?.happens('click');
    page.page.receive({ kind: 'cursor', uri: 'file:///w/entry.S', line: 7_777 });
    assert.deepEqual(selected(page.list), ['instruction 7777']);
  });

  it('is copied as the text that came with it, in one message', () => {
    const page = opened(LENGTH);
    page.posted.length = 0;
    page.root.all().find((one) => one.name === 'button' && one.textContent === 'Copy as text')?.happens('click');
    assert.deepEqual(page.posted, [{ kind: 'copy', text: `a trace of ${LENGTH} steps\n` }]);
  });

  it('a page that was hidden comes back at its step, with no more than it needs', () => {
    const before = opened(LENGTH);
    press(before, 'End');
    const state = before.kept();
    assert.ok(state !== undefined);
    remove();
    const again = opened(LENGTH, state);
    assert.deepEqual(selected(again.list), [`instruction ${LENGTH - 1}`]);
    assert.equal(again.document.scrolledTo?.attributes.get('data-step'), String(LENGTH - 1));
    assert.equal(rows(again.list).length, 2 * BLOCK_ROWS);
  });
});
