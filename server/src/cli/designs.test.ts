// `check` on whole designs: one finding a broken one, none on those that hold.
import assert from 'node:assert/strict';
import { runCommand } from '../testing/command-line.ts';

const designs: readonly (readonly [string, readonly string[]])[] = [
  ['apf-flags-checked', []],
  ['apf-flags-word', ['one-slot-word-consumed-by-nested']],
  ['fred-stack-level', []],
  ['move-off-ist-checked', []],
  ['plain-nmi', ['iret-in-nmi-needs-nesting']],
  ['switch-to-interrupted', ['unsafe-switch-off-ist']],
];

describe('check on designs', () => {
  for (const [design, rules] of designs) {
    it(`${design}: ${rules.join(', ') || 'nothing'}`, async () => {
      const { status, out } = await runCommand(['check', '--format', 'json', `test-fixtures/designs/${design}`]);
      const { findings } = JSON.parse(out) as { readonly findings: readonly { readonly rule: string }[] };
      assert.deepEqual(findings.map(({ rule }) => rule), rules);
      assert.equal(status, rules.length === 0 ? 0 : 1);
    });
  }
});
