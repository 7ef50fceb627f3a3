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

describe('mails', () => {
  const head = 'From: A <a@b.c>\nSubject: Re: entry\nDate: Tue, 5 May 2020 10:00:00 +0200\n\n';
  const stub = (around: readonly [string, string]): string => `nmi_entry:\n\tcld\n\tclac\n\tpushq\t$-1\n\tPUSH_AND_CLEAR_REGS\n${around[0]}\tmovq\t%rsp, %rdi\n\tcall\tdo_nmi\n${around[1]}\tPOP_REGS\n\taddq\t$8, %rsp\n\tiretq\n`;
  const bySelector = '\ttestb\t$3, CS(%rsp)\n\tjz\t1f\n\tswapgs\n1:\tlfence\n';
  const byValue: readonly [string, string] = ['\trdgsbase %r15\n\tGET_PERCPU_BASE %rax\n\twrgsbase %rax\n\tlfence\n', '\twrgsbase %r15\n'];
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['a diff is quoted twice, wrapped, with lines that end in CRLF', `${head}On Thu, Z wrote:\n> On Wed, W wrote:\n> > +DEFINE_IDTENTRY_RAW(exc_nmi)\n> > +{\n> > +\tirqentry_state_t st = irqentry_nmi_enter(regs);\n> > +\tstruct rec *r;\n> > +\n> > +\tr = kmalloc(sizeof(*r), GFP_KERNEL | __GFP_NOWARN |\n> > __GFP_ZERO);\n> > +\trecord(r, regs);\n> > +\tirqentry_nmi_exit(regs, st);\n> > +}\n>\n> You can't allocate here.\n\nRight.\n`.replace(/\n/g, '\r\n'), ['12 sleeping-in-atomic-exception']],
    ['a patch is answered between its lines', `${head}> diff --git a/x.c b/x.c\n> --- /dev/null\n> +++ b/x.c\n> @@ -0,0 +1,9 @@\n> +DEFINE_IDTENTRY_MCE(exc_machine_check)\n> +{\n> +\tirqentry_state_t state = irqentry_nmi_enter(regs);\n> +\n> +\tmutex_lock(&mce_log_mutex);\n\nNo, you cannot do that here.\n\n> +\tmce_log_it(regs);\n> +\tmutex_unlock(&mce_log_mutex);\n> +\tirqentry_nmi_exit(regs, state);\n> +}\n\nThx.\n`, ['13 sleeping-in-atomic-exception']],
    ['a wrong version stands above a right one', `${head}You have:\n\n${stub([bySelector, bySelector.replace('1f', '2f').replace('1:\tlfence', '2:')])}\nBetter:\n\n${stub(byValue)}`, ['17 cs-test-in-super-atomic']],
    ['steps are told in words', `${head}Basically:\n\n\tnmi:\n\t\tif (from user) {\n\t\t\tswitch to thread stack\n\t\t\tcall C\n\t\t\treturn to user\n\t\t}\n\t\tsave GSBASE, CR3\n\t\tcall C          <-- may fault here, IRET unblocks NMI\n\t\tiret\n\nSo the only problem is the second one.\n`, []],
    ['rows of a table share a stack', `${head}> static const struct idt_data idts[] = {\n> \tINTG(X86_TRAP_DE, asm_exc_divide_error),\n> \tISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),\n> \tISTG(X86_TRAP_MC, asm_exc_machine_check, IST_INDEX_NMI),\n> };\n`, ['8 ist-stack-shared']],
  ];
  for (const [name, mail, wanted] of rows) {
    it(`${name}: ${wanted.length === 0 ? 'silent' : wanted.join(', ')}`, async () => {
      const { findings } = JSON.parse((await runCommand(['check', '--format', 'json', '-'], '/', mail)).out) as Checked;
      assert.deepEqual(findings.map(({ rule, line }) => `${line} ${rule}`), wanted);
    });
  }

  it('with a table of gates alone are judged', async () => {
    const { status, err } = await runCommand(['check', '-'], '/', 'static const struct idt_data idts[] = {\n\tISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),\n\tISTG(X86_TRAP_MC, asm_exc_machine_check, IST_INDEX_MCE),\n};\n');
    assert.deepEqual([status, err], [0, '']);
  });
});

describe('hostile sketches', () => {
  const many = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('');
  const rows: readonly (readonly [string, string, string])[] = [
    ['stubs that go on into each other', 'a.S', `${many(20_000, (index) => `asm_exc_nmi_${index}:\n\tcall exc_nmi\n`)}asm_exc_debug:\n\tcall f\n`],
    ['alternatives by features of their own', 'a.S', `.macro m n\nALTERNATIVE "jmp 1f", "", X86_FEATURE_F\\n\nnop\n1:\n.endm\nasm_exc_invalid_op:\n\tclac\n\tcld\n${many(60, (index) => `\tm ${index}\n`)}\tcall exc_invalid_op\n\tiretq\n`],
    ['handlers with one name that call each other', 'a.c', many(1_500, (index) => `static void exc_debug_kernel(struct pt_regs *r) { exc_debug(r); }\nvoid do_debug(struct pt_regs *r) { exc_debug_kernel(r); }\nvoid exc_nmi${index}(struct pt_regs *r) { exc_nmi${index + 1}(r); }\n`)],
    ['gates of one vector', 'a.c', `static const struct idt_data x[] = {\n${'\tISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),\n'.repeat(30_000)}};\n`],
    ['SWAPGS in a FRED entry, over and over', 'a.S', `asm_fred_entrypoint_user:\n${'\tswapgs\n'.repeat(20_000)}\teretu\n`],
    ['a line of blanks', 'a.txt', `${' '.repeat(200_000)}pushl\nasm_exc_nmi:\n\tiretq\n`],
  ];
  for (const [name, file, text] of rows) {
    it(name, async function () {
      this.timeout(30_000);
      await withFiles({ [file]: text }, async (folder) => {
        const { status } = await runCommand(['check', file], folder);
        assert.ok(status === 0 || status === 1, String(status));
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
    ['code of a 32-bit kernel is none of a 64-bit one', { 'a.S': 'asm_exc_overflow:\n\tcld\n\tpushl\t$0\n\tpushl\t%eax\n\tpopl\t%eax\n\taddl\t$4, %esp\n\tiret\n' }, ['a.S'], 0, /^$/],
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
