// The first steps of a newcomer: a sketch that is on no disk, run, its trace, and mended.
import assert from 'node:assert/strict';
import { openDesigns, sketchWithTrace } from './entrycheck.mjs';

describe('a new sketch', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns('plain-nmi');
  });
  after(() => workbench?.close());

  it('has a finding and a counterexample before it is saved', async () => {
    await sketchWithTrace(workbench, 'sketch');
    assert.match(await workbench.lineText(5), /clear: ve\.busy/);
  });
});
