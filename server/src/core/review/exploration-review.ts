// What the review explores: the scenarios of a unit, the C code and the entry paths of a kernel tree, as a whole or in
// shares, and the replay of a trace.
import type { Playback } from '../playback-types.ts';
import type { ComparisonReview, Exploration, ExplorationReview, Trace } from '../review-types.ts';
import { RULES } from '../rules/index.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { pathCoverage } from './coverage.ts';
import { divergenceOf } from './divergence.ts';
import type { EntryCode } from './entry-code.ts';
import { both, nothing, runsOf } from './explorations.ts';
import type { FrontEnd } from './front-end.ts';
import { INVARIANTS } from './invariants.ts';
import { createKernelReview } from './kernel-review.ts';
import type { EntryPrograms } from './path-divergence.ts';
import { pathOfTrace } from './path-trace.ts';
import { playbackOf, withPath } from './playback.ts';
import { replayTrace } from './run.ts';
import type { TreeFindings } from './tree-findings.ts';
import { hasEntries, scenariosOf, unitOfFolder } from './unit.ts';
import { programOf } from './units.ts';
import type { HeldUnit, Units } from './units.ts';

/** States of one run while nobody asked for it by name. */
const IDLE_STATES = 300_000;

export function createExplorationReview({ workspace, documents }: FrontEnd, units: Units, entryCode: EntryCode, treeFindings: TreeFindings): ExplorationReview & ComparisonReview {
  function explorationOf(unit: HeldUnit, scenarios: readonly Scenario[], most: number, anyNumber: boolean): Exploration {
    return runsOf(scenarios.map((scenario) => ({ scenario, program: programOf(unit, scenario) })), unit.linked.unit.name, most, anyNumber);
  }

  function scenarioIn(unit: HeldUnit, name: string): Scenario | undefined {
    return scenariosOf(unit.linked).find((one) => one.name === name);
  }

  function named(folder: string, name: string, anyNumber: boolean): Exploration | null {
    const unit = units.ofFolder(folder);
    const scenario = unit === null ? undefined : scenarioIn(unit, name);
    return unit === null || scenario === undefined ? null : explorationOf(unit, [scenario], scenario.maxStates, anyNumber);
  }

  function replayed(folder: string, name: string, start: string, choices: readonly number[]): Trace | null {
    const unit = units.ofFolder(folder);
    const scenario = unit === null ? undefined : scenarioIn(unit, name);
    const known = scenario?.start.find((one) => one === start);
    if (unit === null || scenario === undefined || known === undefined) return null;
    return replayTrace(programOf(unit, scenario), scenario, known, false, choices);
  }

  function entryPrograms(folder: string): EntryPrograms {
    const kernel = entryCode.ofKernel(folder);
    if (kernel !== null) return kernel.programs;
    const unit = units.ofFolder(folder);
    return unit === null ? [] : (entryCode.ofStubs(unit)?.programs ?? []);
  }

  /** An entry path that another thread found: nothing is explored for it. */
  function byWay(folder: string, trace: Trace): Playback | null {
    const { way } = trace;
    const kernel = way === undefined ? undefined : entryPrograms(folder).find(({ configuration }) => configuration === way.configuration);
    const path = kernel === undefined ? null : pathOfTrace(kernel, trace);
    return path === null ? null : playbackOf(withPath({ ...trace }, () => path));
  }

  return {
    explore: (folder) => {
      const ofTree = treeFindings.exploration(unitOfFolder(folder, workspace)?.files ?? []) ?? nothing;
      const own = (): Exploration | null => {
        const unit = units.ofFolder(folder);
        return unit === null || !hasEntries(unit.linked) ? null : both(entryCode.ofStubs(unit)?.exploration() ?? nothing, explorationOf(unit, scenariosOf(unit.linked), IDLE_STATES, false));
      };
      const root = entryCode.inKernel(folder) ? entryCode.rootOf(folder) : null;
      if (root !== null) return entryCode.kernels.exploration(root, ofTree, () => own() ?? nothing);
      const alone = own();
      return alone === null ? ofTree : both(ofTree, alone);
    },
    shares: (folder) => {
      const root = entryCode.inKernel(folder) ? entryCode.rootOf(folder) : null;
      return root === null ? null : { tree: root, count: entryCode.trees.sharesOf(root) };
    },
    exploreShare: (folder, share) => {
      const root = entryCode.rootOf(folder);
      const programs = root === null ? [] : entryCode.trees.shareOf(root, share);
      if (programs.length === 0) return { ...nothing, coverage: () => [] };
      const review = createKernelReview(programs, RULES, { text: documents.read, annotations: [] }, null);
      return { ...review.exploration(), coverage: () => pathCoverage(review) };
    },
    exploreRest: (folder) => {
      const unit = units.ofFolder(folder);
      return (unit === null ? null : treeFindings.exploration(unit.linked.unit.files)) ?? nothing;
    },
    run: (folder, name) => named(folder, name, true),
    test: (folder, name) => named(folder, name, false),
    divergence: (folder, other, name, start, choices) => {
      const sides = [folder, other].map((one) => {
        const unit = units.ofFolder(one);
        const scenario = unit === null ? undefined : scenarioIn(unit, name);
        return unit === null || scenario === undefined ? null : { program: programOf(unit, scenario), scenario };
      });
      const [first, second] = sides;
      const known = first?.scenario.start.find((each) => each === start);
      if (first === undefined || first === null || second === undefined || second === null || known === undefined) return null;
      return divergenceOf(first, second, known, choices);
    },
    entryPrograms,
    replay: replayed,
    playback: (folder, trace) => {
      const own = playbackOf(trace) ?? byWay(folder, trace);
      if (own !== null || trace.choices.length === 0) return own;
      const again = replayed(folder, trace.scenario, trace.start, trace.choices);
      return again === null ? null : playbackOf(again);
    },
    invariants: () => INVARIANTS.map(({ name, title, why }) => ({ name, title, why })),
  };
}
