// What typing found, told again by a review that reads nothing of the file for it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createKept } from '../shell/kept.ts';
import { withFiles } from '../testing/command-line.ts';
import { createWorkspace } from '../worker/disk.ts';
import { remembering } from './remembering.ts';

const text = '#include "calling.h"\n#ifdef CONFIG_OF_NOBODY\n\tnop\n#endif\nSYM_CODE_START(one)\n\tSAVE %rax\n\tmovq %rax,, %rbx\n';
const files = { 'Makefile': 'VERSION = 6\nPATCHLEVEL = 12\n', 'include/linux/kconfig.h': '', 'arch/x86/entry/entry_64.S': text, 'arch/x86/kernel/idt.c': 'int x;\n', 'arch/x86/entry/calling.h': '.macro SAVE reg\n\tpushq \\reg\n.endm\n', 'design/entry.S': text };

/** An editor that has just started; timers run when it is told to. */
async function editor(tree: string) {
  const workspace = createWorkspace();
  const own: Review = await createReview(loadGrammars(resolve('out')), workspace, null);
  const looked: string[] = [];
  const timers: (() => void)[] = [];
  const counting: Review = { ...own, quickFindings: (file) => (looked.push(file), own.quickFindings(file)) };
  const review = remembering(counting, workspace, createKept(join(tree, 'cache'), []), { after: (_, next) => (timers.push(next), () => undefined) });
  review.configure({ configuration: null, defines: [] });
  return {
    review,
    looked,
    read: (name: string): boolean => workspace.seen().files.has(join(tree, name)),
    rest: () => timers.splice(0).forEach((next) => next()),
    open: (name: string, given = text) => {
      const file = join(tree, name);
      review.setFile(file, given);
      return { file, told: { findings: review.quickFindings(file), inactive: review.inactive(file) } };
    },
    [Symbol.dispose]: () => review.release(),
  };
}

const entry = 'arch/x86/entry/entry_64.S';

describe('what typing found', () => {
  it('is told again without a look, and is what would be found', () =>
    withFiles(files, async (tree) => {
      using first = await editor(tree);
      const { told } = first.open(entry);
      assert.deepEqual([told.findings.length > 0, told.inactive.length], [true, 1]);
      first.rest();
      using second = await editor(tree);
      assert.deepEqual(second.open(entry).told, told);
      assert.deepEqual(second.looked, []);
    }));

  it('is told by the text alone where nothing was kept, before anything else is read', () =>
    withFiles(files, async (tree) => {
      using first = await editor(tree);
      const file = join(tree, entry);
      const broken = `${text}\tmovq 8(%rax, %rbx\n`;
      writeFileSync(file, broken);
      first.review.setFile(file, broken);
      const alone = first.review.syntaxFindings(file) ?? [];
      assert.deepEqual([alone.map(({ rule }) => rule), first.read('arch/x86/entry/calling.h'), first.looked], [['syntax'], false, []]);
      const { told } = first.open(entry, broken);
      assert.deepEqual([told.findings.filter(({ rule }) => rule === 'syntax'), first.read('arch/x86/entry/calling.h')], [alone, true]);
      first.rest();
      using second = await editor(tree);
      second.review.setFile(file, broken);
      assert.equal(second.review.syntaxFindings(file), null, 'all is known');
      assert.equal(first.review.syntaxFindings(join(tree, 'design/entry.S')), null, 'a design is read at once');
    }));

  it('is looked for again after an edit, and where a file that was read is another one now', () =>
    withFiles(files, async (tree) => {
      using first = await editor(tree);
      first.open(entry);
      first.rest();
      using second = await editor(tree);
      const { file, told } = second.open(entry);
      second.review.editFile(file, [{ span: { start: text.length, end: text.length }, newText: '\tpushq %rax,, %rbx\n' }]);
      assert.equal(second.review.quickFindings(file).length, told.findings.length + 1);
      second.rest();
      writeFileSync(join(tree, 'arch/x86/entry/calling.h'), '.macro SAVE\n\tpushq %rax\n.endm\n');
      using third = await editor(tree);
      assert.notDeepEqual(third.open(entry).told, told);
      assert.equal(third.looked.length, 1);
    }));

  it('is not that of a text which is not on the disk, nor of a unit that is read as a whole', () =>
    withFiles(files, async (tree) => {
      using first = await editor(tree);
      first.open(entry, `${text}\tnop\n`);
      first.rest();
      using second = await editor(tree);
      second.open(entry, `${text}\tnop\n`);
      second.review.readWhole(join(tree, 'arch/x86/entry'));
      second.open(entry);
      second.rest();
      using third = await editor(tree);
      third.open(entry);
      assert.deepEqual([first.looked.length, second.looked.length, third.looked.length], [1, 2, 1]);
    }));

  it('of a design, which is read at once, is not kept', () =>
    withFiles(files, async (tree) => {
      using first = await editor(tree);
      first.open('design/entry.S');
      first.rest();
      using second = await editor(tree);
      second.open('design/entry.S');
      assert.equal(second.looked.length, 1);
    }));
});
