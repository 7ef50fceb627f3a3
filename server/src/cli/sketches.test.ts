// Sketches as they are pasted, one a page of test-fixtures/sketches: right ones are silent, wrong ones are found by the
// rule that the page names, without an annotation where names tell enough.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { runCommand } from '../testing/command-line.ts';

const folder = 'test-fixtures/sketches';

interface Checked {
  readonly findings: readonly { readonly rule: string; readonly file: string; readonly line: number }[];
  readonly unknown: readonly string[];
}

async function check(path: string): Promise<Checked> {
  return JSON.parse((await runCommand(['check', '--format', 'json', path])).out) as Checked;
}

describe('pasted sketches', () => {
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));

  it('are half right and half wrong, more or less', () => {
    const silent = pages.filter((name) => /^Silent\.$/m.test(readFileSync(`${folder}/${name}`, 'utf8')));
    assert.ok(silent.length * 4 >= pages.length && silent.length * 4 <= pages.length * 3, `${silent.length} of ${pages.length} are silent`);
  });

  for (const name of pages) {
    const text = readFileSync(`${folder}/${name}`, 'utf8');
    const expected = /^Speaks: (.*)$/m.exec(text)?.[1]?.split(', ') ?? [];
    it(`${name}: ${expected.length === 0 ? 'silent' : expected.join(', ')}`, async () => {
      assert.ok(expected.length > 0 || /^Silent\.$/m.test(text), 'the page says what is expected');
      const { findings } = await check(`${folder}/${name}`);
      assert.deepEqual([...new Set(findings.map(({ rule }) => rule))].sort(), expected);
      const lines = text.split('\n');
      for (const finding of findings) {
        assert.equal(finding.file, `${folder}/${name}`);
        assert.match(lines[finding.line - 1] ?? '', /\S/);
      }
    });
  }

  it('that nothing ties to an event are told of', async () => {
    const { unknown } = await check(`${folder}/anonymous-stub.md`);
    assert.ok(unknown.some((one) => one.startsWith('nothing says which event enters foo_entry')), unknown.join('; '));
  });

  it('rest on what their names say, and that is told', async () => {
    const { unknown } = await check(`${folder}/gp-right.md`);
    assert.ok(unknown.includes('asm_exc_general_protection is taken for the stub of #GP by its name, without an IST stack: a handler annotation says otherwise'), unknown.join('; '));
  });
});
