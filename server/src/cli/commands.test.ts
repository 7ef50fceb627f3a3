import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { runCommand, withFiles } from '../testing/command-line.ts';
import type { Ran } from '../testing/command-line.ts';

describe('entrycheck', () => {
  it('--help lists the commands and the exit statuses', async () => {
    const { status, out } = await runCommand(['--help']);
    assert.equal(status, 0);
    for (const word of ['check', 'run', 'test', 'compare', 'context', 'explain', 'review', 'expand', 'stats', 'dap', 'lsp']) assert.match(out, new RegExp(`^ {2}${word} `, 'm'));
    assert.match(out, /0 nothing found, 1 findings, 2 could not run/);
  });

  for (const command of ['check', 'run', 'test', 'compare', 'context', 'explain', 'review', 'expand', 'stats', 'dap', 'lsp']) {
    it(`${command} --help tells its usage, of at most 100 columns`, async () => {
      const { status, out } = await runCommand([command, '--help']);
      assert.equal(status, 0);
      assert.ok(out.startsWith(`usage: entrycheck ${command}`));
      for (const line of out.split('\n')) assert.ok(line.length <= 100, line);
    });
  }

  it('--version is the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
    assert.deepEqual(await runCommand(['--version']), { status: 0, out: `entrycheck ${version}\n`, err: '' });
    assert.deepEqual(await runCommand(['check', '--version']), { status: 0, out: `entrycheck ${version}\n`, err: '' });
  });

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a misspelt command', ['chek', '.'], /^entrycheck: no command 'chek'; did you mean 'check'\?/],
    ['no command', [], /^usage: /],
    ['a misspelt option', ['check', '--fromat', 'json', '.'], /unknown option '--fromat'; did you mean '--format'\?/],
    ['a format that is not there', ['check', '--format', 'jsn', '.'], /--format is one of gcc, json, mail, sarif, checkpatch, not 'jsn'; did you mean 'json'\?/],
    ['an option without its value', ['check', '.', '--format'], /--format/],
    ['a number that is none', ['run', '--max-states', 'many', 'all'], /--max-states takes a number above 0, not 'many'/],
    ['check without a path', ['check'], /no PATH given/],
    ['a path that is not there', ['check', 'no/such/path'], /^entrycheck: no\/such\/path: no such file; /],
    ['a scenario file that is not there', ['run', 'no-such.yaml'], /^entrycheck: no-such\.yaml: no such file/],
    ['a context without a line', ['context', 'entry.S'], /give one place as FILE:LINE or FILE:LINE:COLUMN, not 'entry\.S'/],
    ['a context in a file that is not there', ['context', 'no/such.S:3'], /^entrycheck: no\/such\.S: no such file/],
    ['the server without its streams', ['lsp'], /entrycheck lsp --stdio/],
  ];
  for (const [name, argv, message] of wrong) {
    it(`${name}: exit 2 and one sentence with the mend`, async () => {
      const { status, out, err } = await runCommand(argv);
      assert.equal(status, 2);
      assert.equal(out, '');
      assert.match(err, message);
      assert.doesNotMatch(err, /\n\s+at /);
    });
  }

  it('a folder without sources, a file of another kind, a binary file and a file above the cap: exit 2, each said', async () => {
    const files = { 'empty/readme.txt': 'x', 'notes.txt': 'x', 'notes.pdf': 'x', 'binary.S': new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]), 'large.S': 'a'.repeat(5_000_000) };
    await withFiles(files, async (folder) => {
      const said = async (path: string): Promise<string> => {
        const { status, err } = await runCommand(['check', path], folder);
        assert.equal(status, 2);
        return err;
      };
      assert.equal(await said('empty'), 'entrycheck: empty: no assembler, C or scenario files in this folder or below (.S, .s, .c, .xctx-scenario.yaml)\n');
      assert.equal(await said('notes.txt'), 'entrycheck: notes.txt: no assembler or C code was recognised in it; put it between lines of ``` (```asm, ```c)\n');
      assert.equal(await said('notes.pdf'), 'entrycheck: notes.pdf: not an assembler, C or scenario file (.S, .s, .c, .xctx-scenario.yaml), and no text that code is taken from (.md, .txt, .eml, .mbox, .patch, .diff)\n');
      assert.equal(await said('binary.S'), 'entrycheck: binary.S: not analysed: binary file\n');
      assert.equal(await said('large.S'), 'entrycheck: large.S: not analysed: larger than 4 MB\n');
    });
  });

  it('run prints its traces as Markdown, as a chart, and as ITF, an object a line; of what holds there is none', async () => {
    const run = async (format: string, design: string): Promise<Ran> => runCommand(['run', '--format', format, 've-in-task', `test-fixtures/designs/${design}`]);
    const chart = await run('mermaid', 'clear-on-ist-early');
    assert.equal(chart.out.match(/^sequenceDiagram$/gm)?.length, 3);
    const markdown = await run('markdown', 'clear-on-ist-early');
    assert.equal(markdown.out.match(/^### clear-on-ist-early: ve-in-task from \S+: violated$/gm)?.length, 3);
    const traces = (await run('itf', 'clear-on-ist-early')).out.trimEnd().split('\n').map((line) => JSON.parse(line) as { readonly states: readonly unknown[] });
    assert.equal(traces.length, 3);
    assert.ok(traces.every(({ states }) => states.length > 2));
    const none = await run('itf', 'clear-on-ist-last');
    assert.equal(none.out.split('\n').length, 3);
    assert.deepEqual(await run('mermaid', 'no-ist-early-arm'), { status: 0, out: '', err: 'entrycheck: no run is violated, so there is no trace\n' });
  });

  it('check tells what it did not explore to its end, and finds nothing by it', async () => {
    const sketch = (states: number): string => `name: short
handlers:
  nmi:
    ist: NMI
    ops: [{access: user_frame}, {access: user_frame}, iret]
explore: {nmi: 1, states: ${states}}
expect:
  - {never: live-frame-overwritten}
`;
    await withFiles({ 'short.xctx-scenario.yaml': sketch(3), 'whole/whole.xctx-scenario.yaml': sketch(500_000) }, async (folder) => {
      const short = await runCommand(['check', 'short.xctx-scenario.yaml'], folder);
      assert.match(short.err, /^entrycheck: not explored to its end: short of short\.xctx-scenario\.yaml from user and 2 more: bound hit: \d+ states$/m);
      const json = await runCommand(['check', '--format', 'json', 'short.xctx-scenario.yaml'], folder);
      assert.match((JSON.parse(json.out) as { readonly unknown: readonly string[] }).unknown[0] ?? '', /^not explored to its end: /);
      const whole = await runCommand(['check', 'whole'], folder);
      assert.doesNotMatch(whole.err, /not explored/);
    });
  });

  it('a line behind the end of the file: exit 2 and the number of lines', async () => {
    await withFiles({ 'a.S': 'nop\nnop\n' }, async (folder) => {
      assert.equal((await runCommand(['context', 'a.S:70'], folder)).err, 'entrycheck: a.S:70: the file has 3 lines\n');
    });
  });
});
