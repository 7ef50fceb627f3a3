// Opening the bad design shows its finding at the store; editing the store away clears it.
import assert from 'node:assert/strict';
import { bad, openDesigns } from './entrycheck.mjs';

describe('diagnostics in the editor', () => {
  let workbench;
  let line;

  before(async () => {
    workbench = await openDesigns();
    line = workbench.lineOf(bad.file, bad.store);
  });
  after(() => workbench?.close());

  it('opening the bad design shows the squiggle with its message at the store', async () => {
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForSquiggle(line);
    const row = await workbench.waitForDiagnostic(bad.message);
    assert.ok(row.includes(bad.rule), `the row names the rule: ${row}`);
    assert.ok(row.includes(`[Ln ${line},`), `the row names line ${line}: ${row}`);
    await workbench.screenshot('squiggle');
  });

  it('editing the store away clears it within a second, and undoing brings it back', async () => {
    const taken = [];
    for (let round = 0; round < 3; round++) {
      await workbench.clickWord(line, bad.word);
      await workbench.press('Home');
      await workbench.typeText('//');
      const started = Date.now();
      await workbench.waitForNoSquiggle(line);
      await workbench.waitForNoDiagnostic(bad.message);
      taken.push(Date.now() - started);
      if (round === 0) await workbench.screenshot('store-edited-away');
      await workbench.press('Control+Z');
      await workbench.waitForSquiggle(line);
      await workbench.waitForDiagnostic(bad.message);
    }
    console.log(`      cleared after ${taken.join(', ')} ms`);
    const median = [...taken].sort((a, b) => a - b)[1];
    assert.ok(median < 1000, `the median of ${taken.join(', ')} ms is under a second`);
  });
});
