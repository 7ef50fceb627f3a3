// Part of section (b): from files to a verdict, beside SPIN on the whole graph of the same program as a table. What SPIN's
// user would have to do first, the modelling, costs nothing here.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleaved, samples } from './measure.ts';
import type { BeyondRun, ProgramRun } from './program-one.ts';
import { designNames } from './programs.ts';
import { atLeast, number, ratio, time } from './report.ts';
import type { Budget, Table } from './report.ts';
import { verifierOf } from './spin.ts';
import { tablePromela } from './table.ts';
import type { Graph } from './table.ts';

export interface ProgramOptions {
  readonly rounds: number;
  readonly scratch: string;
  readonly bundles: string;
  readonly kernel: string;
}

export interface ProgramPart {
  readonly tables: readonly Table[];
  readonly budgets: readonly Budget[];
  readonly figures: unknown;
  readonly notRun: readonly string[];
}

/** More rounds say nothing more: a row has eight processes already. */
const MOST_ROUNDS = 3;
/** Times that it was done before in a warm process: the compiler of the engine has settled by then. */
const WARM = '10';

export async function runPrograms(options: ProgramOptions, spin: boolean): Promise<ProgramPart> {
  const rounds = Math.min(MOST_ROUNDS, options.rounds);
  const hasKernel = existsSync(join(options.kernel, 'arch/x86/entry/entry_64.S'));
  const subjects = [...designNames.map((name) => ['design', name] as const), ...(hasKernel ? [['nmi', options.kernel] as const] : [])];
  const rows: string[][] = [];
  const figures: unknown[] = [];
  const ratios = { cold: [] as number[], warm: [] as number[], states: [] as number[] };
  const warms: number[] = [];
  const beyond: { readonly row: string[]; readonly said: BeyondRun; readonly warm: number }[] = [];
  for (const [kind, name] of subjects) {
    const title = kind === 'nmi' ? 'asm_exc_nmi' : name;
    const run = (...flags: string[]): string => spawned(options, [kind, name, ...flags]);
    const file = join(options.scratch, 'graph.json');
    run('--graph', file);
    const graph = JSON.parse(readFileSync(file, 'utf8')) as Graph;
    const breaks = graph.to.includes(-1);
    const runs = await interleaved<number>(rounds, {
      cold: () => {
        const began = performance.now();
        run();
        return performance.now() - began;
      },
      warm: () => (JSON.parse(run('--again', WARM)) as ProgramRun).milliseconds,
      ...(spin ? { pan: () => panTime(graph, breaks, options.scratch) } : {}),
    });
    const one = JSON.parse(run()) as ProgramRun;
    if ((one.violatedAfter !== null) !== breaks) throw new Error(`${title}: the whole graph says otherwise`);
    const median = (of: string): number => samples(runs.get(of) ?? []).median;
    const fewer = graph.states / one.states;
    rows.push([title, one.what, one.violatedAfter === null ? 'holds' : `violated in ${one.violatedAfter}`, number(graph.states), number(one.states), breaks ? '-' : ratio(fewer), time(median('cold')), time(median('warm')), time(median('pan')), ratio(median('pan') / median('cold')), ratio(median('pan') / median('warm'))]);
    figures.push({ title, one, states: graph.states, transitions: graph.to.length, runs: Object.fromEntries(runs) });
    ratios.cold.push(median('pan') / median('cold'));
    ratios.warm.push(median('pan') / median('warm'));
    if (!breaks) ratios.states.push(fewer);
    if (kind !== 'design') continue;
    warms.push(median('warm'));
    const unbounded = Array.from({ length: rounds }, () => JSON.parse(run('--beyond', '--again', WARM)) as BeyondRun);
    const [said] = unbounded;
    if (said === undefined) continue;
    const warm = samples(unbounded.map(({ milliseconds }) => milliseconds)).median;
    beyond.push({ row: [title, said.bound, said.verdict === 'open' ? `open: ${said.why ?? ''}` : said.verdict, number(said.states), time(warm)], said, warm });
  }
  const decided = beyond.filter(({ said }) => said.verdict !== 'open');
  return {
    tables: [{ title: 'From files to a verdict: a fresh process, the eleventh time in one, and spin -a + gcc -O2 + pan on the whole graph as a table', columns: ['program', 'scenario', 'verdict', 'states', 'reduced', 'ratio', 'cold', 'warm', 'SPIN', 'cold ratio', 'warm ratio'], rows }, { title: 'From files to what is said of any number of events, the eleventh time in a process', columns: ['program', 'for', 'verdict', 'states', 'warm'], rows: beyond.map(({ row }) => row) }],
    budgets: [
      atLeast('programs, cold: at least 5 times sooner than SPIN', Math.min(...ratios.cold), 5, ratio),
      atLeast('programs, warm: at least 10 times sooner than SPIN', Math.min(...ratios.warm), 10, ratio),
      atLeast('correct programs: at least 15 times fewer states with reductions', Math.min(...ratios.states), 15, ratio),
      atLeast('designs whose verdict comes within 150 ms, warm, of all', warms.filter((one) => one <= 150).length / warms.length, 1, (share) => `${Math.round(share * warms.length)} of ${warms.length}`),
      atLeast('designs whose verdict for any number of events comes within 150 ms, warm, of those that have one', decided.filter(({ warm }) => warm <= 150).length / decided.length, 1, (share) => `${Math.round(share * decided.length)} of ${decided.length}`),
    ],
    figures: { runs: figures, beyond: beyond.map(({ said, warm }) => ({ ...said, warm })) },
    notRun: hasKernel ? [] : ['asm_exc_nmi: there is no kernel tree'],
  };
}

function spawned(options: ProgramOptions, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(options.bundles, 'program-one.js'), ...args], { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, ENTRYCHECK_CACHE: join(options.scratch, 'cache') } });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function panTime(graph: Graph, breaks: boolean, scratch: string): number {
  const verifier = verifierOf(`table ${graph.name}`, tablePromela(graph), 'breadth-first', scratch, Math.max(18, Math.ceil(Math.log2(graph.states * 1.2))));
  const run = verifier.run();
  if (run.errors > 0 !== breaks) throw new Error(`${graph.name}: pan says ${run.errors} errors`);
  if (!breaks && run.states !== graph.states) throw new Error(`${graph.name}: pan stored ${run.states} states, not ${graph.states}`);
  return verifier.compile + run.milliseconds;
}
