import assert from 'node:assert/strict';
import { runCommand, withFiles } from '../testing/command-line.ts';

const sketch = (name: string, ops: string, more = ''): string => `name: ${name}
handlers:
  ve:
    ist: VE
    ops: [read-info, ${ops}]
  nmi:
    ist: NMI
    ops: [{access: user_frame}, iret]
${more}`;
const good = sketch('kept-busy', 'fixup, {defer: landing-pad, clears: ve.busy}, iret');
const bad = (more = ''): string => sketch('clears-early', '{clear: ve.busy}, iret', more);

describe('entrycheck test', () => {
  it('a violated scenario is `not ok` with its verdicts and the trace; exit 1', async () => {
    await withFiles({ 'a/bad.xctx-scenario.yaml': bad() }, async (folder) => {
      const { status, out } = await runCommand(['test'], folder);
      assert.equal(status, 1);
      assert.match(out, /^TAP version 14\nnot ok 1 - a: clears-early\n {2}---\n {2}message: "violated from kernel, kernel-irqs-off"\n/);
      assert.match(out, /^ {4}a: clears-early from user: holds \(\d+ states, depth \d+\)$/m);
      assert.match(out, /^ {4}\.\/a\/bad\.xctx-scenario\.yaml:5:\d+: error: .*\[guard-cleared-on-rewinding-stack\]$/m);
      assert.equal(out.match(/note: trace of/g)?.length, 1);
      assert.ok(out.endsWith('\n  ...\n1..1\n'));
    });
  });

  it('a known bug passes while it shows, and fails once it is mended', async () => {
    await withFiles({ 'bad.xctx-scenario.yaml': bad('verdict: violated\n'), 'mended/good.xctx-scenario.yaml': `${good}verdict: violated\n` }, async (folder) => {
      const shows = await runCommand(['test', 'bad.xctx-scenario.yaml'], folder);
      assert.equal(shows.status, 0);
      assert.match(shows.out, /^ok 1 - .*: clears-early \(known bug: violated from kernel, kernel-irqs-off, as awaited\)$/m);
      const mended = await runCommand(['test', 'mended'], folder);
      assert.equal(mended.status, 1);
      assert.match(mended.out, /^not ok 1 - mended: kept-busy$/m);
      assert.match(mended.out, /take `verdict: violated` out of the scenario/);
    });
  });

  it('what holds passes; exit 0', async () => {
    await withFiles({ 'good.xctx-scenario.yaml': good }, async (folder) => {
      const { status, out } = await runCommand(['test', 'good.xctx-scenario.yaml'], folder);
      assert.deepEqual({ status, lines: out.split('\n').length }, { status: 0, lines: 4 });
      assert.match(out, /^ok 1 - .*: kept-busy$/m);
    });
  });

  it('built-in scenarios run on designs of code, and not with --own', async () => {
    const all = await runCommand(['test', 'test-fixtures/designs/plain-nmi']);
    assert.match(all.out, /^(?:not )?ok \d+ - plain-nmi: nmi-nested$/m);
    const own = await runCommand(['test', '--own', 'test-fixtures/designs/plain-nmi']);
    assert.equal(own.status, 2);
    assert.equal(own.err, 'entrycheck: test: nothing to run: no scenario file is in test-fixtures/designs/plain-nmi\n');
  });

  it('a scenario file with an error is no test that passes by not being there: exit 2', async () => {
    await withFiles({ 'bad.xctx-scenario.yaml': good.replace('handlers', 'handler') }, async (folder) => {
      const { status, out, err } = await runCommand(['test', '.'], folder);
      assert.deepEqual({ status, out }, { status: 2, out: '' });
      assert.match(err, /^\.\/bad\.xctx-scenario\.yaml:2:1: error: .*`handler`/m);
    });
  });

  it('--format junit: a suite a design, elements that are closed, text that XML may hold', async () => {
    await withFiles({ 'a&b/bad.xctx-scenario.yaml': bad(), 'c/good.xctx-scenario.yaml': good }, async (folder) => {
      const { status, out } = await runCommand(['test', '--format', 'junit'], folder);
      assert.equal(status, 1);
      assert.match(out, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="entrycheck" tests="2" failures="1" errors="0" skipped="0">\n/);
      assert.match(out, /<testsuite name="a&amp;b" tests="1" failures="1" errors="0" skipped="0">/);
      assert.match(out, /<testcase classname="c" name="kept-busy"\/>/);
      assert.match(out, /<failure message="violated from kernel, kernel-irqs-off" type="failed">/);
      const open: string[] = [];
      for (const [, end, name, alone] of out.matchAll(/<(\/?)([a-z]+)(?: [a-z]+="[^"<]*")*(\/?)>/g)) {
        if (end === '/') assert.equal(open.pop(), name);
        else if (alone !== '/') open.push(name ?? '');
      }
      assert.deepEqual(open, []);
      assert.doesNotMatch(out.replaceAll(/<\/?[a-z]+(?: [a-z]+="[^"<]*")*\/?>|^<\?.*\?>/gm, ''), /[<>]|&(?!(?:amp|lt|gt|quot|#10);)/);
    });
  });
});
