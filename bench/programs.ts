// Programs as they are reviewed, for the bench: the designs under test-fixtures with the scenario that decides on each, and
// the NMI stub of a kernel tree. From files to a verdict, and the graph that every boundary and every event make.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { entrySetup, outsideContexts } from '../server/src/core/contexts/entry-start.ts';
import { machineModel } from '../server/src/core/contexts/model.ts';
import type { MachineTransition } from '../server/src/core/contexts/model.ts';
import { newKeptWords } from '../server/src/core/contexts/nesting-dead.ts';
import { exploreNesting } from '../server/src/core/contexts/nesting-exploration.ts';
import { nestingFault } from '../server/src/core/contexts/nesting-faults.ts';
import { nestingStarts } from '../server/src/core/contexts/nesting-starts.ts';
import { ANY_NUMBER, nestingModel } from '../server/src/core/contexts/nesting.ts';
import type { NestStep } from '../server/src/core/contexts/nesting.ts';
import { shows } from '../server/src/core/contexts/properties.ts';
import { prepare } from '../server/src/core/contexts/setup.ts';
import { IDT_VARIANTS } from '../server/src/core/kernel/variants.ts';
import { emptyConfiguration, presetConfiguration } from '../server/src/core/preprocess/configurations.ts';
import type { Program } from '../server/src/core/program/program.ts';
import { linkKernel } from '../server/src/core/review/kernel.ts';
import { NESTING_BOUNDS } from '../server/src/core/review/nesting-run.ts';
import { createAnyNumber } from '../server/src/core/review/any-number.ts';
import { applies, createRun } from '../server/src/core/review/run.ts';
import { createStreams } from '../server/src/core/review/streams.ts';
import { linkUnit } from '../server/src/core/review/unit.ts';
import type { AnyNumber } from '../server/src/core/rules/finding.ts';
import { RULES } from '../server/src/core/rules/index.ts';
import { builtInScenarios } from '../server/src/core/scenarios/built-in.ts';
import type { Scenario, StartContext } from '../server/src/core/scenarios/scenario.ts';
import { createCParser } from '../server/src/core/syntax/c.ts';
import { createParsers } from '../server/src/core/syntax/parser.ts';
import { loadGrammars } from '../server/src/shell/grammars.ts';
import { graphOf } from './table.ts';
import type { Graph } from './table.ts';

const DESIGNS = 'test-fixtures/designs';
export const designNames: readonly string[] = readdirSync(DESIGNS).sort();

/** Scenarios by how much they say about a design: the first that applies decides. */
const DECIDING = ['ve-in-task', 'apf-flags-stolen-by-nmi', 'perf-nmi-mc-twice', 'nmi-nested'];
const MOST_STATES = 2_000_000;

/** A program that is made afresh from its files at each call, and its exploration. */
export interface Subject {
  readonly name: string;
  /** What is explored, in words. */
  readonly what: string;
  readonly verdict: () => Reached;
  /** The same for any number of its events; null where that is not told of it. */
  readonly beyond: (() => AnyNumber) | null;
  /** Every event at every boundary. */
  readonly graph: () => Graph;
}

export interface Reached {
  /** Steps to what breaks, or null. */
  readonly violatedAfter: number | null;
  readonly states: number;
}

type Parse = ReturnType<typeof createCParser>;

export async function parserOf(bundles: string): Promise<Parse> {
  return createCParser(await createParsers(loadGrammars(bundles)));
}

const read = (path: string): string | null => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : null);

function linkedDesign(name: string, parse: Parse): Program {
  const folder = join(DESIGNS, name);
  const source = { read };
  return linkUnit({ folder, name, files: readdirSync(folder).sort().map((file) => join(folder, file)) }, source, createStreams(source, emptyConfiguration, parse)).program;
}

function decidingRun(program: Program): { readonly scenario: Scenario; readonly start: StartContext } {
  for (const name of DECIDING) {
    const scenario = builtInScenarios.find((one) => one.name === name);
    if (scenario === undefined || !applies(program, scenario)) continue;
    const start = scenario.start.includes('kernel') ? 'kernel' : (scenario.start[0] ?? 'user');
    return { scenario, start };
  }
  throw new Error('no scenario applies');
}

