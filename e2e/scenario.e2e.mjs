// The palette runs the mail's corner case on the bad design; the trace opens beside the editor and its steps jump to
// their source.
import assert from 'node:assert/strict';
import { bad, commands, cornerCase, openDesigns, trace } from './entrycheck.mjs';

describe('scenarios from the palette', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns();
  });
  after(() => workbench?.close());

  it("the mail's corner case opens a trace whose steps jump to source", async () => {
    const line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForSquiggle(line);
    await workbench.runCommand(commands.runScenario);
    const rows = await workbench.quickPickRows();
    await workbench.screenshot('scenarios');
    assert.ok(rows.some((row) => cornerCase.test(row)), `one of the scenarios is the corner case:\n${rows.join('\n')}`);
    await workbench.pickQuickPick(cornerCase);
    const panel = await workbench.webview(trace.verdict);
    const steps = panel.locator(trace.step);
    await steps.first().waitFor();
    await workbench.screenshot('trace');

    let jumps = 0;
    for (let index = 0; index < (await steps.count()) && jumps < 3; index++) {
      const place = trace.place.exec(await steps.nth(index).innerText());
      if (place === null) continue;
      await steps.nth(index).click();
      await workbench.waitForActiveFile(place[1]);
      await workbench.waitForCursor(Number(place[2]));
      jumps++;
    }
    assert.equal(jumps, 3, 'three steps name their place');
    await workbench.screenshot('trace-step');
  });
});
