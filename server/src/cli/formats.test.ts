// The forms that other programs read: SARIF for code scanning, checkpatch's lines for b4 and editors.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import type { Log, Result } from 'sarif';
import { runCommand, withFiles } from '../testing/command-line.ts';
import { sarifErrors } from '../testing/sarif-schema.ts';

const handler = (work: string, above = ''): string => `${above}/* xctx: handler vector=NMI ist=NMI */
void exc_nmi(struct pt_regs *regs)
{
${work}	count(regs);
}
`;
const mutex = '\tmutex_lock(&fresh);\n';
const allowed = '\t/* xctx: allow sleeping-in-atomic-exception -- a test of it */\n\tmutex_lock(&other);\n';

async function sarif(argv: readonly string[], folder?: string): Promise<{ readonly log: Log; readonly results: readonly Result[]; readonly notes: readonly string[]; readonly status: number; readonly err: string }> {
  const { status, out, err } = await runCommand(['check', '--format', 'sarif', ...argv], folder);
  const log = JSON.parse(out) as Log;
  assert.deepEqual(sarifErrors(log), []);
  return { log, results: log.runs[0]?.results ?? [], notes: log.runs[0]?.invocations?.[0]?.toolExecutionNotifications?.map(({ message }) => message.text ?? '') ?? [], status, err };
}

const fingerprints = (results: readonly Result[]): readonly unknown[] => results.map(({ partialFingerprints }) => partialFingerprints);

describe('check --format sarif', () => {
  it('is as its schema says for designs, with every rule and the way to each finding', async () => {
    const { log, results, status } = await sarif(['test-fixtures/designs/clear-on-ist-early', 'test-fixtures/designs/never-rearmed']);
    assert.equal(status, 1);
    assert.deepEqual(results.map(({ ruleId, level }) => [ruleId, level]), [['guard-cleared-on-rewinding-stack', 'error'], ['guard-never-rearmed', 'warning']]);
    const driver = log.runs[0]?.tool.driver;
    assert.ok((driver?.rules?.length ?? 0) > 90);
    for (const { ruleId, ruleIndex, codeFlows } of results) {
      assert.equal(driver?.rules?.[ruleIndex ?? -1]?.id, ruleId);
      assert.ok((codeFlows?.[0]?.threadFlows[0]?.locations.length ?? 0) > 1);
    }
    assert.deepEqual(log.runs[0]?.originalUriBaseIds, { '%SRCROOT%': { uri: `${pathToFileURL(process.cwd()).href}/` } });
  });

  it('has what code in a page, in a file beside it and on the standard way of a path is called', async () => {
    const page = await sarif(['test-fixtures/sketches/gp-extra-errcode.md']);
    assert.deepEqual(page.results.map(({ locations }) => locations?.[0]?.physicalLocation?.artifactLocation), [{ uri: 'test-fixtures/sketches/gp-extra-errcode.md', uriBaseId: '%SRCROOT%' }]);
    assert.ok(page.notes.some((note) => /by its name/.test(note)));
    await withFiles({ 'd d/ü.c': handler(mutex), 'e/x.c': '' }, async (folder) => {
      const beside = await sarif(['../d d'], `${folder}/e`);
      assert.deepEqual(beside.results[0]?.locations?.[0]?.physicalLocation?.artifactLocation, { uri: pathToFileURL(`${folder}/d d/ü.c`).href });
      const below = await sarif(['d d'], folder);
      assert.deepEqual(below.results[0]?.locations?.[0]?.physicalLocation?.artifactLocation, { uri: 'd%20d/%C3%BC.c', uriBaseId: '%SRCROOT%' });
    });
  });

  it('knows a finding again where its lines moved, and has accepted ones as suppressed', async () => {
    await withFiles({ 'a/nmi.c': handler(mutex + allowed), 'b/nmi.c': handler(mutex), 'c/a/nmi.c': handler(`\tnote();\n${mutex}`, '\n\n') }, async (folder) => {
      const first = await sarif(['a'], folder);
      assert.deepEqual(first.results.map(({ suppressions }) => suppressions?.map(({ kind, justification }) => [kind, justification])), [undefined, [['inSource', 'a test of it']]]);
      assert.equal(first.status, 1);
      const moved = await sarif(['a'], `${folder}/c`);
      assert.deepEqual(fingerprints(moved.results), fingerprints(first.results.slice(0, 1)));
      assert.notDeepEqual(fingerprints((await sarif(['b'], folder)).results), fingerprints(moved.results));
    });
  });

  it('is a log too where nothing could be run', async () => {
    const { log, notes, results, status, err } = await sarif(['no/such/path']);
    assert.deepEqual([status, results, notes], [2, [], ['no/such/path: no such file; paths are relative to the current folder']]);
    assert.equal(log.runs[0]?.invocations?.[0]?.executionSuccessful, false);
    assert.match(err, /no such file/);
  });
});

