// Sketches as they are pasted, one a page of test-fixtures/sketches: right ones are silent, wrong ones are found by the
// rule that the page names, without an annotation where names tell enough.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { runCommand, withFiles } from '../testing/command-line.ts';

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

  it('are followed up to a macro that is not in view, which is told', async () => {
    const { unknown } = await check(`${folder}/unseen-macro.md`);
    assert.ok(unknown.includes('ENTER_FROM_ANYWHERE is no instruction and no macro in view: what comes behind it in asm_exc_invalid_op is not judged'), unknown.join('; '));
  });

  it('rest on what their names say, and that is told', async () => {
    const { unknown } = await check(`${folder}/gp-right.md`);
    assert.ok(unknown.includes('asm_exc_general_protection is taken for the stub of #GP by its name, without an IST stack: a handler annotation says otherwise'), unknown.join('; '));
  });
});

const scenario = (ops: string, more: string): string => `name: sketch
handlers:
  ve:
${ops}
${more}`;
const nmi = '  nmi: {ist: NMI, ops: [{access: user_frame}, iret]}\n';

describe('sketches of operations', () => {
  const rows: readonly (readonly [string, string, string | null])[] = [
    ['the word is cleared first', scenario('    ist: VE\n    ops: [{clear: ve.busy}, read-info, fixup, iret]', nmi), 'guard-cleared-on-rewinding-stack'],
    ['without IST', scenario('    ops: [read-info, {clear: ve.busy}, fixup, iret]', `${nmi}initial: {context: [user, kernel]}\n`), null],
    ['without IST, in the gap', scenario('    ops: [read-info, {clear: ve.busy}, fixup, iret]', 'initial: {context: gap}\nexpect: [{never: frame-on-user-stack}]\n'), 'ist-required'],
    ['to the interrupted stack, in the gap', scenario('    ist: VE\n    ops: [{switch-stack: interrupted}, read-info, {clear: ve.busy}, fixup, iret]', 'initial: {context: gap}\n'), 'unsafe-switch-off-ist'],
    ['to a stack that was checked, in the gap and elsewhere', scenario('    ist: VE\n    ops: [{switch-stack: checked}, read-info, {clear: ve.busy}, fixup, iret]', `${nmi}initial: {context: [gap, user, kernel]}\n`), null],
    ['interrupts on behind the deferral', scenario('    ist: VE\n    ops: [read-info, {defer: irq-work, clears: ve.busy}, enable-irqs, {work: slow}, disable-irqs, iret]', ''), 'rearm-lands-on-live-frame'],
  ];
  for (const [name, text, rule] of rows) {
    it(`${name}: ${rule ?? 'holds'}`, async () => {
      await withFiles({ 'a.xctx-scenario.yaml': text }, async (folder) => {
        const { status, out } = await runCommand(['run', 'a.xctx-scenario.yaml'], folder);
        if (rule === null) {
          assert.equal(status, 0, out);
          assert.doesNotMatch(out, /: (?:error|warning): /);
        } else {
          assert.equal(status, 1, out);
          assert.match(out, new RegExp(`\\[${rule}\\]$`, 'm'));
        }
      });
    });
  }
});

describe('hurried input', () => {
  const stub = 'asm_exc_invalid_op:\n\tclac\n\tcld\n\tcall exc_invalid_op\n\tiretq\n';
  const rows: readonly (readonly [string, { readonly [path: string]: string }, readonly string[], number, RegExp])[] = [
    ['a macro in itself ends, and what is behind it is read', { 'a.S': `.macro m\n\tm\n.endm\n\tm\n${stub}` }, ['a.S'], 1, /a\.S:4:2: warning: macros nest deeper than 200: the rest of this use is left out/],
    ['a byte order mark is no statement', { 'a.S': `\ufeff${stub}` }, ['a.S'], 0, /^$/],
    ['C nested for ever is not read', { 'a.c': `void exc_nmi(struct pt_regs *r) { x = ${'('.repeat(20_000)}1${')'.repeat(20_000)}; }\n` }, ['a.c'], 1, /a\.c:1:1: info: cannot read this statement/],
    ['a vector that is none', { 'a.c': '/* xctx: handler vector=NMX */\nvoid f(struct pt_regs *r)\n{\n\tg();\n}\n' }, ['a.c'], 1, /a\.c:1:25: warning: no vector is named `NMX`, write `NMI`/],
    ['a vector in small letters', { 'a.c': '/* xctx: handler vector=nmi ist=NMI */\nvoid f(struct pt_regs *r)\n{\n\tspin_lock(&l);\n}\n' }, ['a.c'], 1, /lock-in-nmi-like/],
    ['a Markdown page whose fence is not closed', { 'a.md': `\`\`\`asm\n${stub}` }, ['a.md'], 0, /^$/],
    ['no path at all', {}, [''], 2, /^$/],
  ];
  for (const [name, files, paths, wanted, message] of rows) {
    it(name, async () => {
      await withFiles(files, async (folder) => {
        const { status, out } = await runCommand(['check', ...paths], folder);
        assert.equal(status, wanted, out);
        assert.match(out.split('\n    ')[0] ?? '', message);
      });
    });
  }

  it('a sketch is one in a kernel tree too, from the standard input and from a mail, and is shown by its name', async () => {
    const sketch = 'asm_exc_debug:\n\tclac\n\tcall exc_debug\n\tiretq\n';
    const tree = { 'Makefile': 'VERSION = 6\nPATCHLEVEL = 12\n', 'include/linux/kconfig.h': '', 'arch/x86/entry/entry_64.S': '\tnop\n', 'arch/x86/kernel/idt.c': 'int x;\n', 'mail.txt': sketch };
    await withFiles(tree, async (folder) => {
      const alone = await runCommand(['check', '-', '--coverage'], '/', sketch);
      assert.match(alone.out, /^<stdin>:3:2: error: .*\[missing-cld\]$/m);
      assert.match(alone.out, /^coverage of <stdin>$/m);
      for (const below of ['', 'arch/x86/entry']) assert.deepEqual(await runCommand(['check', '-', '--coverage'], `${folder}/${below}`, sketch), alone);
      assert.equal((await runCommand(['check', 'mail.txt', '--coverage'], folder)).out, alone.out.replaceAll('<stdin>', 'mail.txt'));
    });
  });

  it('JSON is an object where nothing could be run', async () => {
    const { status, out } = await runCommand(['check', '--format', 'json', 'no/such/path']);
    assert.equal(status, 2);
    assert.deepEqual((JSON.parse(out) as Checked).unknown, ['no/such/path: no such file; paths are relative to the current folder']);
  });
});
