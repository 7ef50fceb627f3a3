import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { join } from 'node:path';
import { runCommand, withFiles } from '../testing/command-line.ts';
import { guardLines, treeWithout } from '../testing/kernel.ts';

const bad = 'test-fixtures/designs/clear-on-ist-early';
const good = 'test-fixtures/designs/self-ipi';

interface ComparedTrees {
  readonly findings: readonly { readonly change: string; readonly rule: string; readonly file: string; readonly followed: string; readonly divergence: { readonly kind: string; readonly text: string | null } | null }[];
}

/** A tree with all lines that its contract rests on, and one that lacks the CLD of its NMI stub. */
const lacking = guardLines.findIndex((line) => line.trim().startsWith('cld'));
const twoTrees = Object.fromEntries(([['old', []], ['new', [lacking]]] as const).flatMap(([name, dropped]) => Object.entries(treeWithout(dropped)).map(([path, text]) => [`${name}/${path}`, text])));

function validCompared(text: string): unknown {
  const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync('docs/schema/compare.schema.json', 'utf8')) as object);
  const value: unknown = JSON.parse(text);
  assert.ok(validate(value), JSON.stringify(validate.errors));
  return value;
}

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
    const value = validCompared(out) as Compared;
    const still = value.runs.find(({ scenario, start }) => scenario === 've-in-syscall-gap' && start === 'gap');
    assert.deepEqual({ change: still?.change, kind: still?.divergence?.kind }, { change: 'still broken', kind: 'not-reached' });
  });

  it('two kernel trees: what is newly broken with its trace, and the instruction at which the other tree parts', () =>
    withFiles(twoTrees, async (folder) => {
      const { status, out } = await runCommand(['compare', 'old/arch/x86/entry', 'new/arch/x86/entry'], folder);
      assert.equal(status, 1);
      assert.match(out, /^newly broken:\nnew\/arch\/x86\/entry\/entry_64\.S:\d+:\d+: error: .* \[missing-cld\]\n {4}note: trace of entry paths from /m);
      assert.match(out, /^ {4}note: the counterexample of new, followed in old, parts at step \d+\n.*\n {4}old\/arch\/x86\/entry\/entry_64\.S:\d+:\d+: note: old: runs \w+: cld first$/m);
      assert.match(out, /^still broken:\nnew\/.*: error: .*\n(?! )/m);
      assert.match(out, /\nold -> new: [1-9]\d* newly broken, [1-9]\d* still broken, 0 fixed\n$/);
    }));

  it('two kernel trees the other way: what is fixed, in JSON as its schema has it', () =>
    withFiles(twoTrees, async (folder) => {
      const { status, out } = await runCommand(['compare', '--format', 'json', join(folder, 'new/arch/x86/entry'), join(folder, 'old/arch/x86/entry')]);
      assert.equal(status, 0);
      const { findings } = validCompared(out) as ComparedTrees;
      const fixed = findings.find(({ change, rule }) => change === 'fixed' && rule === 'missing-cld');
      assert.match(fixed?.file ?? '', /\/new\/arch\/x86\/entry\/entry_64\.S$/);
      assert.deepEqual({ followed: fixed?.followed, kind: fixed?.divergence?.kind }, { followed: 'parts', kind: 'other-code' });
      assert.match(fixed?.divergence?.text ?? '', /: cld$/);
      assert.ok(!findings.some(({ change }) => change === 'newly broken'));
    }));

  it('a patch is told of with the place at which the tree without it goes another way', () =>
    withFiles(treeWithout([]), async (folder) => {
      const path = 'arch/x86/entry/entry_64.S';
      const lines = (treeWithout([])[path] ?? '').split('\n');
      const at = lines.indexOf(guardLines[lacking] ?? '');
      const around = lines.slice(at - 3, at + 4);
      writeFileSync(join(folder, 'cld.patch'), [`--- a/${path}`, `+++ b/${path}`, `@@ -${at - 2},7 +${at - 2},6 @@`, ...around.map((line, index) => `${index === 3 ? '-' : ' '}${line}`), ''].join('\n'));
      const { status, out } = await runCommand(['check', 'cld.patch'], folder);
      assert.equal(status, 1);
      assert.match(out, /\[missing-cld\]\n(?: {4}.*\n)* {4}arch\/x86\/entry\/entry_64\.S:\d+:\d+: note: without the patches another way from here, in step \d+: runs \w+: cld first\n/);
    }));

  it('a kernel tree and a design, or twice the same tree: exit 2 and one sentence', () =>
    withFiles(twoTrees, async (folder) => {
      const { status, err } = await runCommand(['compare', join(folder, 'old/arch/x86/entry'), good]);
      assert.equal(status, 2);
      assert.match(err, /one is in a kernel tree and the other a design/);
      const same = await runCommand(['compare', 'old/arch/x86/entry', 'old/arch/x86/entry/'], folder);
      assert.deepEqual([same.status, same.err], [2, 'entrycheck: compare: old/arch/x86/entry and old/arch/x86/entry/ are the same tree\n']);
    }));

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
