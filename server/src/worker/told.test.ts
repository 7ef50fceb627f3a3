// What the worker told of a kernel tree, told again by a worker that has explored nothing of it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createKept } from '../shell/kept.ts';
import { kernelTable, kernelText } from '../testing/kernel.ts';
import { withFiles } from '../testing/command-line.ts';
import { createWorkspace } from './disk.ts';
import { createEngine } from './engine.ts';
import type { Answer, FromWorker, Question, ToWorker } from './messages.ts';
import { createTold } from './told.ts';

const numbers = '#define X86_TRAP_DB 1\n#define X86_TRAP_NMI 2\n#define X86_TRAP_BP 3\n#define X86_TRAP_GP 13\n#define X86_TRAP_MC 18\n';
const guard = kernelText.split('\n').findIndex((line) => line.endsWith('# guard'));
const broken = kernelText.split('\n').filter((_, index) => index !== guard).join('\n');

function filesWith(entry: string): { readonly [path: string]: string } {
  return { 'Makefile': 'VERSION = 6\nPATCHLEVEL = 12\n', 'include/linux/kconfig.h': '', 'arch/x86/entry/entry_64.S': entry, 'arch/x86/kernel/idt.c': numbers + kernelTable };
}

/** A worker as after the start of the editor, with the entry file open. */
async function worker(tree: string, entry: string) {
  const posted: FromWorker[] = [];
  const waiting: (() => void)[] = [];
  const workspace = createWorkspace();
  const own = await createReview(loadGrammars(resolve('out')), workspace, null);
  let looked = 0;
  const review: Review = { ...own, knownContext: (at, offset) => ((looked += 1), own.knownContext(at, offset)) };
  const tell = createEngine(review, { post: (message) => void posted.push(message), later: (next) => void waiting.push(next), now: () => performance.now(), workspace, told: createTold(review, workspace, createKept(join(tree, 'cache'), [])) });
  const file = join(tree, 'arch/x86/entry/entry_64.S');
  const folder = join(tree, 'arch/x86/entry');
  let id = 0;
  const send = (message: ToWorker): void => tell(message);
  send({ kind: 'configuration', choice: { configuration: null, defines: [] } });
  send({ kind: 'set', file, text: entry });
  return {
    file,
    send,
    posted,
    /** Contexts that were looked for. */
    looked: () => looked,
    explore: () => send({ kind: 'job', id: (id += 1), job: { kind: 'explore', folder }, background: true }),
    slice: () => waiting.shift()?.(),
    finish: () => {
      while (waiting.length > 0) waiting.shift()?.();
    },
    /** The answer to a question in the very next slice. */
    ask: (question: Question): Answer => {
      send({ kind: 'job', id: (id += 1), job: question, background: false });
      waiting.shift()?.();
      const last = posted.at(-1);
      assert.equal(last?.kind, 'answer');
      return last.answer;
    },
    [Symbol.dispose]: () => review.release(),
  };
}

function findingsOf(messages: readonly FromWorker[], kind: 'partial' | 'result') {
  return messages.flatMap((message) => (message.kind === 'partial' && kind === 'partial' ? [message.findings] : message.kind === 'result' && kind === 'result' ? [message.result.findings] : []));
}

const inNmi = broken.indexOf('asm_exc_nmi');

describe('what a worker told', () => {
  it('is told again at once, is what is found anew, and is void by an edit', async function () {
    this.timeout(60_000);
    await withFiles(filesWith(broken), async (tree) => {
      const questions = (file: string): readonly Question[] => [
        ...[0, 1, 2, 3].map((line): Question => ({ kind: 'context', folder: '', file, offset: broken.indexOf('\n\t', inNmi + 40 * line) + 2 })),
        { kind: 'entries', folder: '', file, spans: [{ start: 0, end: broken.length }, { start: inNmi, end: inNmi + 1 }] },
      ];
      using first = await worker(tree, broken);
      first.explore();
      first.finish();
      // Asked as an editor does when it hears of the result.
      const answers = questions(first.file).map(first.ask);
      first.finish();
      const [found] = findingsOf(first.posted, 'result');
      assert.ok(found !== undefined && found.length > 0);
      assert.ok(answers.some((answer) => answer.kind === 'context' && (answer.known?.info?.rows.length ?? 0) > 0));
      assert.ok(answers.some((answer) => answer.kind === 'entries' && answer.entries.some((entry) => entry !== null)));

      using second = await worker(tree, broken);
      second.explore();
      second.slice();
      assert.deepEqual(findingsOf(second.posted, 'partial'), [found]);
      assert.deepEqual(findingsOf(second.posted, 'result'), []);
      assert.deepEqual(questions(second.file).map(second.ask), answers);
      second.finish();
      assert.deepEqual(findingsOf(second.posted, 'result'), [found]);
      assert.deepEqual(questions(second.file).map(second.ask), answers);
      assert.deepEqual(findingsOf(second.posted, 'partial').length, 1, 'nothing that was told is told once more');

      using third = await worker(tree, broken);
      third.send({ kind: 'edit', file: third.file, edits: [{ span: { start: 0, end: 0 }, newText: '\tnop\n' }] });
      third.explore();
      third.slice();
      assert.deepEqual(third.posted, []);
      assert.deepEqual(questions(third.file).slice(0, 1).map(third.ask), [{ kind: 'context', known: null }]);
    });
  });

  it('costs nothing where the text is not saved', async function () {
    this.timeout(60_000);
    await withFiles(filesWith(broken), async (tree) => {
      using saved = await worker(tree, broken);
      saved.explore();
      saved.finish();
      assert.ok(saved.looked() > 20);
      using unsaved = await worker(tree, broken);
      unsaved.send({ kind: 'edit', file: unsaved.file, edits: [{ span: { start: 0, end: 0 }, newText: '\tnop\n' }] });
      unsaved.explore();
      unsaved.finish();
      assert.deepEqual([findingsOf(unsaved.posted, 'result').length, unsaved.looked()], [1, 0]);
    });
  });

  it('is void where another file that was read changed while no editor was open', async function () {
    this.timeout(60_000);
    await withFiles(filesWith(broken), async (tree) => {
      using first = await worker(tree, broken);
      first.explore();
      first.finish();
      writeFileSync(join(tree, 'arch/x86/kernel/idt.c'), `${numbers + kernelTable}\n`);
      using second = await worker(tree, broken);
      second.explore();
      second.slice();
      assert.deepEqual(findingsOf(second.posted, 'partial'), []);
    });
  });
});
