// The reductions against the plain exploration, in which every event may arrive at every boundary and every step is a
// state: same verdict, same length of the shortest trace. Also that slices change nothing.
import assert from 'node:assert/strict';
import { mutantsOf, sampleOf } from '../../testing/mutants.ts';
import { compareReductions, runsToCompare, smallScenarios } from '../../testing/reductions.ts';
import { design, designNames, edited, linked, ran, scenarioNamed } from '../../testing/review.ts';
import type { Edit } from '../../testing/review.ts';
import type { Program } from '../program/program.ts';
import type { Scenario, StartContext } from '../scenarios/scenario.ts';
import { applies } from './run.ts';

/** States of a plain exploration; beyond, only a violation that was found before can be compared. */
const most = 15_000;

/** Both explorations agree; false where the plain one is too large to say. */
function agree(program: Program, scenario: Scenario, start: StartContext, title: string): boolean {
  const compared = compareReductions(program, scenario, start, most);
  if (compared === null) return false;
  assert.equal(compared.reduced, compared.plain, `${title} ${scenario.name} from ${start}`);
  assert.ok(compared.reducedStates <= compared.plainStates);
  return true;
}

describe('the reductions', () => {
  let compared = 0;
  for (const name of designNames) {
    it(`change neither verdict nor length of ${name}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      for (const scenario of smallScenarios) {
        if (!applies(program, scenario)) continue;
        for (const start of scenario.start.filter((one) => one !== 'kernel-irqs-off')) if (agree(program, scenario, start, name)) compared += 1;
      }
    });
  }
  it('were compared on most runs', () => {
    assert.ok(compared >= 40, `compared on ${compared} runs only`);
  });
});

/** Statements of the handlers, each left out in turn, and neighbours exchanged. */
function mutants(name: string): readonly { readonly title: string; readonly edit: Edit }[] {
  const text = design(name).get('design.c') ?? '';
  const lines = text.slice(text.indexOf('DEFINE_IDTENTRY')).split('\n');
  const statements = lines.flatMap((line, at) => (/^\t+(?!u64|struct|unsigned|return|ISTG|INTG)[a-z_A-Z].*;$/.test(line) && text.split(`${line}\n`).length === 2 ? [{ line, next: lines[at + 1] ?? '' }] : []));
  return statements.flatMap(({ line, next }) => [
    { title: `${name} without ${line.trim()}`, edit: { file: 'design.c', from: `${line}\n`, to: '' } },
    ...(next.endsWith(';') ? [{ title: `${name} with ${next.trim()} before ${line.trim()}`, edit: { file: 'design.c', from: `${line}\n${next}\n`, to: `${next}\n${line}\n` } }] : []),
  ]);
}

describe('the reductions on mutants', () => {
  const small = ['self-ipi', 'clear-on-ist-early', 'clear-on-ist-last', 'switch-from-user', 'plain-nmi', 'panic-irqs-off', 'never-rearmed', 'apf-flags-word', 'rearm-at-landing-pad'];
  const all = small.flatMap((name) => mutants(name).map((one) => ({ name, ...one })));
  let compared = 0;
  for (const { name, title, edit } of all) {
    it(title, async function () {
      this.timeout(60_000);
      const { program } = await linked(edited(design(name), [edit]), name);
      for (const scenario of smallScenarios.filter((one) => one.name !== 'perf-nmi-user-copy-fails-twice').slice(0, 2)) if (applies(program, scenario) && agree(program, scenario, scenario.name === 've-in-task' ? 'kernel' : 'user', title)) compared += 1;
    });
  }
  it('were compared on at least 20', () => {
    assert.ok(all.length >= 20 && compared >= 20, `${all.length} mutants, compared on ${compared} runs`);
  });
});

/** `scripts/check-reductions.mjs` takes more of them. */
const EVERY = 700;

describe('the reductions on generated mutants', () => {
  let compared = 0;
  for (const name of designNames) {
    it(`of ${name}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      const runs = runsToCompare(program);
      for (const [index, mutant] of sampleOf(mutantsOf(program), EVERY, name.length).entries()) {
        const run = runs[index % runs.length];
        if (run !== undefined && agree(mutant.program, run.scenario, run.start, `${name}, ${mutant.title},`)) compared += 1;
      }
    });
  }
  it('were compared on at least 10', () => {
    assert.ok(compared >= 10, `compared on ${compared} only`);
  });
});

describe('slices', () => {
  for (const [name, scenario] of [['clear-on-ist-early', 've-in-task'], ['self-ipi', 've-in-task'], ['never-rearmed', 'perf-nmi-user-copy-fails-twice'], ['apf-flags-word', 'apf-flags-stolen-by-nmi']] as const) {
    it(`of any size give the same report: ${name} ${scenario}`, async function () {
      this.timeout(60_000);
      const { program } = await linked(design(name), name);
      const cut = scenarioNamed(scenario, { VE: 2, NMI: 1 });
      const [one, seven, whole] = [1, 7, 100_000].map((slice) => ran(program, cut, 'user', { slice }));
      assert.deepEqual(one, whole);
      assert.deepEqual(seven, whole);
    });
  }

  it('a bound of states that is hit is said, and makes the verdict inconclusive', async () => {
    const { program } = await linked(design('self-ipi'), 'self-ipi');
    const cut = ran(program, scenarioNamed('ve-in-task'), 'kernel', { maxStates: 500 });
    assert.deepEqual([cut.verdict, cut.states, cut.boundsHit], ['inconclusive', 500, ['500 states']]);
  });
});
