import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { runCommand } from '../testing/command-line.ts';

const bad = 'test-fixtures/designs/clear-on-ist-early';
const good = 'test-fixtures/designs/self-ipi';

interface Compared {
  readonly runs: readonly { readonly scenario: string; readonly start: string; readonly change: string; readonly divergence: { readonly file: string | null; readonly kind: string } | null }[];
}

describe('entrycheck compare', () => {
  it('what a change fixes: the step at which the counterexample parts, told once for starts that tell the same', async () => {
    const { status, out, err } = await runCommand(['compare', bad, good]);
    assert.equal(status, 0);
    const lines = out.split('\n');
    const at = lines.indexOf('ve-in-task from kernel, kernel-irqs-off: fixed (violated -> holds)');
    assert.ok(at >= 0, out);
    assert.equal(lines[at + 1], '    note: the counterexample of clear-on-ist-early, followed in self-ipi, parts at step 2');
    assert.match(lines[at + 2] ?? '', /^ {4}test-fixtures\/designs\/clear-on-ist-early\/design\.c:28:2: note: 2\. \[kernel, IF=1 > #VE\] exc_ve: WRITE_ONCE\(ve->busy, 0\) clears ve_page\.busy while the frame is live$/);
    assert.match(lines[at + 3] ?? '', /: note: self-ipi: does not come to it$/);
    assert.match(out, /^nmi-nested from user, kernel, kernel-irqs-off: holds in both$/m);
    assert.match(out, /\nclear-on-ist-early -> self-ipi: 0 newly broken, 0 still broken, 11 fixed, 1 undecided, 4 hold in both\n$/);
    assert.equal(err, 'entrycheck: scenarios of self-ipi alone, which are not compared: self-ipi-on-ist\n');
  });

  it('what a change breaks: exit 1, the new trace whole, and where the base goes another way', async () => {
    const { status, out } = await runCommand(['compare', good, bad]);
    assert.equal(status, 1);
    assert.match(out, /^ve-in-task from kernel, kernel-irqs-off: newly broken \(holds -> violated\)\n {4}note: the counterexample of clear-on-ist-early, followed in self-ipi, parts at step 2\n/m);
    assert.match(out, /^ {4}test-fixtures\/designs\/clear-on-ist-early\/design\.c:28:2: error: reentrancy word cleared on IST stack.*\[guard-cleared-on-rewinding-stack\]$/m);
  });

  it('--format json is as its schema has it, with the same answers', async () => {
    const { status, out } = await runCommand(['compare', '--format', 'json', bad, 'test-fixtures/designs/clear-on-ist-last']);
    assert.equal(status, 0);
    const value = JSON.parse(out) as Compared;
    const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync('docs/schema/compare.schema.json', 'utf8')) as object);
    assert.ok(validate(value), JSON.stringify(validate.errors));
    const still = value.runs.find(({ scenario, start }) => scenario === 've-in-syscall-gap' && start === 'gap');
    assert.deepEqual({ change: still?.change, kind: still?.divergence?.kind }, { change: 'still broken', kind: 'not-reached' });
  });

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['one design', [bad], /give two designs/],
    ['the same twice', [bad, `${bad}/`], /are the same design/],
    ['a folder of many', ['test-fixtures/designs', good], /test-fixtures\/designs: \d+ designs \(apf-flags-checked, apf-flags-word, clear-on-ist-early \.\.\.\): name one of them/],
    ['nothing there', [bad, 'no/such'], /^entrycheck: compare: no\/such: no such file/],
    ['nothing in common', ['test-fixtures/scenarios', good], /no scenario applies to both/],
  ];
  for (const [name, paths, message] of wrong) {
    it(`${name}: exit 2 and one sentence with the mend`, async () => {
      const { status, out, err } = await runCommand(['compare', ...paths]);
      assert.deepEqual({ status, out }, { status: 2, out: '' });
      assert.match(err, message);
    });
  }
});
