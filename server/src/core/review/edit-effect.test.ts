import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { loadGrammars } from '../../shell/grammars.ts';
import { kernelTable, kernelText } from '../../testing/kernel.ts';
import { emptyConfiguration } from '../preprocess/configurations.ts';
import { preprocess } from '../preprocess/preprocess.ts';
import { createReview } from '../review.ts';
import type { ContextInfo } from '../context-types.ts';
import type { Review } from '../review-types.ts';
import { alignmentOf, sameCode } from './edit-effect.ts';

const numbers = '#define X86_TRAP_DB 1\n#define X86_TRAP_NMI 2\n#define X86_TRAP_BP 3\n#define X86_TRAP_GP 13\n#define X86_TRAP_MC 18\n';
const asm = '/* one\n * two */\n#define A(x) x /* of A */ \\\n\t+ 1\nnop\t/* here */\n# a line of words\n\tmov $1, %eax // end\n\n.ascii "/*"\n\tnop /* last */\n';

/** Each with what is replaced by what. */
const comments: readonly (readonly [string, string])[] = [
  ['one', 'one more'],
  ['two', ''],
  [' * two', ' * two\n * three'],
  ['of A', ''],
  ['/* here */', ''],
  ['nop\t/* here */', 'nop\t/* h */ /* e */'],
  ['\n\n', '\n\n\n'],
  ['// end', '// the end of it'],
  ['a line', 'another line'],
  ['# a line of words\n', ''],
  ['/* last */', '/* last'],
];
const codes: readonly (readonly [string, string])[] = [
  ['nop', 'nopl'],
  ['two */', 'two'],
  ['one', 'one */ nop /*'],
  ['/* here */', '/* xctx: ignore */'],
  ['\t+ 1', '\t+ 2'],
  ['// end', '; ud2 // end'],
  ['"/*"', '"/* "'],
  ['"/*"\n', '/*\n'],
  ['# a line', '#if a line'],
  ['# a line', '# 7 "line.S"'],
  ['// end\n', '// end \\'],
];

describe('edits of comments', () => {
  const changed = (text: string, from: string, to: string): string => {
    assert.ok(text.includes(from), from);
    return text.replace(from, to);
  };

  for (const [from, to] of comments) it(`${JSON.stringify(from)} to ${JSON.stringify(to)} leaves the code as it is, both ways`, () => {
    assert.equal(sameCode('/a.S', asm, changed(asm, from, to)), true);
    assert.equal(sameCode('/a.S', changed(asm, from, to), asm), true);
  });
  for (const [from, to] of codes) it(`${JSON.stringify(from)} to ${JSON.stringify(to)} does not, both ways`, () => {
    assert.equal(sameCode('/a.S', asm, changed(asm, from, to)), false);
    assert.equal(sameCode('/a.S', changed(asm, from, to), asm), false);
  });

  it('a line that moves to another number is other code where its number is used', () => {
    const text = '/* one */\n.long __LINE__\n';
    assert.equal(sameCode('/a.S', text, text.replace('one', 'two')), true);
    assert.equal(sameCode('/a.S', text, text.replace('one', 'one\n')), false);
  });

  it('files of other kinds have no comments', () => {
    assert.equal(sameCode('/a.yaml', '# one\n', '# two\n'), false);
  });

  it('whatever is put anywhere, where it is taken for an edit of comments the stream is the same but for places', () => {
    const pieces = fc.constantFrom('/*', '*/', '//', '\n', '"', "'", '\\\n', ' ', '#', 'nop', '.byte 1', '#define A 1\n', 'A', 'one:', 'two');
    const streamOf = (text: string): string => JSON.stringify(preprocess('/a.S', { read: (path) => (path === '/a.S' ? text : null) }, emptyConfiguration).items, (key, value: unknown) => (key === 'origin' || /[sS]pan$|[pP]lace$/.test(key) ? undefined : typeof value === 'bigint' ? String(value) : value));
    let same = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), fc.array(pieces, { maxLength: 3 }), fc.nat(), fc.nat({ max: 6 }), (given, put, where, cut) => {
        const before = given.join('');
        const at = before.length === 0 ? 0 : where % (before.length + 1);
        const after = before.slice(0, at) + put.join('') + before.slice(at + cut);
        if (before === after || !sameCode('/a.S', before, after)) return;
        same += 1;
        assert.equal(streamOf(after), streamOf(before), JSON.stringify({ before, after }));
        assert.ok(sameCode('/a.S', after, before));
      }),
      { numRuns: 6000, seed: 20 },
    );
    assert.ok(same > 200, `${same} edits of comments`);
  });

  it('offsets outside of all that differs are aligned, those inside are not', () => {
    const { before, after } = alignmentOf('ab/* c */de', 'ab/* c and d */de');
    assert.deepEqual([0, 1, 8, 16, 17].map(before), [0, 1, null, 10, 11]);
    assert.deepEqual([0, 1, 10].map(after), [0, 1, 16]);
  });
});

