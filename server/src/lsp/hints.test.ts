// Inlay hints of what the worker tells, and what stays while it does not know.
import assert from 'node:assert/strict';
import type { ContextChange } from '../core/review-types.ts';
import type { JobOutcome, WorkerOwner } from '../worker/owner.ts';
import { openDocument } from './documents.ts';
import { createHints } from './hints.ts';
import type { RunParts } from './runs.ts';

const text = '\tswapgs\n\tnop\n\tswapgs\n\tnop\n';
const all = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
const change = (offset: number, said: string): ContextChange => ({ offset, text: said, tip: `${said}\nmore` });

/** What is shown of a text, as `line:character label`, where the worker answers so; the spans that it was asked for. */
function editor() {
  const hints = createHints();
  const asked: object[] = [];
  const shown = async (given: string, changes: readonly ContextChange[] | null | 'late', range = all): Promise<readonly string[]> => {
    const outcome: Promise<JobOutcome> = changes === 'late' ? new Promise(() => undefined) : Promise.resolve({ kind: 'answer', answer: { kind: 'changes', changes } });
    const owner = { submit: (job: object) => (asked.push(job), { outcome, cancel: () => undefined }) } as unknown as WorkerOwner;
    const session = { review: { unitOf: () => ({ folder: '/w' }) } } as unknown as RunParts['session'];
    const found = await hints.of({ owner, session, folders: [] }, openDocument('file:///w/a.S', '/w/a.S', 'asm', 1, given), range);
    return found.map(({ position, label }) => `${position.line}:${position.character} ${String(label)}`);
  };
  return { shown, asked };
}

describe('inlay hints', () => {
  it('stand behind their statement, with what was before as a tooltip', async () => {
    const { shown, asked } = editor();
    assert.deepEqual(await shown(text, [change(7, 'GS kernel'), change(20, 'GS user')]), ['0:7 GS kernel', '2:7 GS user']);
    assert.deepEqual(asked, [{ kind: 'changes', folder: '', file: '/w/a.S', span: { start: 0, end: text.length } }]);
  });

  it('stay and move with their lines while the worker does not know, and go with the text that they were of', async () => {
    const { shown } = editor();
    await shown(text, [change(7, 'GS kernel'), change(20, 'GS user')]);
    const longer = text.replace('\tnop\n', '\tnop\n\tnop\n');
    assert.deepEqual(await shown(longer, null), ['0:7 GS kernel', '3:7 GS user']);
    assert.deepEqual(await shown(longer, 'late'), ['0:7 GS kernel', '3:7 GS user']);
    assert.deepEqual(await shown(text.replace('\tswapgs\n\tnop\n', '\tcld\n'), null), ['1:7 GS user']);
    assert.deepEqual(await shown(text, []), [], 'until it knows');
  });

  it('of one part of a file leave those of the others', async () => {
    const { shown } = editor();
    await shown(text, [change(7, 'GS kernel'), change(20, 'GS user')]);
    assert.deepEqual(await shown(text, [change(20, 'GS 0')], { start: { line: 2, character: 0 }, end: { line: 3, character: 0 } }), ['2:7 GS 0']);
    assert.deepEqual(await shown(text, null), ['0:7 GS kernel', '2:7 GS 0']);
  });

  it('are none where nothing is known', async () => {
    const { shown } = editor();
    assert.deepEqual([await shown(text, null), await shown(text, 'late')], [[], []]);
  });
});
