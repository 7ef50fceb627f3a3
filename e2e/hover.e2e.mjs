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
    // The context comes from the worker, which explores the designs meanwhile: the hover is asked until it is there.
    let text = await workbench.hoverAt(line, bad.word);
    for (let asked = 0; asked < 20 && !context.every((part) => part.test(text)); asked++) {
      await workbench.page.keyboard.press('Escape');
      await workbench.page.mouse.move(0, 0);
      await workbench.page.waitForTimeout(1000);
      text = await workbench.hoverAt(line, bad.word);
    }
    await workbench.screenshot('hover');
    assert.ok(text.includes(bad.message), `the hover repeats the finding:\n${text}`);
    for (const part of context) assert.match(text, part);
  });
});