describe('contexts in a kernel tree', () => {
  const root = '/tree/';
  const entry = `${root}arch/x86/entry/entry_64.S`;
  const text = kernelText.replace('\n\n', '\n\n/* A comment of some lines,\n * in the middle of it all. */\n');
  const files = new Map([[`${root}Makefile`, readFileSync('test-fixtures/editor/kernel/Makefile', 'utf8')], [`${root}include/linux/kconfig.h`, '\n'], [entry, text], [`${root}arch/x86/kernel/idt.c`, `${numbers}${kernelTable}`]]);
  const list = (folder: string): string[] => [...files.keys()].flatMap((file) => (file.slice(0, file.lastIndexOf('/')) === folder ? [file.slice(folder.length + 1)] : []));
  const start = (): Promise<Review> => createReview(loadGrammars('out'), { read: (file) => files.get(file) ?? null, list }, null);
  const explored = (review: Review): void => {
    const exploration = review.explore(`${root}arch/x86/entry`);
    while (!exploration.run(5000).done);
  };
  const every = (given: string): readonly number[] => [...given.matchAll(/\S+/g)].map(({ index }) => index);

  it('are known as far as they are explored, with the offsets they hold at, and explore nothing', async () => {
    const review = await start();
    const at = text.lastIndexOf('iretq');
    assert.equal(review.knownContext(entry, at), null, 'nothing was read');
    explored(review);
    let rows = 0;
    for (const offset of every(text)) {
      const known = review.knownContext(entry, offset);
      assert.ok(known?.finished === true && known.span.start <= offset && offset <= known.span.end);
      assert.deepEqual(known.info, review.contextAt(entry, offset));
      rows += known.info?.rows.length ?? 0;
      for (const other of [known.span.start, Math.min(known.span.end, text.length)]) assert.deepEqual(review.knownContext(entry, other)?.info, known.info, `${other} is as ${offset}`);
    }
    assert.ok(rows > 100, `${rows} contexts`);
    review.release();
  });

  it('of a program that an edit leaves alone are kept, those of another are explored again', async () => {
    const review = await start();
    review.setFile(entry, text);
    explored(review);
    const at = text.lastIndexOf('iretq');
    const before = review.knownContext(entry, at);
    review.setFile(`${root}arch/x86/entry/other.c`, 'int other;\n');
    assert.deepEqual(review.knownContext(entry, at), before);
    review.editFile(entry, [{ span: { start: at, end: at }, newText: 'nop\n\t' }]);
    assert.equal(review.knownContext(entry, at), null);
    explored(review);
    assert.equal(review.knownContext(entry, at)?.info?.text, 'nop');
    review.release();
  });

  it('and words hovered behind an edited comment are those of the edited text read anew', async () => {
    const [here, fresh] = [await start(), await start()];
    const comment = text.indexOf('comment of');
    here.setFile(entry, text);
    for (const offset of every(text)) here.hover(entry, offset);
    here.editFile(entry, [{ span: { start: comment, end: comment }, newText: 'long\n * ' }]);
    fresh.setFile(entry, here.text(entry) ?? '');
    let found = 0;
    for (const offset of every(here.text(entry) ?? '')) {
      const hover = here.hover(entry, offset);
      assert.deepEqual(hover, fresh.hover(entry, offset));
      if (hover !== null) found += 1;
    }
    assert.ok(found > 50, `${found} hovers`);
    here.release();
    fresh.release();
  });

  it('are the same at every place when comments are edited, but for their places', async () => {
    const [here, edited] = [await start(), await start()];
    const comment = text.indexOf('comment of');
    const put = 'comment /* of\n';
    const after = text.slice(0, comment) + put + text.slice(comment);
    assert.ok(here.sameCode(entry, text, after));
    explored(here);
    edited.setFile(entry, after);
    explored(edited);
    const bare = (info: ContextInfo | null): unknown => (info === null ? null : { ...info, place: null, rows: info.rows.map((row) => ({ ...row, way: row.way.map(({ title }) => title) })) });
    for (const offset of every(text)) {
      if (offset >= comment && offset < text.indexOf('*/', comment) + 2) continue;
      assert.deepEqual(bare(edited.contextAt(entry, offset < comment ? offset : offset + put.length)), bare(here.contextAt(entry, offset)));
    }
    here.release();
    edited.release();
  });
});
