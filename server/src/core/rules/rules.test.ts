// Every rule is complete, and every example in it speaks where it is marked and nowhere else.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { fixed, marksOf, reviewFiles, spokenOf } from './examples.test-data.ts';
import { RULES, ruleNamed } from './index.ts';

const FOLDER = 'server/src/core/rules';

function catalogueOrder(id: string): number {
  const [, group = '', number = ''] = /^XR-([A-Z]+)(\d+)$/.exec(id) ?? [];
  return ['VE', 'NMI', 'MC', 'DB', 'GS', 'CR', 'STK', 'SYS', 'FLG', 'SPC', 'REG', 'BIT', 'INS', 'CTX', 'FRD', 'ANN'].indexOf(group) * 100 + Number(number);
}

describe('the catalogue of rules', () => {
  it('is complete: file, words, references and examples for each', () => {
    for (const rule of RULES) {
      assert.ok(existsSync(`${FOLDER}/${rule.name}.ts`), `${rule.name} has a file of its name`);
      for (const key of ['summary', 'why', 'instead'] as const) assert.ok(rule[key].length > 20, `${rule.name} says ${key}`);
      assert.ok(!rule.summary.endsWith('.'), `${rule.name}: a summary has no full stop`);
      assert.ok(rule.references.length > 0, `${rule.name} has references`);
      assert.ok(rule.bad.length > 0 && rule.good.length > 0, `${rule.name} has examples`);
      assert.equal(ruleNamed(rule.name), rule);
      assert.equal(ruleNamed(rule.id.toLowerCase()), rule);
    }
  });

  it('is listed in the order of the catalogue, each rule once', () => {
    const order = RULES.map((rule) => catalogueOrder(rule.id));
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    assert.equal(new Set(RULES.map((rule) => rule.name)).size, RULES.length);
    assert.equal(new Set(RULES.map((rule) => rule.id)).size, RULES.length);
  });

  it('lists every file that is a rule', () => {
    const names = new Set(RULES.map((rule) => `${rule.name}.ts`));
    const others = ['call-tree.ts', 'deferral-fix.ts', 'example-text.ts', 'examples.test-data.ts', 'finding.ts', 'hand-over-word.ts', 'index.ts', 'interrupted-rsp.ts', 'line-fix.ts', 'mc-retry.ts', 'nmi-latch.ts', 'overwritten.ts', 'page.ts', 'path-examples.ts', 'path-vocabulary.ts', 'plain-pairs.ts', 'rule.ts', 'sketches-code.test-data.ts', 'sketches.test-data.ts', 'suppressions.ts', 'sysret-path.ts', 'text-edits.ts', 'tree-contexts.ts', 'tree-entries.ts', 'tree-proofs.ts', 'vocabulary.ts'];
    assert.deepEqual(readdirSync(FOLDER).filter((file) => !names.has(file) && !file.endsWith('.test.ts')).sort(), others);
  });
});

for (const rule of RULES) {
  let mended = 0;
  describe(`${rule.id} ${rule.name}`, () => {
    for (const example of rule.bad) {
      it(`speaks: ${example.title}`, async () => {
        const { findings, lost } = await reviewFiles(example.files);
        assert.deepEqual(lost, [], 'the editor keeps all');
        assert.ok(marksOf(example.files).some((mark) => mark.endsWith(` ${rule.name}`)), 'the example has a mark');
        assert.deepEqual(spokenOf(findings, example.files), marksOf(example.files));
        for (const finding of findings) {
          if (finding.rule === rule.name && rule.judge !== null) assert.notEqual(finding.trace ?? rule.inspect ?? rule.examine ?? null, null, 'a finding of a run has its trace');
          if (finding.rule !== rule.name || finding.fix === null) continue;
          mended += 1;
          const after = fixed(example.files, finding.fix);
          const again = await reviewFiles(after);
          assert.deepEqual(again.findings.filter((one) => one.rule === rule.name).map((one) => one.message), [], `the fix mends it:\n${Object.values(after).join('\n')}`);
          assert.deepEqual(again.findings.filter((one) => one.severity === 'error').map((one) => one.message), [], 'the fix brings no other error');
        }
      });
    }
    if (rule.fix !== null) it('has an example that its fix mends', () => assert.ok(mended > 0));
    for (const example of rule.good) {
      it(`is silent: ${example.title}`, async () => {
        assert.deepEqual(marksOf(example.files), []);
        const { findings } = await reviewFiles(example.files);
        assert.deepEqual(spokenOf(findings, example.files), []);
      });
    }
  });
}
