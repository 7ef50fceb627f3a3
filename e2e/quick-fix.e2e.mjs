// The quick fix leaves the bad design without its finding.
import assert from 'node:assert/strict';
import { bad, openDesigns, quickFix } from './entrycheck.mjs';

describe('quick fix', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns();
  });
  after(() => workbench?.close());

  it('leaves the design without the finding', async () => {
    const line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForDiagnostic(bad.message);
    await workbench.waitForSquiggle(line);
    const before = await workbench.lineText(line);
    await workbench.quickFix(line, bad.word, quickFix, 'quick-fix-menu');
    await workbench.waitForNoDiagnostic(bad.message);
    assert.notEqual(await workbench.lineText(line), before, 'the line of the store has changed');
    await workbench.screenshot('quick-fixed');
  });
});
