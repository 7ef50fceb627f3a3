// The one API on whatever text there is: nothing throws, edits equal fresh texts, and what does not matter changes nothing.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { design, edited, finished, linked, open, ran, runsOf, scenarioNamed } from '../testing/review.ts';
import type { Files, Opened } from '../testing/review.ts';

/** Everything an editor asks of a file, and the first states of its exploration. */
function ask({ review, folder }: Opened, file: string, text: string, offset: number): void {
  review.quickFindings(file);
  review.symbols(file);
  review.folds(file);
  review.hover(file, offset);
  review.complete(file, offset);
  review.definition(file, offset);
  review.unknown(folder);
  assert.equal(review.text(file), text);
  const exploration = review.explore(folder);
  for (let at = 0; at < 4 && !exploration.run(125).done; at += 1);
  review.findings(folder, exploration.reports());
}

describe('broken text', () => {
  for (const file of ['design.c', 'entry.S']) {
    it(`every beginning of the lines of ${file} is reviewed without a crash`, async function () {
      this.timeout(60_000);
      const files = design('clear-on-ist-early');
      const opened = await open(files, 'clear-on-ist-early');
      const text = files.get(file) ?? '';
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
        opened.review.setFile(opened.path(file), text.slice(0, end));
        ask(opened, opened.path(file), text.slice(0, end), Math.max(0, end - 2));
      }
      opened.review.release();
    });

    it(`random edits of ${file} are reviewed without a crash, and equal the same text set at once`, async function () {
      this.timeout(60_000);
      const files = design('self-ipi');
      const [edits, fresh] = [await open(files, 'self-ipi'), await open(files, 'self-ipi')];
      const path = edits.path(file);
      const piece = fc.constantFrom('', '\n', '{', '}', '"', '/*', '*/', '#if 0\n', '(', '\\\n', '1:', 'iretq\n', '.macro x\n', '.endm\n', '/* xctx: handler */', 'return;', '\u00e9', '\t\tjmp 1f\n', 'while (1);', '#include "design.c"\n');
      fc.assert(
        fc.property(fc.nat(4000), fc.nat(60), piece, fc.nat(4000), (at, length, newText, offset) => {
          const before = files.get(file) ?? '';
          const start = at % before.length;
          const span = { start, end: Math.min(before.length, start + length) };
          const text = before.slice(0, span.start) + newText + before.slice(span.end);
          edits.review.setFile(path, before);
          edits.review.quickFindings(path);
          edits.review.editFile(path, [{ span, newText }]);
          fresh.review.setFile(path, text);
          ask(edits, path, text, offset % (text.length + 1));
          assert.deepEqual(edits.review.quickFindings(path), fresh.review.quickFindings(path));
        }),
        { numRuns: 100 },
      );
      edits.review.release();
      fresh.review.release();
    });
  }

  it('what holds at each offset is answered everywhere', async function () {
    this.timeout(60_000);
    const files = design('never-rearmed');
    const opened = await open(files, 'never-rearmed');
    for (const [file, text] of files) for (let at = 0; at <= text.length; at += 37) opened.review.contextAt(opened.path(file), at);
    opened.review.release();
  });
});

describe('files that are not analysed', () => {
  const good = design('self-ipi');
  for (const [title, text, said] of [
    ['a binary file', 'a\0b', /binary/],
    ['a file of 5 MB', 'nop\n'.repeat(1_250_000), /larger than/],
    ['an empty file', '', null],
  ] as const) {
    it(`${title} is said, and the rest of the unit is reviewed`, async function () {
      this.timeout(30_000);
      for (const file of ['design.c', 'entry.S']) {
        const opened = await open(new Map([...good, [file, text]]));
        const found = opened.review.quickFindings(opened.path(file));
        if (said !== null) assert.match(found.map(({ message }) => message).join('\n'), said);
        ask(opened, opened.path(file), text, 0);
        opened.review.release();
      }
    });
  }

  // Each took longer than anybody waits where something is looked at anew for each of its lines.
  for (const [title, file, text] of [
    ['lines that say that code is left out', 'sketch.c', `void f(struct pt_regs *regs)\n{\n${'\tfoo(x);\n\t...\n'.repeat(8000)}}\n`],
    ['rows of a gate table without end', 'sketch.c', 'ISTG(X86_TRAP_DF, asm_exc_double_fault, IST_INDEX_DF),\n'.repeat(8000)],
    ['works that are begun and never named', 'sketch.c', `void f(void)\n{\n${'init_irq_work('.repeat(60_000)}\n}\n`],
    ['lines of blanks where Intel syntax is asked for', 'sketch.S', `a${' '.repeat(300_000)}\n${' '.repeat(300_000)}\n\tmov [ptr\n`],
  ] as const) {
    it(`${title} are read as any others`, async function () {
      this.timeout(30_000);
      const opened = await open(new Map([[file, text]]));
      opened.review.quickFindings(opened.path(file));
      opened.review.findings(opened.folder, finished(opened.review.explore(opened.folder)));
      opened.review.release();
    });
  }

  it('a file that is missing has no findings and no unit but the folder’s', async () => {
    const opened = await open(good);
    const missing = opened.path('gone.S');
    assert.deepEqual([opened.review.quickFindings(missing), opened.review.text(missing), opened.review.symbols(missing)], [[], null, []]);
    assert.equal(opened.review.contextAt(missing, 0)?.rows.length ?? 0, 0);
    assert.equal(opened.review.run('no/such/folder', 've-in-task'), null);
    assert.equal(opened.review.run(opened.folder, 'no-such-scenario'), null);
    opened.review.release();
  });

  it('a scenario with a misspelt key is an error with the key that was meant', async () => {
    const opened = await open(new Map([...good, ['x.xctx-scenario.yaml', 'name: x\nhandlers:\n  ve:\n    ist: VE\n    opps: [iret]\n']]));
    assert.match(opened.review.quickFindings(opened.path('x.xctx-scenario.yaml')).map(({ severity, message }) => `${severity} ${message}`).join('\n'), /error.*opps.*ops/);
    opened.review.release();
  });
});

