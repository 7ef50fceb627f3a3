// The two sub-commands that show what preprocessing makes of a file, run as the dispatcher runs them.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expand } from './expand.ts';
import { stats } from './stats.ts';

type Command = (argv: readonly string[], io: { write(text: string): void; error(text: string): void }) => Promise<number>;

async function run(command: Command, ...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const code = await command(argv, { write: (text) => void (out += text), error: (text) => void (error += text) });
  return { code, out, error };
}

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'expand-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const entry = '#include "m.h"\n.globl first\nfirst:\n\tTWICE cli\n#ifdef CONFIG_A\n\tsti\n#endif\nsecond:\n1:\tjmp 1b\n\t.byte 0x0f,0x01,0xca\n';
const macros = '.macro TWICE what\n\t\\what\n\tnop\n.endm\n';

describe('expand', () => {
  const folder = folderOf({ 'a.S': entry, 'm.h': macros, 'bad.S': 'nop\n.endr\n', '.config': 'CONFIG_A=y\n' });
  const file = join(folder, 'a.S');

  it('one line an instruction: symbol and index, places, statement', async () => {
    const { code, out, error } = await run(expand, file);
    const header = join(folder, 'm.h');
    assert.deepEqual(out.split('\n'), [
      `first+0\t${file}:4 <- ${file}:4\tcli`,
      `first+1\t${header}:3 <- ${file}:4\tnop`,
      `second+0\t${file}:9\tjmp 1b`,
      `second+1\t${file}:10\tclac`,
      '',
    ]);
    assert.equal(error, '');
    assert.equal(code, 0);
  });

  it('of one symbol, under a .config, with a definition', async () => {
    for (const option of [['--config', join(folder, '.config')], ['-D', 'CONFIG_A'], ['-DCONFIG_A=1']]) {
      const { out } = await run(expand, file, '--symbol', 'first', ...option);
      assert.deepEqual(out.split('\n').map((line) => line.split('\t')[2]), ['cli', 'nop', 'sti', undefined]);
    }
  });

  it('as JSON', async () => {
    const { out } = await run(expand, file, '--format', 'json', '--symbol=second');
    const parsed = JSON.parse(out) as { version: number; instructions: { text: string; line: number; column: number }[] };
    assert.equal(parsed.version, 1);
    assert.deepEqual(parsed.instructions.map((each) => [each.text, each.line, each.column]), [['jmp 1b', 9, 4], ['clac', 10, 2]]);
  });

  it('problems are told at their places', async () => {
    const { code, error } = await run(expand, join(folder, 'bad.S'));
    assert.equal(error, `${join(folder, 'bad.S')}:2:1: .endr without a beginning\n`);
    assert.equal(code, 1);
  });

  it('what cannot be done', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /^usage/], [[file, '--nonsense'], /unknown option --nonsense/], [[file, '--symbol'], /needs a value/], [[file, '--symbol', 'x'], /no instruction under the symbol x/],
      [[join(folder, 'none.S')], /cannot read/], [[file, '--config', 'none'], /no configuration none/], [[file, '--format', 'xml'], /unknown format/],
    ];
    for (const [argv, message] of cases) {
      const { code, out, error } = await run(expand, ...argv);
      assert.match(error, message);
      assert.deepEqual([code, out], [2, '']);
    }
  });
});

describe('stats', () => {
  it('counts what is not understood', async () => {
    const folder = folderOf({ 'x/a.S': '#include <asm/none.h>\nnop\nfrobnicate %rax\nSYM_START(a)\n', 'x/b.lds.S': 'SECTIONS', 'x/c.S': 'nop\n' });
    const { code, out } = await run(stats, folder, '--format', 'json');
    const parsed = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual([parsed['files'], parsed['instructions'], parsed['errorLines']], [2, 4, 0]);
    assert.deepEqual(parsed['unknownMnemonics'], [{ name: 'frobnicate', count: 1 }]);
    assert.deepEqual(parsed['unresolvedMacros'], [{ name: 'SYM_START', count: 1 }]);
    assert.deepEqual(parsed['unresolvedIncludes'], [{ name: 'asm/none.h', count: 1 }]);
    assert.equal(code, 0);
    const text = await run(stats, folder);
    assert.match(text.out, /^files: 2\nbytes: \d+\nlines inside ERROR: 0 of \d+ \(0\.00 %\)\n/);
  });

  it('needs paths that are there', async () => {
    assert.equal((await run(stats)).code, 2);
    assert.match((await run(stats, 'no/such/path')).error, /cannot read no\/such\/path/);
  });
});
