// The counterexample of a kernel that lacks a line followed in the kernel that has it, and in itself.
import assert from 'node:assert/strict';
import { guardLines, kernelOf, kernelTable, kernelText, kernelWithout } from '../../testing/kernel.ts';
import type { PathLeg } from '../contexts/path-keys.ts';
import type { Finding } from '../rules/finding.ts';
import { RULES } from '../rules/index.ts';
import { createKernelRun } from './kernel-run.ts';
import type { KernelProgram } from './kernel-run.ts';
import { pathDivergenceOf } from './path-divergence.ts';

/** Findings of entry paths. */
function found(kernel: KernelProgram): readonly Finding[] {
  const run = createKernelRun(kernel, RULES);
  while (!run.advance(50_000));
  return run.reports().flatMap(({ findings }) => findings).filter(({ trace }) => trace?.way !== undefined);
}

/** An instruction of a line, without what is written around it. */
const instructionOf = (line: string): string => line.replace('# guard', '').trim().replaceAll(/\s+/g, ' ');

describe('the way of a finding in another kernel', () => {
  it('is the same in its own to the end, and parts where the other has what it lacks', async function () {
    this.timeout(120_000);
    const whole = await kernelOf(kernelText);
    // What is found in the whole one too is no counterexample of what the other lacks.
    const everywhere = new Set(found(whole).map(({ rule }) => rule));
    let followed = 0;
    let named = 0;
    for (const [index, line] of guardLines.entries()) {
      const kernel = await kernelOf(kernelWithout([index]));
      for (const { rule, trace } of found(kernel)) {
        if (trace === null || everywhere.has(rule)) continue;
        followed += 1;
        assert.equal(pathDivergenceOf(kernel, kernel, trace), 'same', `${rule} without ${line}`);
        const parted = pathDivergenceOf(kernel, whole, trace);
        assert.ok(parted !== null && parted !== 'same', `${rule} without ${line}`);
        assert.ok(parted.step >= 1 && parted.step <= trace.steps.length, `${rule}: step ${parted.step} of ${trace.steps.length}`);
        if (parted.what.kind === 'other-code' && parted.what.text.endsWith(`: ${instructionOf(line)}`)) named += 1;
      }
    }
    assert.ok(followed > 20, `${followed} findings were followed`);
    assert.ok(named * 3 > followed * 2, `${named} of ${followed} parted at the line itself`);
  });

  it('goes into C code by the outcome that was chosen: behind a fault in an NMI handler NMIs are not blocked', async () => {
    const kernel = await kernelOf(kernelText);
    const trace = found(kernel).find((one) => one.trace?.way?.legs.length === 1 && one.trace.way.legs[0]?.door.vector === 2)?.trace;
    const leg = trace?.way?.legs[0];
    assert.ok(trace?.way !== undefined && leg !== undefined && leg.choices.length > 0);
    for (const choice of [0, 1]) {
      const legs: readonly PathLeg[] = [{ ...leg, choices: [...leg.choices.slice(0, -1), choice], insideC: true }, { door: { kind: 'event', vector: 3, name: '' }, choices: [], steps: 0, insideC: false }];
      assert.equal(pathDivergenceOf(kernel, kernel, { ...trace, way: { ...trace.way, legs } }), 'same');
    }
  });

  it('ends where the other kernel has no gate for the event, or one with another stack', async () => {
    const kernel = await kernelOf(kernelWithout([0]));
    const [first] = found(kernel);
    assert.ok(first !== undefined && first.trace !== null);
    const vector = first.trace.way?.legs.at(-1)?.door.vector;
    const gate = kernelTable.split('\n').find((text) => text.includes(vector === 2 ? 'X86_TRAP_NMI' : vector === 1 ? 'X86_TRAP_DB' : vector === 18 ? 'X86_TRAP_MC' : 'X86_TRAP_GP'));
    assert.ok(gate !== undefined, `no gate of ${vector}`);
    const without = await kernelOf(kernelWithout([0]), kernelTable.replace(gate, ''));
    const parted = pathDivergenceOf(kernel, without, first.trace);
    assert.ok(parted !== null && parted !== 'same');
    assert.equal(parted.what.kind, 'no-event');
  });
});
