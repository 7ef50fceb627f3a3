// Sketches of a few lines: every rule of the catalogue speaks on its own, and nothing is said of the one that stands.
import { reviewFiles } from './examples.test-data.ts';
import { SKETCHES } from './sketches.test-data.ts';

describe('sketches', () => {
  for (const { rule, bad, good } of SKETCHES) {
    it(`${rule} in ${Object.keys(bad).join()}`, async () => {
      const b = (await reviewFiles(bad)); const g = (await reviewFiles(good));
      const ok = b.findings.some((f) => f.rule === rule) && g.findings.length === 0;
      if (!ok || b.findings.some((f) => f.rule !== rule)) console.log(ok ? 'ok' : 'MISS', rule, Object.keys(bad).join(), 'BAD', b.findings.map((f) => `${f.rule}: ${f.message.slice(0, 60)}`), 'GOOD', g.findings.map((f) => `${f.rule}: ${f.message.slice(0, 100)}`));
    });
  }
});
