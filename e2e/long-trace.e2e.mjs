// The trace panel with a trace of ten thousand steps, made here and given to the page as the extension gives it a run: few
// of its rows are in the document, and the keyboard, the filter, scrolling and copying work as with a short one.
import assert from 'node:assert/strict';
import { bad, commands, cornerCase, openDesigns, trace } from './entrycheck.mjs';

const length = 10_000;
/** Rows that may be in the document: some screens of them. */
const most = 500;
/** Steps of which one is named differently. */
const nmiEach = 100;

describe('a trace of ten thousand steps', () => {
  let workbench;
  let panel;
  let lines;

  before(async () => {
    workbench = await openDesigns();
    lines = { first: 1, last: workbench.lineOf(bad.file, bad.store) };
    await workbench.openFile(bad.file);
    await workbench.gotoLine(lines.last);
    await workbench.waitForSquiggle(lines.last);
    await workbench.runCommand(commands.runScenario);
    await workbench.pickQuickPick(cornerCase);
    panel = await workbench.webview(trace.verdict);
    await panel.locator(trace.step).first().waitFor();
    const uri = workbench.uriOf(bad.file);
    await panel.evaluate(showTrace, { uri, last: lines.last - 1, length, nmiEach });
    await panel.locator('.count', { hasText: `${length} steps` }).waitFor();
  });
  after(() => workbench?.close());

  const rowCount = async () => await panel.locator(trace.step).count();
  const selected = () => panel.locator(`${trace.step}[aria-selected="true"]`);

  async function select(key, step) {
    await panel.locator('#steps').press(key);
    await panel.locator(`#step-${step}[aria-selected="true"]`).waitFor();
    await workbench.waitUntil(async () => await panel.evaluate(isInView, `step-${step}`), `step ${step} in view`, 10_000);
    assert.equal(await selected().count(), 1);
    assert.ok((await rowCount()) <= most, `${await rowCount()} rows`);
  }

  /** From the selected step; the editor takes the keyboard, and the status bar shows where. */
  async function jump(line) {
    await panel.locator('#steps').press('Enter');
    await workbench.waitForCursor(line);
  }

  it('is drawn in part', async () => {
    const rows = await rowCount();
    assert.ok(rows > 0 && rows <= most, `${rows} rows`);
  });

  it('the last step and the first are a key away, and jump to their source', async () => {
    await select('End', length - 1);
    await workbench.screenshot('long-trace-end');
    await jump(lines.last);
    await select('ArrowUp', length - 2);
    await select('Home', 0);
    await jump(lines.first);
  });

  it('has every step where one scrolls to', async () => {
    for (const part of [0.25, 0.5, 0.75, 1]) {
      await panel.evaluate(scrollTo, part);
      await workbench.waitUntil(async () => await panel.evaluate(showsSteps), `steps in view at ${part}`, 10_000);
      assert.ok((await rowCount()) <= most, `${await rowCount()} rows at ${part}`);
    }
    await panel.locator(`#step-${length - 1}`).waitFor();
  });

  it('is filtered, and the keyboard moves over what matches', async () => {
    await panel.locator('input').fill('nmi delivered');
    await panel.locator('.count', { hasText: `${length / nmiEach} of ${length} steps` }).waitFor();
    await select('End', length - nmiEach);
    await select('ArrowUp', length - 2 * nmiEach);
    await panel.locator('input').fill('');
    await panel.locator('.count', { hasText: new RegExp(`^${length} steps`) }).waitFor();
    assert.ok((await rowCount()) <= most);
  });

  it('is copied', async () => {
    await panel.getByRole('button', { name: 'Copy as text' }).click();
    const copied = () => workbench.page.evaluate(() => navigator.clipboard.readText()).catch(() => '');
    await workbench.waitUntil(async () => (await copied()).startsWith(`the text of ${length} steps`), 'the text in the clipboard', 10_000);
  });
});

// The functions below run in the page.

function showTrace({ uri, last, length, nmiEach }) {
  const steps = Array.from({ length }, (_, index) => {
    const line = index === 0 ? 0 : last;
    return {
      title: index % nmiEach === 0 ? `NMI ${index / nmiEach} delivered` : `instruction ${index}`,
      at: { uri, startLine: line, startCharacter: 0, endLine: line, endCharacter: 1 },
      symbol: 'exc_ve',
      lane: index % 2 === 0 ? ['task'] : ['task', 'NMI'],
      // Rows are of different heights.
      changed: Array.from({ length: index % 4 }, (__, at) => ({ field: `field ${at}`, from: '0', to: '1' })),
      merged: 1,
    };
  });
  const run = {
    title: 'long', rule: null, message: null, design: 'long', scenario: 'long', start: 'user', verdict: 'violated', states: length, transitions: length, depth: length,
    variant: [], bounds: [], boundsHit: [], beyond: [], assumptions: [], remarks: [], steps, text: `the text of ${length} steps\n`,
  };
  window.postMessage({ kind: 'show', runs: [run], stopped: null, selected: 0 }, '*');
}

function isInView(id) {
  const list = document.getElementById('steps').getBoundingClientRect();
  const row = document.getElementById(id)?.getBoundingClientRect();
  return row !== undefined && row.top >= list.top - 1 && row.bottom <= list.bottom + 1;
}

function scrollTo(part) {
  const list = document.getElementById('steps');
  list.scrollTop = part * (list.scrollHeight - list.clientHeight);
}

/** Whether steps lie at the top, in the middle and at the bottom of the view. */
function showsSteps() {
  const list = document.getElementById('steps').getBoundingClientRect();
  return [0.1, 0.5, 0.9].every((part) => document.elementFromPoint(list.left + list.width / 2, list.top + part * list.height)?.closest('[data-step]') !== null);
}
