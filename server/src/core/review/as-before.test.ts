// Contexts and hovers of a design behind edited comments: those of a review that reads the texts as they are.
import assert from 'node:assert/strict';
import { design, open } from '../../testing/review.ts';
import type { Opened } from '../../testing/review.ts';

const every = (text: string): readonly number[] => [...text.matchAll(/\w+/g)].map(({ index }) => index);

async function prepared(files: ReadonlyMap<string, string>): Promise<Opened> {
  const opened = await open(files, 'self-ipi');
  for (const [name, text] of files) opened.review.setFile(opened.path(name), text);
  for (const name of files.keys()) while (!opened.review.prepareContexts(opened.path(name), 5000));
  return opened;
}

describe('a design behind edited comments', () => {
  it('has the contexts and the hovers of the texts as they are, whichever of its files was edited', async () => {
    const files = new Map([...design('self-ipi')].map(([name, text]) => [name, /\.[Sch]$/.test(name) ? `/* Words at the\n * head of it. */\n${text}` : text]));
    const here = await prepared(files);
    const edited = new Map(files);
    for (const [name, text] of files) {
      if (!text.startsWith('/* Words')) continue;
      for (const offset of every(text)) here.review.hover(here.path(name), offset);
      here.review.editFile(here.path(name), [{ span: { start: 8, end: 8 }, newText: ' that say more\n *' }]);
      edited.set(name, here.review.text(here.path(name)) ?? '');
    }
    const fresh = await prepared(edited);
    let contexts = 0;
    let hovers = 0;
    for (const [name, text] of edited) {
      for (const offset of every(text)) {
        const [file, other] = [here.path(name), fresh.path(name)];
        const info = here.review.contextAt(file, offset);
        assert.deepEqual(info, fresh.review.contextAt(other, offset), `${name}:${offset}`);
        const hover = here.review.hover(file, offset);
        assert.deepEqual(hover, fresh.review.hover(other, offset), `${name}:${offset}`);
        if ((info?.rows.length ?? 0) > 0) contexts += 1;
        if (hover !== null) hovers += 1;
      }
    }
    assert.ok(contexts > 30 && hovers > 30, `${contexts} contexts, ${hovers} hovers`);
    here.review.release();
    fresh.review.release();
  });

  it('explores no context again, and does where code was edited', async () => {
    const files = design('self-ipi');
    const { review, path } = await prepared(files);
    const text = files.get('design.c') ?? '';
    const file = path('design.c');
    const at = every(text).find((offset) => (review.contextAt(file, offset)?.rows.length ?? 0) > 0) ?? 0;
    const before = review.contextAt(file, at);
    assert.ok(before !== null && before.rows.length > 0);
    review.editFile(file, [{ span: { start: 0, end: 0 }, newText: '/* head */\n' }]);
    assert.equal(review.prepareContexts(file, 0), true, 'all is known');
    assert.equal(review.contextAt(file, at + 11)?.rows.length, before.rows.length);
    review.editFile(file, [{ span: { start: at + 11, end: at + 11 }, newText: '(void)0; ' }]);
    assert.equal(review.prepareContexts(file, 0), false);
    review.release();
  });
});
