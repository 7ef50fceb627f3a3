// Events raised at an instruction of a small stub: each fact of the architecture that decides what comes of it.
import assert from 'node:assert/strict';
import type { EventRow, EventRun, EventSurveyResult } from '../event-types.ts';
import type { Review } from '../review-types.ts';
import { entryStub, handlerOfGp } from '../rules/path-examples.ts';
import { open as openUnit } from '../../testing/review.ts';

/** A stub with its C handler; neither vector pushes an error code. */
const stub = (name: string): string => entryStub({ swap: '', unswap: '', placeholder: '\tpushq\t$-1\n' }).replaceAll('demo_gp', name).replace('clac\n', `clac\t/* ${name} */\n`);
/** NMIs without a protocol for nested ones, and breakpoints. */
const files: Readonly<Record<string, string>> = {
  'entry.S': `${stub('demo_nmi')}${stub('demo_bp')}`,
  'design.c': `${handlerOfGp.replaceAll('demo_gp', 'demo_nmi').replace('vector=GP', 'vector=NMI ist=NMI')}${handlerOfGp.replaceAll('demo_gp', 'demo_bp').replace('vector=GP', 'vector=BP')}`,
};
const inBreakpoint = 'clac\t/* demo_bp */';
const inNmi = 'clac\t/* demo_nmi */';

interface Bench {
  readonly review: Review;
  readonly entry: string;
}

async function open(texts: Readonly<Record<string, string>>): Promise<Bench> {
  const { review, path } = await openUnit(new Map(Object.entries(texts)));
  return { review, entry: path('entry.S') };
}

async function raise(at: string, events: readonly string[], texts = files): Promise<EventRun> {
  const { review, entry } = await open(texts);
  const run = review.raise(entry, (texts['entry.S'] ?? '').indexOf(at), events);
  review.release();
  assert.ok(run !== null, `no instruction at ${at}`);
  return run;
}

const answers = (rows: readonly EventRow[]): readonly string[] => [...new Set(rows.map(({ answer }) => answer))].sort();

describe('events raised at an instruction', () => {
  it('an NMI at the stub of a breakpoint returns and everything is as it was', async () => {
    const { rows, events } = await raise(inBreakpoint, ['NMI']);
    assert.deepEqual(events, ['NMI']);
    assert.deepEqual(answers(rows), ['holds']);
  });

  it('NMIs are blocked in the NMI stub until an IRET: the answer is the reason', async () => {
    const { rows } = await raise('call\tdemo_nmi', ['NMI']);
    const blocked = rows.filter(({ context }) => context.nmiBlocked === 'yes');
    assert.ok(blocked.length > 0);
    for (const row of blocked) {
      assert.equal(row.answer, 'cannot');
      assert.match(row.reason ?? '', /^blocked: an NMI was delivered and no IRET was executed since/);
    }
  });

  it('a breakpoint in the NMI handler ends the blocking with its IRET: the next NMI overwrites the frame of the first', async () => {
    const { rows } = await raise(inBreakpoint, ['NMI', '#BP', 'NMI']);
    assert.deepEqual(answers(rows), ['violated']);
    const [finding] = rows.flatMap(({ findings }) => findings);
    assert.equal(finding?.rule, 'nested-nmi-breaks-frame');
    const titles = (finding?.trace?.steps ?? []).map(({ title }) => title);
    assert.ok(titles.some((title) => title.startsWith('#BP arrives')), titles.join('\n'));
    assert.match(titles.at(-1) ?? '', /overwrites the live NMI frame/);
  });

  it('a fault that the instruction does not raise cannot arrive', async () => {
    const { rows } = await raise(inNmi, ['#BP']);
    assert.deepEqual(answers(rows), ['cannot']);
    assert.match(rows[0]?.reason ?? '', /clac does not raise it/);
  });

  it('an event without a gate cannot arrive', async () => {
    assert.match((await raise(inNmi, ['#MC'])).rows[0]?.reason ?? '', /no gate for #MC/);
  });

  it('a stub that leaves a word on its stack returns to the wrong context', async () => {
    const broken = { ...files, 'entry.S': (files['entry.S'] ?? '').replace('\taddq\t$8, %rsp\n', '') };
    const { rows } = await raise(inBreakpoint, ['NMI'], broken);
    assert.deepEqual([...new Set(rows.flatMap(({ findings }) => findings.map(({ rule }) => rule)))], ['frame-unbalanced-at-return']);
  });

  it('a survey raises each event at every instruction, counts all contexts and tells each violation once', async () => {
    const whole = async (texts: Readonly<Record<string, string>>): Promise<EventSurveyResult> => {
      const { review, entry } = await open(texts);
      const survey = review.survey(entry, [['NMI'], ['NMI', '#BP', 'NMI']]);
      assert.ok(survey !== null);
      while (!survey.advance(1));
      review.release();
      return survey.result();
    };
    const result = await whole(files);
    assert.equal(result.instructions, 100);
    assert.equal(result.done, result.instructions);
    assert.deepEqual(result.unreached, []);
    const [single, nested] = result.counts;
    for (const count of result.counts) assert.equal(count.holds + count.violated + count.inconclusive + count.cannot, count.contexts);
    assert.equal(single?.events, 'NMI');
    assert.equal(single?.violated, 0);
    assert.ok((nested?.violated ?? 0) > 0);
    assert.equal(new Set(result.findings.map(({ rule, place }) => `${rule} ${place.span.start}`)).size, result.findings.length);
  });

  it('names of events are forgiving, and what is none is told with the names that are', async () => {
    const { review } = await open(files);
    assert.equal(review.eventNamed('nmi').name, 'NMI');
    assert.equal(review.eventNamed('#VE').name, '#VE');
    assert.equal(review.eventNamed('mce').name, '#MC');
    assert.equal(review.eventNamed('14').name, '#PF');
    assert.equal(review.eventNamed('IRQ 236').name, 'IRQ 236');
    assert.equal(review.eventNamed('IRQ 300').name, null);
    assert.ok(review.eventNamed('NMX').names.includes('NMI'));
    review.release();
  });
});