/** A `nop` before each of the first instructions of the stubs, and every local label renamed. */
function disguised(files: Files): Files {
  const text = (files.get('entry.S') ?? '').replace(/^(\t(?:clac|cld|pushq|testb|jnz|movq|call|addq|leaq|movl)\b)/gm, '\tnop\n$1').replace(/\.L([a-z_]+)/g, '.Lrenamed_$1');
  return new Map([...files, ['entry.S', text]]);
}

describe('what does not matter', () => {
  for (const [name, scenario] of [
    ['clear-on-ist-early', 've-in-task'],
    ['self-ipi', 've-in-task'],
    ['plain-nmi', 'perf-nmi-user-copy-fails-twice'],
    ['apf-flags-word', 'apf-flags-stolen-by-nmi'],
    ['switch-to-interrupted', 've-in-syscall-gap'],
    ['frame-duplication', 'nmi-in-ve-prologue'],
  ] as const) {
    it(`nops and names of labels change no verdict: ${name} in ${scenario}`, async function () {
      this.timeout(60_000);
      const files = design(name);
      const pad = (text: string): string => text.replace(/^DEFINE_IDTENTRY/m, 'static void nobody_calls_this(void)\n{\n}\n\nDEFINE_IDTENTRY');
      const after = new Map([...disguised(files), ['design.c', pad(files.get('design.c') ?? '')]]);
      assert.notEqual(after.get('design.c'), undefined);
      const verdicts = (of: Awaited<ReturnType<typeof runsOf>>): readonly string[] => of.map(({ start, verdict }) => `${start} ${verdict}`);
      assert.deepEqual(verdicts(await runsOf(after, scenario)), verdicts(await runsOf(files, scenario)));
    });
  }
});

describe('more events', () => {
  for (const name of ['clear-on-ist-early', 'clear-on-ist-last', 'rearm-in-extable-handler', 'self-ipi-irqs-on', 'never-rearmed', 'apf-flags-word', 'plain-nmi']) {
    it(`never remove a violation, nor make its shortest trace longer: ${name}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      const scenario = name === 'apf-flags-word' ? 'apf-flags-stolen-by-nmi' : name === 'plain-nmi' ? 'nmi-nested' : 've-in-task';
      const start = name === 'apf-flags-word' ? 'user' : 'kernel';
      const base = scenarioNamed(scenario, { VE: 2, NMI: scenario === 'nmi-nested' ? 2 : 1, PF: 2 });
      const few = ran(program, base, start);
      const shorter = (report: typeof few): number => report.trace?.steps.reduce((sum, { steps }) => sum + steps, 0) ?? Infinity;
      for (const { event } of base.budgets) {
        const more = ran(program, { ...base, budgets: base.budgets.map((budget) => (budget.event === event ? { event, count: budget.count + 1 } : budget)) }, start, { maxStates: 100_000 });
        if (few.verdict !== 'violated') continue;
        assert.equal(more.verdict, 'violated', `one more ${event}`);
        assert.ok(shorter(more) <= shorter(few), `one more ${event}`);
      }
      assert.equal(few.verdict, 'violated');
    });
  }

  it('an edit that is not there fails', () => {
    assert.throws(() => edited(design('self-ipi'), [{ file: 'design.c', from: 'no such line', to: '' }]), /0 times/);
  });
});
