// Section (b): the explorer beside SPIN on the same models. State and transition counts of both must agree, or the
// comparison is void.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Explored } from './explore-one.ts';
import { installed, interleaved, samples } from './measure.ts';
import { control, sized, unbounded, verdicts } from './models/index.ts';
import { atLeast, atMost, budget, number, ratio, time } from './report.ts';
import type { Budget, Section, Table } from './report.ts';
import { runPrograms } from './verdicts.ts';
import { panFlags, prepareSpin } from './spin.ts';
import type { PanRun, Verifier } from './spin.ts';

export interface ExplorerOptions {
  readonly rounds: number;
  readonly scratch: string;
  /** Folder of the bench's bundles. */
  readonly bundles: string;
  /** A tree with `asm_exc_nmi`. */
  readonly kernel: string;
  /** Largest model that is run, in states. */
  readonly most: number;
}

function explored(options: ExplorerOptions, args: readonly string[]): Explored & { readonly wall: number } {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(options.bundles, 'explore-one.js'), ...args], { encoding: 'utf8' });
  const wall = performance.now() - began;
  if (status !== 0) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Explored), wall };
}

const medianOf = <T>(runs: readonly T[] | undefined, of: (run: T) => number): number => samples((runs ?? []).map(of)).median;
const perSecond = (states: number, milliseconds: number): number => states / milliseconds / 1000;

export async function explorers(options: ExplorerOptions): Promise<Section> {
  const spin = installed('spin', '-V') && installed('gcc');
  const throughput = await runThroughput(options, spin);
  const toVerdict = await runVerdicts(options, spin);
  const events = runUnbounded(options);
  const programs = await runPrograms(options, spin);
  return {
    name: 'explorer',
    title: 'Explorer beside SPIN',
    commands: ['spin -a model.pml', `gcc ${panFlags('breadth-first').join(' ')} -o pan pan.c && ./pan -wN`, `gcc ${panFlags('depth-first').join(' ')} -o pan pan.c && ./pan -wN -m100000`],
    tables: [throughput.table, toVerdict.table, events.table, ...programs.tables],
    budgets: [...throughput.budgets, ...toVerdict.budgets, ...events.budgets, ...programs.budgets],
    notRun: [...(spin ? [] : ['SPIN: spin and gcc are not installed']), ...programs.notRun],
    figures: { throughput: throughput.figures, verdicts: toVerdict.figures, unbounded: events.figures, programs: programs.figures },
  };
}

interface Part {
  readonly table: Table;
  readonly budgets: readonly Budget[];
  readonly figures: unknown;
}

async function runThroughput(options: ExplorerOptions, spin: boolean): Promise<Part> {
  const rows: string[][] = [];
  const figures: unknown[] = [];
  const budgets: Budget[] = [];
  for (const [index, { name, states, model }] of sized.entries()) {
    if (states > options.most) continue;
    const peers = spin && states < 20_000_000;
    const hashBits = Math.ceil(Math.log2(states * 1.2));
    const pans: readonly (readonly [string, Verifier])[] = peers
      ? (['depth-first', 'breadth-first'] as const).map((order) => [order, prepareSpin(model(), control, order, 'located', options.scratch, hashBits)])
      : [];
    const rounds = states > 5_000_000 ? Math.min(3, options.rounds) : options.rounds;
    const runs = await interleaved<Explored | PanRun>(rounds, { explorer: () => explored(options, ['sized', `${index}`]), ...Object.fromEntries(pans.map(([order, verifier]) => [order, verifier.run])) });
    const ours = (runs.get('explorer') ?? []) as Explored[];
    const one = ours[0];
    if (one === undefined) continue;
    if (one.states !== states) throw new Error(`${name} has ${one.states} states, not ${states}`);
    const milliseconds = medianOf(ours, (run) => run.milliseconds);
    const memory = medianOf(ours, (run) => run.memory);
    const depth = medianOf(runs.get('depth-first') as PanRun[] | undefined, (run) => run.milliseconds);
    const breadth = medianOf(runs.get('breadth-first') as PanRun[] | undefined, (run) => run.milliseconds);
    const depthMemory = medianOf(runs.get('depth-first') as PanRun[] | undefined, (run) => run.memory);
    const breadthMemory = medianOf(runs.get('breadth-first') as PanRun[] | undefined, (run) => run.memory);
    for (const [order] of pans) for (const run of (runs.get(order) ?? []) as PanRun[]) if (run.states !== states || Math.abs(run.transitions - one.transitions) > 1) throw new Error(`${name}: pan ${order} stored ${run.states} states over ${run.transitions} transitions, the explorer ${states} over ${one.transitions}`);
    rows.push([name, number(states), number(perSecond(states, milliseconds), 2), peers ? number(perSecond(states, depth), 2) : '-', peers ? number(perSecond(states, breadth), 2) : '-', number(one.bytesPerState, 1), number(memory), peers ? number(depthMemory) : '-', peers ? number(breadthMemory) : '-', peers ? time(pans.reduce((most, [, verifier]) => Math.max(most, verifier.compile), 0)) : '-', time(medianOf(ours, (run) => run.sliceP99)), time(medianOf(ours, (run) => run.sliceMost))]);
    figures.push({ name, states, runs: Object.fromEntries(runs), compile: Object.fromEntries(pans.map(([order, verifier]) => [order, verifier.compile])) });
    if (peers && states > 1_500_000) {
      budgets.push(atLeast(`${name}: at least pan's depth-first rate`, depth / milliseconds, 1, ratio));
      budgets.push(atLeast(`${name}: 1.6 times pan's breadth-first rate`, breadth / milliseconds, 1.6, ratio));
    }
    if (states > 1_500_000) budgets.push(atMost(`${name}: at most 24 bytes a state`, one.bytesPerState, 24, (value) => number(value, 1)));
    if (peers && states > 7_000_000) {
      budgets.push(atMost(`${name}: a quarter of the memory of pan, breadth-first`, memory / breadthMemory, 0.25, ratio));
      budgets.push(atMost(`${name}: a quarter of the memory of pan, depth-first`, memory / depthMemory, 0.25, ratio));
    }
    if (states > 25_000_000) budgets.push(atMost(`${name}: under 1 GiB`, memory, 1024, (value) => `${number(value)} MiB`));
    if (states > 7_000_000) budgets.push(atMost(`${name}: a slice of ${number(one.slice)} states, and so cancellation, within 20 ms in 99 of 100`, medianOf(ours, (run) => run.sliceP99), 20, time));
  }
  return {
    table: { title: 'Full graphs, exact: millions of states a second, bytes a state, MiB of the whole process', columns: ['model', 'states', 'explorer', 'pan DFS', 'pan BFS', 'bytes', 'MiB', 'pan DFS', 'pan BFS', 'spin+gcc', 'slice p99', 'slice max'], rows },
    budgets,
    figures,
  };
}

