// What holds for any number of events: verdicts of the designs, and that forgetting and visible boundaries change none.
import assert from 'node:assert/strict';
import { compareAnyNumber, contradicts, runsToCompare } from '../../testing/reductions.ts';
import { design, designNames, linked, ran, scenarioNamed } from '../../testing/review.ts';
import type { Program } from '../program/program.ts';
import type { AnyNumber } from '../rules/finding.ts';
import type { StartContext } from '../scenarios/scenario.ts';
import { createAnyNumber } from './any-number.ts';

function beyond(program: Program, scenario: string, start: StartContext, slice = 5000): AnyNumber {
  const run = createAnyNumber(program, scenarioNamed(scenario), start);
  while (!run.advance(slice));
  return run.result();
}

describe('any number of events', () => {
  it('is held by a handler that arms its guard where nothing can come any more', async () => {
    const { program } = await linked(design('self-ipi'), 'self-ipi');
    const { verdict, bound, why } = beyond(program, 've-in-task', 'kernel');
    assert.deepEqual({ verdict, bound, why }, { verdict: 'holds', bound: 'any number of #VE and NMI', why: null });
  });

  it('breaks a handler that one NMI cannot break', async () => {
    const { program } = await linked(design('plain-nmi'), 'plain-nmi');
    assert.equal(ran(program, scenarioNamed('ve-in-task'), 'kernel').verdict, 'holds');
    const { verdict, why } = beyond(program, 've-in-task', 'kernel');
    assert.equal(verdict, 'violated');
    assert.match(why ?? '', /^NMI 2 times, #VE once, after \d+ steps: never live-frame-overwritten$/);
  });

  it('is open where frames nest as deep as they like', async () => {
    const { program } = await linked(design('no-ist-early-arm'), 'no-ist-early-arm');
    assert.deepEqual([beyond(program, 've-in-task', 'kernel')].map(({ verdict, why }) => [verdict, why]), [['open', 'frames nest to the bound of 6']]);
  });

  it('starts with the first event of a scenario that has one', async () => {
    const { program } = await linked(design('mc-mcip-cleared-on-ist'), 'mc-mcip-cleared-on-ist');
    assert.equal(beyond(program, 'mc-then-mc-in-tail', 'kernel').verdict, 'holds');
    assert.match(beyond(program, 'mc-then-mc-in-tail', 'user').why ?? '', /^#MC 3 times, NMI once, after \d+ steps/);
  });

  it('is the same in any slices', async () => {
    // What one run learns of a program the next one knows: each has a program of its own.
    const [one, other] = [await linked(design('panic-irqs-off'), 'panic-irqs-off'), await linked(design('panic-irqs-off'), 'panic-irqs-off')];
    assert.deepEqual(beyond(one.program, 've-in-task', 'user', 7), beyond(other.program, 've-in-task', 'user'));
    assert.equal(beyond(one.program, 've-in-task', 'user').verdict, 'holds');
  });

  it('is told of a run that was asked for, and only where that holds', async () => {
    const files = design('self-ipi');
    const { program } = await linked(files, 'self-ipi');
    const options = { anyNumber: true };
    assert.equal(ran(program, scenarioNamed('ve-in-task'), 'kernel', options).anyNumber?.verdict, 'holds');
    assert.equal(ran(program, scenarioNamed('ve-in-task'), 'kernel').anyNumber, null);
    const broken = await linked(design('clear-on-ist-early'), 'clear-on-ist-early');
    assert.equal(ran(broken.program, scenarioNamed('ve-in-task'), 'kernel', options).anyNumber, null);
  });

  let holds = 0;
  let violated = 0;
  for (const name of designNames) {
    it(`forgetting and visible boundaries change nothing of ${name}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      for (const { scenario, start } of runsToCompare(program).filter((run) => run.start === 'kernel' || run.start === 'gap')) {
        const compared = compareAnyNumber(program, scenario, start, 4000);
        assert.ok(!contradicts(compared), `${name} ${scenario.name} from ${start}: ${JSON.stringify(compared)}`);
        if (compared.forgetting === 'holds') holds += 1;
        if (compared.remembering === 'violated') violated += 1;
      }
    });
  }
  it('was compared on many that hold and many that do not', () => {
    assert.ok(holds >= 8 && violated >= 12, `${holds} hold, ${violated} are violated`);
  });
});