const patch = (from: string, to: string): string => {
  const lines = (text: string, sign: string): string => text.split('\n').slice(0, -1).map((line) => `${sign}${line}\n`).join('');
  return `Subject: [PATCH] Work\n\n---\ndiff --git a/d/nmi.c b/d/nmi.c\n--- a/d/nmi.c\n+++ b/d/nmi.c\n@@ -1,${from.split('\n').length - 1} +1,${to.split('\n').length - 1} @@\n${lines(from, '-')}${lines(to, '+')}-- \n2.40\n`;
};

describe('check --format checkpatch', () => {
  it('prints a line a finding, in the words of checkpatch', async () => {
    const { status, out, err } = await runCommand(['check', '--format', 'checkpatch', 'test-fixtures/designs/clear-on-ist-early', 'test-fixtures/designs/never-rearmed']);
    assert.deepEqual([status, err], [1, '']);
    assert.match(out, /^test-fixtures\/designs\/clear-on-ist-early\/design\.c:\d+: ERROR: reentrancy word cleared .* \[guard-cleared-on-rewinding-stack\]\ntest-fixtures\/designs\/never-rearmed\/design\.c:\d+: WARNING: .* \[guard-never-rearmed\]\n$/);
  });

  it('says nothing on the error stream of a patch, in the tree or not, whether it brings something or not', async () => {
    const [before, after] = [handler('\tspin_lock(&known);\n'), handler(`\tspin_lock(&known);\n${mutex}`)];
    for (const text of [before, after]) {
      await withFiles({ 'd/nmi.c': text, 'x.patch': patch(before, after), 'y.patch': patch(text, handler('')), 'z.patch': '--- a/README\n+++ b/README\n@@ -1 +1 @@\n-a\n+b\n', README: 'a\n' }, async (folder) => {
        const brings = await runCommand(['check', '--format', 'checkpatch', 'x.patch'], folder);
        assert.deepEqual([brings.status, brings.err], [1, '']);
        assert.match(brings.out, /^d\/nmi\.c:5: ERROR: mutex_lock\(\) may sleep .* \[sleeping-in-atomic-exception\]\n$/);
        for (const name of ['y.patch', 'z.patch']) assert.deepEqual(await runCommand(['check', '--format', 'checkpatch', name], folder), { status: 0, out: '', err: '' });
      });
    }
  });

  it('warns where the result is worth less, and fails where there is none', async () => {
    await withFiles({ 'x.patch': patch(handler(''), handler(mutex)), 'other/x.c': 'int x;\n' }, async (folder) => {
      const { out, err } = await runCommand(['check', '--format', 'checkpatch', 'x.patch'], folder);
      assert.equal(err, '');
      assert.match(out, /^-: WARNING: x\.patch: d\/nmi\.c is not below the current folder: only the lines that the patch shows of it are reviewed/m);
    });
    await withFiles({ 'x.patch': patch(handler(''), handler(mutex)), 'd/nmi.c': 'int x;\n' }, async (folder) => {
      const { status, out, err } = await runCommand(['check', '--format', 'checkpatch', 'x.patch'], folder);
      assert.deepEqual([status, out], [2, '']);
      assert.match(err, /^entrycheck: check: x\.patch:7: the hunk does not apply to d\/nmi\.c: /);
    });
  });
});