/** What one waits for a verdict: model preparation and, for pan, generation and compilation included. */
async function runVerdicts(options: ExplorerOptions, spin: boolean): Promise<Part> {
  const rows: string[][] = [];
  const figures: unknown[] = [];
  const cold: number[] = [];
  const warm: number[] = [];
  for (const [index, { name, violated, model }] of verdicts.entries()) {
    const runs = await interleaved<number>(options.rounds, {
      cold: () => explored(options, ['verdicts', `${index}`, '--first']).wall,
      warm: () => explored(options, ['verdicts', `${index}`, '--first', '--again', '3']).milliseconds,
      reduced: () => explored(options, ['verdicts', `${index}`, '--first', '--reduced']).wall,
      ...(spin
        ? {
            pan: () => {
              const verifier = prepareSpin(model(), control, 'breadth-first', 'flat', options.scratch, 20);
              const run = verifier.run();
              if (run.errors > 0 !== violated) throw new Error(`${name}: pan says ${run.errors} errors`);
              return verifier.compile + run.milliseconds;
            },
          }
        : {}),
    });
    const one = explored(options, ['verdicts', `${index}`, '--first']);
    if ((one.violatedAfter !== null) !== violated) throw new Error(`${name}: the verdict is not the expected one`);
    const median = (of: string): number => samples(runs.get(of) ?? []).median;
    rows.push([name, one.violatedAfter === null ? 'holds' : `violated in ${one.violatedAfter}`, number(one.states), time(median('cold')), time(median('warm')), time(median('reduced')), time(median('pan')), ratio(median('pan') / median('cold')), ratio(median('pan') / median('warm'))]);
    figures.push({ name, states: one.states, runs: Object.fromEntries(runs) });
    cold.push(median('pan') / median('cold'));
    warm.push(median('pan') / median('warm'));
  }
  return {
    table: { title: 'Time to verdict, breadth-first: a fresh process, the same again in it, and spin -a + gcc -O2 + pan', columns: ['model', 'verdict', 'states', 'cold', 'warm', 'reduced, cold', 'SPIN', 'cold ratio', 'warm ratio'], rows },
    budgets: [atLeast('abstract models, cold: at least 5 times sooner than SPIN', Math.min(...cold), 5, ratio), atLeast('abstract models, warm: at least 10 times sooner than SPIN', Math.min(...warm), 10, ratio)],
    figures,
  };
}

function runUnbounded(options: ExplorerOptions): Part {
  const rows: string[][] = [];
  const figures: unknown[] = [];
  const budgets: Budget[] = [];
  for (const [index, { name, violated }] of unbounded.entries()) {
    const full = explored(options, ['unbounded', `${index}`]);
    const runs = Array.from({ length: options.rounds }, () => explored(options, ['unbounded', `${index}`, '--reduced', '--again', '3']));
    const reduced = runs[0];
    if (reduced === undefined) continue;
    const warm = samples(runs.map(({ milliseconds }) => milliseconds)).median;
    if (full.violatedAfter !== reduced.violatedAfter || (full.violatedAfter !== null) !== violated) throw new Error(`${name}: full and reduced search disagree`);
    rows.push([name, reduced.violatedAfter === null ? 'holds' : `violated in ${reduced.violatedAfter}`, number(full.states), number(reduced.states), ratio(full.states / reduced.states), time(warm)]);
    figures.push({ name, full, runs });
    budgets.push(atMost(`${name}: a verdict for any number of events within 150 ms, warm`, warm, 150, time));
    if (!violated) budgets.push(budget(`${name}: at least 15 times fewer states with reductions`, ratio(full.states / reduced.states), full.states / reduced.states >= 15));
  }
  return { table: { title: 'For any number of events, reductions on', columns: ['model', 'verdict', 'states', 'reduced', 'ratio', 'warm'], rows }, budgets, figures };
}
