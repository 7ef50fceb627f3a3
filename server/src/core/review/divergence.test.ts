import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { loadGrammars } from '../../shell/grammars.ts';
import { designNames, finished } from '../../testing/review.ts';
import { emptyConfiguration } from '../preprocess/configurations.ts';
import { createReview } from '../review.ts';
import type { Divergence, Review } from '../review-types.ts';
import type { RunReport } from '../rules/finding.ts';

const folderOf = (name: string): string => `test-fixtures/designs/${name}`;

/** Violated runs are few states: the widest designs hold. */
const scenarios = ['ve-in-task', 'perf-nmi-user-copy-fails-twice', 'nmi-in-ve-prologue', 'mc-then-mc-in-tail'];

describe('a counterexample followed in another design', () => {
  let review: Review;

  before(async () => {
    review = await createReview(loadGrammars('out'), {
      read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : null),
      list: (folder) => (existsSync(folder) ? readdirSync(folder).sort() : []),
    }, emptyConfiguration);
  });
  after(() => review.release());

  function violatedRun(name: string, scenario: string, start: string): RunReport {
    const run = finished(review.test(folderOf(name), scenario)).find((one) => one.start === start);
    assert.equal(run?.verdict, 'violated');
    return run;
  }

  function followed(name: string, other: string, scenario: string, start: string): Divergence | null {
    const { trace, findings } = violatedRun(name, scenario, start);
    return review.divergence(folderOf(name), folderOf(other), scenario, start, (trace ?? findings[0]?.trace)?.choices ?? []);
  }

  it('goes its whole way in the design that it is of, whatever the design', () => {
    let ways = 0;
    for (const name of designNames) {
      const apply = review.scenarios(folderOf(name)).map((scenario) => scenario.name);
      for (const scenario of scenarios.filter((one) => apply.includes(one))) {
        for (const { verdict, start, trace, findings } of finished(review.test(folderOf(name), scenario))) {
          const choices = (trace ?? findings[0]?.trace)?.choices;
          if (verdict !== 'violated' || choices === undefined) continue;
          ways += 1;
          assert.equal(review.divergence(folderOf(name), folderOf(name), scenario, start, choices), null, `${name}: ${scenario} from ${start}`);
        }
      }
    }
    assert.ok(ways > 20, `${ways} ways`);
  }).timeout(120_000);

  it('parts at the clear of the word that the other design leaves to its IPI', () => {
    const parts = followed('clear-on-ist-early', 'self-ipi', 've-in-task', 'kernel');
    assert.deepEqual({ step: parts?.step, kind: parts?.what.kind, then: parts?.then }, { step: 2, kind: 'not-reached', then: null });
    assert.match(parts?.title ?? '', /clears ve_page\.busy while the frame is live$/);
    assert.equal(parts?.place?.file, 'test-fixtures/designs/clear-on-ist-early/design.c');
  });

  it('parts where the other design has left the stack', () => {
    const parts = followed('clear-on-ist-early', 'switch-to-interrupted', 've-in-task', 'kernel');
    assert.ok(parts?.what.kind === 'differs');
    assert.ok(parts.what.fields.some(({ field, from, to }) => field === 'stack' && from === 'VE' && to === 'task'));
  });

  it('parts at the first delivery where that takes another stack', () => {
    const parts = followed('clear-on-ist-early', 'no-ist-early-arm', 've-in-task', 'user');
    assert.equal(parts?.step, 1);
    assert.ok(parts?.what.kind === 'ends-otherwise');
    assert.match(parts.what.title ?? '', /frame at entry stack/);
  });

  it('parts where the other design has a deferral pending', () => {
    const parts = followed('never-rearmed', 'self-ipi', 've-in-task', 'kernel');
    assert.ok(parts?.what.kind === 'differs');
    assert.deepEqual(parts.what.fields, [{ field: 'pending', from: 'none', to: 'IRQ 240' }]);
  });

  it('is of no use where a design or its scenario is not there', () => {
    assert.equal(review.divergence(folderOf('self-ipi'), folderOf('no-such-design'), 've-in-task', 'user', [0]), null);
    assert.equal(review.divergence(folderOf('self-ipi'), folderOf('never-rearmed'), 'self-ipi-on-ist', 'user', [0]), null);
  });
});
