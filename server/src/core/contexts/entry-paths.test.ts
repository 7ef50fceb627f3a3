// The fast contexts against a full exploration of a small kernel: every state that an event at any boundary leads to is
// one that the fast tier knows; and what does not matter to a path changes nothing that is said of it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { guardLines, kernelOf, kernelTable, kernelText, kernelWithout } from '../../testing/kernel.ts';
import { createExplorer } from '../explore/explorer.ts';
import type { Model, Transition } from '../explore/model.ts';
import type { NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import type { KernelProgram } from '../review/kernel-run.ts';
import { createKernelRun } from '../review/kernel-run.ts';
import { RULES } from '../rules/index.ts';
import { createEntryAnalysis } from './entry-analysis.ts';
import type { EntryAnalysis } from './entry-analysis.ts';
import { delivered } from './entry-paths.ts';
import { pathOutcomes } from './path-outcomes.ts';
import { contextKey, outsideContexts, stackNameOf } from './entry-start.ts';
import { machineModel } from './model.ts';
import { nestingModel } from './nesting.ts';
import { nestingFault } from './nesting-faults.ts';
import { nestingStarts } from './nesting-starts.ts';
import type { Nest, NestStep } from './nesting.ts';

const GP = 13;
const MC = 18;
const SEED = 20200504;

const someDropped = fc.uniqueArray(fc.nat(guardLines.length - 1), { maxLength: 3 });

/** `rule: instruction` of everything that is said. */
function saidOf(kernel: KernelProgram, text: string): ReadonlySet<string> {
  const run = createKernelRun(kernel, RULES);
  while (!run.advance(50_000));
  const said = new Set<string>();
  for (const report of run.reports()) {
    for (const finding of report.findings) {
      for (const place of [finding.place, ...finding.related.map((one) => one.place)]) said.add(`${finding.rule}: ${text.slice(place.span.start, place.span.end).replaceAll('_renamed', '').trim()}`);
    }
  }
  return said;
}

async function analysed(text: string): Promise<EntryAnalysis> {
  const kernel = await kernelOf(text);
  const analysis = createEntryAnalysis(kernel.program, kernel.variants, [], () => false);
  while (!analysis.advance(1000));
  return analysis;
}

const keyOf = (setup: MachineSetup, state: State): string => contextKey(state, stackNameOf(setup, state.registers[RSP]));

interface Interrupted {
  readonly state: State;
  readonly left: number;
}

/** One door, and one event that no flag holds off at every boundary of it and of nothing else. */
function oneEventEverywhere({ program, setup }: EntryAnalysis, first: State, outermost: State, vector: number): Model<Interrupted> {
  const packer = machineModel(setup, [first]);
  return {
    width: packer.width + 1,
    initial: () => [{ state: first, left: 1 }],
    pack: (one, into, offset) => {
      packer.pack(one.state, into, offset);
      into[offset + packer.width] = one.left;
    },
    successors: ({ state, left }): readonly Transition<Interrupted>[] => {
      if (state.ended !== null || (state.frames.length === outermost.frames.length && state.node === outermost.node)) return [];
      const steps = pathOutcomes(program, setup, state).map((outcome) => ({ label: outcome.label, weight: 1, state: { state: outcome.state, left } }));
      const arrived = left > 0 && program.code.nodes[state.node]?.kind === 'instruction' ? delivered(setup, state, vector) : null;
      return arrived === null ? steps : [...steps, { label: 'event', weight: 1, state: { state: arrived, left: 0 } }];
    },
  };
}

function contextsAt({ setup, reached }: EntryAnalysis, id: NodeId): readonly string[] {
  return [...new Set(reached(id).map(({ state, start }) => `${keyOf(setup, state)} ${state.cpu.nmiBlocked ? 'NMIs blocked' : ''} ${start.variant.name}`))].sort();
}

describe('entry paths of a small kernel', function () {
  this.timeout(60_000);

  it('leave out what waits after so many steps, and say so', async () => {
    const { program, variants } = await kernelOf(kernelText);
    const whole = await analysed(kernelText);
    const cut = createEntryAnalysis(program, variants, [], () => false, false, 100);
    while (!cut.advance(1));
    assert.deepEqual(whole.unbounded(), []);
    assert.ok(cut.steps() >= 100 && cut.steps() < whole.steps(), `${cut.steps()} steps`);
    assert.match(cut.unbounded().join(), /^\d+ starts left out after \d+ steps$/);
  });

  it('run one row of an interrupt table for all, whatever fills the rows up', async () => {
    const table = (padding: string): string => `${kernelText}
\t.globl irq_entries_start
irq_entries_start:
${[32, 33, 34, 35].map((vector) => `\tpushq\t$${vector}\n\tjmp\tcommon_interrupt\n${padding}`).join('')}
common_interrupt:
\tclac\n\tcld\n1:\tjmp\t1b
`;
    const plain = await analysed(table(''));
    const filled = await analysed(table('\tnop\n\tnop\n'));
    const rows = plain.doors.filter((door) => door.name === 'irq_entries_start');
    assert.equal(rows.length, 1);
    assert.deepEqual([filled.doors.length, filled.starts(), filled.steps()], [plain.doors.length, plain.starts(), plain.steps()]);
  });

  it('reach what a full exploration with an event at every boundary reaches', async () => {
    const analysis = await analysed(kernelText);
    const { program, setup } = analysis;
    const variant = analysis.variants[0] ?? assert.fail('no CPU');
    let compared = 0;
    for (const outside of outsideContexts(program, variant)) {
      if (outside.events !== null) continue;
      const first = delivered(setup, outside.state, GP) ?? assert.fail('no gate');
      const known = new Map<number, ReadonlySet<string>>();
      const missing = new Set<string>();
      const explorer = createExplorer(oneEventEverywhere(analysis, first, outside.state, MC), 200_000, {
        onTransition: (_from, before) => {
          const { state } = before as Interrupted;
          const node = program.code.nodes[state.node];
          if (node?.kind !== 'instruction') return;
          const at = known.get(node.id) ?? new Set(analysis.reached(node.id).map((one) => keyOf(setup, one.state)));
          known.set(node.id, at);
          compared += 1;
          if (!at.has(keyOf(setup, state))) missing.add(`${node.symbol}: ${node.text} in ${keyOf(setup, state)}`);
        },
        enough: () => false,
      });
      while (!explorer.run(50_000).done);
      assert.deepEqual([...missing], [], outside.title);
    }
    assert.ok(compared > 2000, `only ${compared} states were compared`);
  });

  it('reach the same from contexts that stand for those on other stacks', async () => {
    let fewer = 0;
    await fc.assert(
      fc.asyncProperty(someDropped, async (dropped) => {
        const { program, variants } = await kernelOf(kernelWithout(dropped));
        const [all, some] = [true, false].map((reference) => {
          const analysis = createEntryAnalysis(program, variants, [], () => false, reference);
          while (!analysis.advance(1000));
          return analysis;
        });
        if (all === undefined || some === undefined) return;
        assert.ok(some.starts() <= all.starts());
        if (some.starts() < all.starts()) fewer += 1;
        for (const { id } of program.code.nodes) {
          assert.deepEqual(contextsAt(some, id), contextsAt(all, id));
        }
      }),
      { seed: SEED, numRuns: 8 },
    );
    assert.ok(fewer > 0, 'no context stands for another');
  });

  it('say the same with nops, and with other names of labels', async () => {
    await fc.assert(
      fc.asyncProperty(someDropped, fc.array(fc.nat(400), { maxLength: 8 }), async (dropped, nops) => {
        const text = kernelWithout(dropped);
        const lines = text.replace(/\.L(from_kernel|mc_out|nmi_out|kernel_)/g, '.L$1_renamed').split('\n');
        // Behind an instruction: never before a label that a macro numbers, nor in a comment.
        const at = new Set(nops.map((one) => one % lines.length));
        const edited = lines.flatMap((line, index) => (at.has(index) && /^\t[a-z]/.test(line) ? [line, '\tnop'] : [line])).join('\n');
        assert.deepEqual([...saidOf(await kernelOf(edited), edited)].sort(), [...saidOf(await kernelOf(text), text)].sort());
      }),
      { seed: SEED, numRuns: 12 },
    );
  });

  it('lose no finding to a further event', async () => {
    const without18 = kernelTable.replace(/.*X86_TRAP_MC.*\n/, '');
    assert.notEqual(without18, kernelTable);
    let found = 0;
    await fc.assert(
      fc.asyncProperty(someDropped, async (dropped) => {
        const text = kernelWithout(dropped);
        const rules = (said: ReadonlySet<string>): ReadonlySet<string> => new Set([...said].map((one) => one.split(':')[0] ?? ''));
        const fewer = rules(saidOf(await kernelOf(text, without18), text));
        const more = rules(saidOf(await kernelOf(text), text));
        found += fewer.size;
        for (const rule of fewer) assert.ok(more.has(rule), `${rule} is not said where #MC may arrive as well, without ${dropped.join()}`);
      }),
      { seed: SEED, numRuns: 12 },
    );
    assert.ok(found > 0, 'nothing was found in any of the kernels');
  });

  it('break a nested NMI with more events where they do with fewer, never the other way round', async () => {
    let broken = 0;
    for (const dropped of [[], [guardLines.length - 1], [guardLines.length - 3]]) {
      const { program, variants } = await kernelOf(kernelWithout(dropped));
      const analysis = createEntryAnalysis(program, variants, [], () => false);
      const variant = analysis.variants[0] ?? assert.fail('no CPU');
      const outside = outsideContexts(program, variant);
      const state = (name: string): State => (outside.find((one) => one.name === name) ?? assert.fail(name)).state;
      for (const start of nestingStarts(program, state('user'), state('kernel'))) {
        const verdicts = [[1, 0], [1, 1], [2, 1], [3, 1], [3, 2]].map(([nmis = 0, traps = 0]) => nestedFault(analysis, start.state, nmis, traps));
        verdicts.forEach((fault, index) => {
          if (fault === null) return;
          broken += 1;
          const later = verdicts[index + 1];
          if (index + 1 < verdicts.length) assert.ok(later !== null && later !== undefined && later <= fault, `${start.title}: ${fault} steps with fewer events, ${String(later)} with more`);
        });
      }
    }
    assert.ok(broken > 0, 'no nested NMI broke anything');
  });
});

/** Steps to the first fault, or null. */
function nestedFault({ program, setup }: EntryAnalysis, start: State, nmis: number, traps: number): number | null {
  const model = nestingModel(program, setup, start, { nmis, traps: new Map([[3, traps]]) }, false);
  let steps: number | null = null;
  const explorer = createExplorer<Nest>(model, 500_000, {
    onTransition: (from, _before, _choice, transition) => {
      if (steps === null && nestingFault(setup, transition as NestStep, start) !== null) steps = explorer.depthOf(from) + transition.weight;
    },
    enough: () => steps !== null,
  });
  while (!explorer.run(50_000).done);
  return steps;
}
