// The hover at the store of the bad design tells the exception context.
import assert from 'node:assert/strict';
import { bad, context, openDesigns } from './entrycheck.mjs';

describe('hover', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns();
  });
  after(() => workbench?.close());

  it('at the store shows the exception context', async () => {
    const line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForSquiggle(line);
    const text = await workbench.hoverAt(line, bad.word);
    await workbench.screenshot('hover');
    assert.ok(text.includes(bad.message), `the hover repeats the finding:\n${text}`);
    for (const part of context) assert.match(text, part);
  });
});
