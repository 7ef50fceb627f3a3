// The first steps of a newcomer: a sketch that is on no disk, run, its trace, and mended.
import assert from 'node:assert/strict';
import { commands, openDesigns, trace } from './entrycheck.mjs';

describe('a new sketch', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns('plain-nmi');
  });
  after(() => workbench?.close());

  it('has a finding and a counterexample before it is saved', async () => {
    await workbench.runCommand(commands.newSketch);
    await workbench.waitForTab('sketch.xctx-scenario.yaml');
    await workbench.waitForSquiggle(5);
    await workbench.runCommand(commands.runAllScenarios);
    const panel = await workbench.webview(trace.verdict);
    await panel.locator(trace.step).first().waitFor();
    await workbench.screenshot('sketch');
    assert.match(await workbench.lineText(5), /clear: ve\.busy/);
  });
});