export function designSubject(name: string, parse: Parse): Subject {
  let made: Program | null = linkedDesign(name, parse);
  const { scenario, start } = decidingRun(made);
  /** The first time what was made already, so that nothing is made twice for one verdict. */
  const next = (): Program => {
    const program = made ?? linkedDesign(name, parse);
    made = null;
    return program;
  };
  return {
    name,
    what: `${scenario.name} from ${start}`,
    verdict: () => {
      const run = createRun(next(), scenario, start, name, RULES, { reference: false, maxStates: MOST_STATES });
      while (!run.advance(5000).done);
      const { trace, states, verdict } = run.report();
      if (verdict === 'inconclusive') throw new Error(`${name} has more than ${MOST_STATES} states`);
      return { violatedAfter: trace === null ? null : trace.steps.reduce((sum, { steps }) => sum + steps, 0), states };
    },
    beyond: () => {
      const run = createAnyNumber(next(), scenario, start);
      while (!run.advance(5000));
      return run.result();
    },
    graph: () => {
      const program = next();
      const { setup, initial } = prepare(program, scenario, start, { reference: true });
      return graphOf(name, machineModel(setup, [initial]), (before, transition) => {
        const { effects, state } = transition as MachineTransition;
        return scenario.expect.some((one) => one.kind === 'never' && shows(one.property, { program, before, effects, after: state }));
      });
    },
  };
}

/** The stub of NMIs of a tree, from kernel mode on a CPU with page-table isolation. */
export function nmiSubject(root: string, parse: Parse): Subject {
  const linked = (): Program => {
    const texts = new Map<string, string | null>();
    const source = {
      read: (path: string): string | null => {
        const known = texts.get(path);
        if (known !== undefined) return known;
        const text = read(path);
        texts.set(path, text);
        return text;
      },
    };
    const configuration = presetConfiguration('6.12');
    if (configuration === null) throw new Error('there is no configuration 6.12');
    const made = linkKernel(root.endsWith('/') ? root : `${root}/`, createStreams(source, configuration, parse), 'idt');
    if (made === null) throw new Error(`there is no entry code in ${root}`);
    return made.program;
  };
  const begin = (program: Program): { readonly setup: ReturnType<typeof entrySetup>; readonly state: ReturnType<typeof nestingStarts>[number]['state'] } => {
    const variant = IDT_VARIANTS[0];
    const outside = variant === undefined ? [] : outsideContexts(program, variant);
    const stateOf = (name: string): (typeof outside)[number]['state'] => {
      const found = outside.find((one) => one.name === name);
      if (found === undefined) throw new Error(`there is no context ${name}`);
      return found.state;
    };
    const start = nestingStarts(program, stateOf('user'), stateOf('kernel')).find(({ title }) => title === 'kernel mode');
    if (start === undefined) throw new Error('there is no start in kernel mode');
    return { setup: entrySetup(program), state: start.state };
  };
  return {
    name: 'asm_exc_nmi of 6.12',
    what: 'any number of NMIs from kernel mode; two for SPIN',
    beyond: null,
    verdict: () => {
      const program = linked();
      const { setup, state } = begin(program);
      const exploration = exploreNesting(program, setup, state, { kept: newKeptWords(), bounds: NESTING_BOUNDS, reduced: true, maxStates: MOST_STATES });
      while (!exploration.advance(5000));
      const fault = exploration.last().fault();
      if (fault === null && exploration.last().bounds !== ANY_NUMBER) throw new Error('no verdict for any number of NMIs');
      return { violatedAfter: fault?.steps ?? null, states: exploration.progress().states };
    },
    graph: () => {
      const program = linked();
      const { setup, state } = begin(program);
      const bounds = NESTING_BOUNDS[0];
      if (bounds === undefined) throw new Error('there are no bounds');
      return graphOf('asm_exc_nmi', nestingModel(program, setup, state, bounds, false), (_, transition) => nestingFault(setup, transition as NestStep, state) !== null);
    },
  };
}
