// Traces walked again step by step: as many steps as the trace counts, whatever exploration found it, to the place where it
// ends.
import assert from 'node:assert/strict';
import { guardLines, kernelOf, kernelText, kernelWithout } from '../../testing/kernel.ts';
import { design, runsOf } from '../../testing/review.ts';
import type { Playback } from '../playback-types.ts';
import { RULES } from '../rules/index.ts';
import type { Trace } from '../rules/finding.ts';
import { createKernelRun } from './kernel-run.ts';
import { createNestingRun } from './nesting-run.ts';
import { pathOfTrace } from './path-trace.ts';
import { playbackOf, withPath } from './playback.ts';

const length = (trace: Trace): number => trace.steps.reduce((sum, step) => sum + step.steps, 0);

function walked(trace: Trace): Playback {
  const playback = playbackOf(trace);
  assert.ok(playback, `${trace.scenario} from ${trace.start} is walked again`);
  for (let position = 0; position <= playback.steps; position += 1) {
    const callers = playback.callers(position);
    assert.equal(callers.length, playback.depth(position));
    assert.ok(playback.codeAt(position).text !== '');
    for (const row of [...playback.registers(position), ...playback.control(position), ...playback.changed(position)]) assert.ok(row.name !== '' && row.value !== '');
  }
  return playback;
}

describe('a trace walked again', () => {
  for (const [name, scenario] of [['clear-on-ist-early', 've-in-task'], ['clear-on-ist-early', 'perf-nmi-user-copy-fails-twice'], ['never-rearmed', 've-in-task']] as const) {
    it(`${name}, ${scenario}: every machine step that the exploration took, to what is violated`, async function () {
      this.timeout(60_000);
      const traced = (await runsOf(design(name), scenario)).flatMap(({ trace }) => (trace === null ? [] : [trace]));
      assert.ok(traced.length > 0);
      for (const trace of traced) {
        const playback = walked(trace);
        assert.equal(playback.steps, length(trace));
        assert.ok(playback.done(playback.steps).broken.length > 0, 'the last step breaks an invariant');
        for (let position = 1; position < playback.steps; position += 1) assert.deepEqual(playback.done(position).broken, []);
      }
    });
  }

  it('entry paths of a kernel: the way of each start behind the other, and the step that is judged', async function () {
    this.timeout(60_000);
    const findings: (Trace | null)[] = [];
    for (const dropped of [0, 1, 2, 3]) {
      const run = createKernelRun(await kernelOf(kernelWithout([dropped])), RULES);
      while (!run.advancePaths(20_000));
      findings.push(...run.reports().flatMap((report) => report.findings.map(({ trace }) => trace)));
    }
    const traces = findings.flatMap((trace) => (trace === null ? [] : [trace]));
    assert.ok(traces.length > 0);
    for (const trace of traces) assert.equal(walked(trace).steps, length(trace));
  });

  it('entry paths that another review found are walked by their keys, in a kernel that has them', async function () {
    this.timeout(60_000);
    const whole = await kernelOf(kernelText);
    const running = createKernelRun(whole, RULES);
    while (!running.advancePaths(20_000));
    const everywhere = new Set(running.reports().flatMap(({ findings }) => findings.map(({ rule }) => rule)));
    let walks = 0;
    for (const dropped of guardLines.keys()) {
      const run = createKernelRun(await kernelOf(kernelWithout([dropped])), RULES);
      while (!run.advancePaths(20_000));
      const here = await kernelOf(kernelWithout([dropped]));
      for (const { rule, trace } of run.reports().flatMap(({ findings }) => findings)) {
        if (trace?.way === undefined) continue;
        const own = walked(trace);
        const path = pathOfTrace(here, trace);
        assert.ok(path !== null);
        const again = walked(withPath({ ...trace }, () => path));
        assert.deepEqual(Array.from({ length: own.steps + 1 }, (_, at) => again.node(at)), Array.from({ length: own.steps + 1 }, (_, at) => own.node(at)));
        assert.deepEqual(again.registers(again.steps).map(({ name, value }) => [name, value]), own.registers(own.steps).map(({ name, value }) => [name, value]));
        walks += 1;
        if (!everywhere.has(rule)) assert.equal(pathOfTrace(whole, trace), null, `${rule}: a kernel that has the line has no such way`);
      }
    }
    assert.ok(walks > 30, `${walks} ways were walked`);
  });

  it('NMIs that nest: the steps that one choice stands for are walked one by one', async function () {
    this.timeout(60_000);
    const run = createNestingRun(await kernelOf(kernelText), RULES);
    while (!run.advance(5000));
    const traces = run.reports().flatMap(({ trace }) => (trace === null ? [] : [trace]));
    assert.ok(traces.length > 0);
    for (const trace of traces.slice(0, 6)) {
      const playback = walked(trace);
      assert.ok(playback.steps > trace.choices.length, 'some choices stand for several steps');
      assert.ok(Array.from({ length: playback.steps }, (_, at) => playback.done(at + 1).arrived).flat().includes('NMI'));
    }
  });
});
