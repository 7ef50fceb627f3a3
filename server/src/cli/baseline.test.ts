// Baselines and coverage of `check`: what is known stays known where lines move, and what was judged is told.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { runCommand, withFiles } from '../testing/command-line.ts';

function handler(late: string, above = ''): string {
  return `${above}DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)
{
	unsigned long address = 0;
	irqentry_state_t state;

	state = irqentry_enter(regs);
${late}	handle_page_fault(regs, error_code, address);
	irqentry_exit(regs, state);
}
`;
}

const late = '\taddress = read_cr2();\n';

describe('check --baseline', () => {
  const inFolder = (use: (folder: string, check: (...argv: string[]) => ReturnType<typeof runCommand>) => Promise<void>) =>
    withFiles({ 'src/fault.c': handler(late) }, (folder) => use(folder, (...argv) => runCommand(['check', ...argv], folder)));
  const edit = (folder: string, text: string): void => writeFileSync(join(folder, 'src/fault.c'), text);

  it('counts what it has and does not show it, though lines moved', () =>
    inFolder(async (folder, check) => {
      assert.equal((await check('src')).status, 1);
      const written = await check('--write-baseline', 'known.json', 'src');
      assert.deepEqual([written.status, written.out], [0, '']);
      assert.match(written.err, /^entrycheck: 1 finding written to known\.json$/m);
      edit(folder, handler(late, '\n/* moved */\n\n'));
      const again = await check('--baseline', 'known.json', 'src');
      assert.deepEqual([again.status, again.out], [0, '']);
      assert.match(again.err, /1 finding is in the baseline known\.json and not shown/);
    }));

  it('shows a second finding of the same text', () =>
    inFolder(async (folder, check) => {
      await check('--write-baseline', 'known.json', 'src');
      edit(folder, handler(late).repeat(2));
      const { status, out } = await check('--baseline', 'known.json', 'src');
      assert.equal(status, 1);
      assert.equal(out.match(/cr2-read-late/g)?.length, 1);
    }));

  it('tells of entries that nothing matches any more, where it looked', () =>
    inFolder(async (folder, check) => {
      await check('--write-baseline', 'known.json', 'src');
      edit(folder, handler(''));
      const { status, err } = await check('--baseline', 'known.json', 'src');
      assert.equal(status, 0);
      assert.match(err, /known\.json: found no more: cr2-read-late at src\/fault\.c#exc_page_fault: address = read_cr2\(\);/);
      writeFileSync(join(folder, 'other.c'), 'void f(void) {}\n');
      assert.doesNotMatch((await check('--baseline', 'known.json', 'other.c')).err, /found no more/);
    }));

  it('is written as its schema says, and what is not so is refused', () =>
    inFolder(async (folder, check) => {
      await check('--write-baseline', 'known.json', 'src');
      const value: unknown = JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8'));
      const validate = new Ajv2020({ strict: true }).compile(JSON.parse(readFileSync('docs/schema/baseline.schema.json', 'utf8')) as object);
      assert.ok(validate(value), JSON.stringify(validate.errors));
      for (const [text, message] of [['', /it is no JSON/], ['{"version": 2, "findings": []}', /not a baseline of version 1/], ['{"version": 1, "findings": [{"rule": "x"}]}', /finding 1 is not as/]] as const) {
        writeFileSync(join(folder, 'known.json'), text);
        const { status, err } = await check('--baseline', 'known.json', 'src');
        assert.equal(status, 2);
        assert.match(err, message);
      }
      assert.match((await check('--baseline', 'none.json', 'src')).err, /none\.json: no such file; --write-baseline makes one/);
      assert.equal((await check('--baseline', 'a', '--write-baseline', 'b', 'src')).status, 2);
    }));

  it('is part of the JSON, with the coverage', () =>
    inFolder(async (_folder, check) => {
      await check('--write-baseline', 'known.json', 'src');
      const { out } = await check('--format', 'json', '--baseline', 'known.json', 'src');
      const value = JSON.parse(out) as { readonly findings: unknown[]; readonly baseline: unknown; readonly coverage: readonly { readonly c: readonly { readonly functions: number; readonly calls: unknown }[] }[] };
      assert.deepEqual([value.findings, value.baseline], [[], { file: 'known.json', known: 1, stale: [] }]);
      assert.deepEqual(value.coverage[0]?.c.map(({ functions, calls }) => ({ functions, calls })), [{ functions: 1, calls: { inView: 0, known: 3, unresolved: 1 } }]);
    }));

  it('has the coverage on request only', () =>
    inFolder(async (_folder, check) => {
      assert.doesNotMatch((await check('src')).out, /coverage/);
      const { out } = await check('--coverage', 'src');
      assert.match(out, /^coverage of src$/m);
      assert.match(out, /^ {4}calls: 0 in view, 3 with a row, 1 unresolved \(25\.0 % of 4\)$/m);
    }));
});
