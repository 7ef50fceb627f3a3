// Sketches of a few lines: every rule of the catalogue speaks on its own, and nothing is said of the one that stands.
import assert from 'node:assert/strict';
import { reviewFiles } from './examples.test-data.ts';
import { RULES } from './index.ts';
import { SKETCHES } from './sketches.test-data.ts';

/** Rules of the catalogue by group: the first so many of each. */
const CATALOGUE = { VE: 16, NMI: 7, MC: 4, DB: 3, GS: 4, CR: 3, STK: 5, SYS: 4, FLG: 4, SPC: 2, INS: 3, CTX: 4, FRD: 2, ANN: 5 };

/** Rules that do not depend on what stubs or C code do in full, and have their sketches as abstract operations as well. */
const AS_OPERATIONS = ['guard-cleared-on-rewinding-stack', 'guard-never-rearmed', 'rearm-lands-on-live-frame', 'extable-rearm-on-rewinding-stack'];

describe('sketches', () => {
  it('are there for all 66 rules of the catalogue', () => {
    const names = new Map(RULES.map((rule) => [rule.id, rule.name]));
    const ids = Object.entries(CATALOGUE).flatMap(([group, count]) => Array.from({ length: count }, (_, index) => `XR-${group}${String(index + 1).padStart(2, '0')}`));
    assert.equal(ids.length, 66);
    const sketched = new Set(SKETCHES.map(({ rule }) => rule));
    for (const id of ids) assert.ok(sketched.has(names.get(id) ?? ''), `${id} has a sketch`);
  });

  it('come as operations where they can', () => {
    const operations = new Set(SKETCHES.filter(({ bad }) => Object.keys(bad).some((file) => file.endsWith('.yaml'))).map(({ rule }) => rule));
    assert.deepEqual([...operations].sort(), [...AS_OPERATIONS].sort());
  });

  for (const { rule, bad, good } of SKETCHES) {
    const [file = ''] = Object.keys(bad);
    it(`${rule} speaks on ${file}`, async () => {
      const { findings, lost } = await reviewFiles(bad);
      assert.deepEqual(lost, [], 'the editor keeps all');
      assert.ok(findings.some((finding) => finding.rule === rule), `said instead: ${findings.map((finding) => `${finding.message} [${finding.rule}]`).join('; ')}`);
    });
    it(`${rule} accepts ${file} without it`, async () => {
      const { findings } = await reviewFiles(good);
      assert.deepEqual(findings.map((finding) => `${finding.message} [${finding.rule}]`), []);
    });
  }
});
