// Whether a scenario that holds within its budgets holds for any number of its events. What returns leave behind is
// forgotten there as far as nothing reads it; what is found so counts once an exploration that forgets nothing has found it.
import { verdictBoundaries } from '../contexts/boundaries.ts';
import { forgettingOf, newKeptWords, nothingLearned } from '../contexts/nesting-dead.ts';
import type { KeptWords } from '../contexts/nesting-dead.ts';
import { machineModel } from '../contexts/model.ts';
import type { MachineModel, MachineTransition } from '../contexts/model.ts';
import { shows } from '../contexts/properties.ts';
import type { Seen } from '../contexts/properties.ts';
import { prepare } from '../contexts/setup.ts';
import { createExplorer } from '../explore/explorer.ts';
import type { Explorer, ExplorerProgress } from '../explore/explorer.ts';
import { createScout } from '../explore/scout.ts';
import type { Scout } from '../explore/scout.ts';
import { replay } from '../explore/replay.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { AnyNumber } from '../rules/finding.ts';
import type { Expectation, Scenario, StartContext } from '../scenarios/scenario.ts';

export interface AnyNumberRun {
  /** Explores about that many states more; true at the end. */
  readonly advance: (states: number) => boolean;
  readonly result: () => AnyNumber;
}

/** States of one exploration: a design whose events do not nest for ever has needed a third. */
const MOST_STATES = 50_000;

/** States of an exploration that says nothing any more, while it still shows words to be kept. */
const MOST_SINCE_LEARNED = 500;

/** The same of the look around before. */
const MOST_LOOKING_AROUND = 300;

const NO_PROGRESS: ExplorerProgress = { states: 0, transitions: 0, depth: 0, done: false, boundHit: false };

interface Try {
  readonly model: MachineModel;
  readonly explorer: Explorer;
  /** Whether an expectation was seen broken, and the first of them by its steps where nothing is forgotten. */
  readonly broken: () => Broken | null;
}

interface Broken {
  readonly what: string;
  readonly from: number;
  readonly choice: number;
  readonly steps: number;
}

/** Of one program: what one start has shown the next one need not learn. */
interface Learned {
  /** Words that are read behind a return. */
  readonly kept: KeptWords;
  /** Scenarios and starts that were looked around in. */
  readonly seen: Set<string>;
}

const learnedOf = new WeakMap<Program, Learned>();

function learnedFor(program: Program): Learned {
  const found = learnedOf.get(program) ?? { kept: newKeptWords(), seen: new Set<string>() };
  learnedOf.set(program, found);
  return found;
}

const isNever = (one: Expectation): one is Expectation & { readonly kind: 'never' } => one.kind === 'never';

/** For the tests, which compare explorations that forget with those that do not, and those that raise events at every boundary. */
export interface AnyNumberOptions {
  readonly forgets?: boolean;
  readonly reference?: boolean;
  readonly mostStates?: number;
}

export function createAnyNumber(program: Program, scenario: Scenario, start: StartContext, { forgets = true, reference = false, mostStates = MOST_STATES }: AnyNumberOptions = {}): AnyNumberRun {
  const { setup, initial, bounds } = prepare(program, scenario, start, { anyNumber: true, reference });
  /** What forgets finds no trace that counts. */
  const forVerdict = reference ? setup : { ...setup, visible: verdictBoundaries(program).nested };
  const bound = bounds[0] ?? '';
  const nevers = scenario.expect.filter(isNever);
  let before = 0;
  const { kept, seen } = learnedFor(program);
  const place = `${scenario.name} ${start}`;
  let scout: Scout | null = null;
  let current = begin(forgets);
  let progress: ExplorerProgress = current.explorer.run(0);
  let forgetting = forgets;
  let result: AnyNumber | null = null;

  function brokenBy(step: Omit<Seen, 'program'>): string | null {
    return nevers.find(({ property }) => shows(property, { program, ...step }))?.what ?? null;
  }

  /** Most words to be kept are found so, before states are explored that would have to be explored again. */
  function lookAround(): Scout {
    const model = machineModel(forVerdict, [initial], { forgetting: forgettingOf(setup, kept), judged: () => undefined });
    return createScout<State>(model, nothingLearned(model, MOST_LOOKING_AROUND));
  }

  function begin(forget: boolean): Try {
    const words = forget ? forgettingOf(setup, kept) : null;
    let broken: Broken | null = null;
    const note = (what: string | null, from: number, choice: number, steps: number): void => {
      if (what !== null && (broken === null || steps < broken.steps)) broken = { what, from, choice, steps };
    };
    const model = machineModel(forget ? forVerdict : setup, [initial], { forgetting: words, ...(forget ? { judged: (step): void => note(brokenBy(step), 0, 0, 0) } : {}) });
    const learnedEnough = nothingLearned(model, MOST_SINCE_LEARNED);
    const explorer: Explorer = createExplorer<State>(model, mostStates, {
      onTransition: (from, state, choice, transition) => {
        if (!forget) note(brokenBy({ before: state, effects: (transition as MachineTransition).effects, after: transition.state }), from, choice, explorer.depthOf(from) + transition.weight);
      },
      enough: (states) => (model.isVoid() ? !seen.has(place) || learnedEnough(states) : broken !== null || model.cutOff()),
    });
    return { model, explorer, broken: () => broken };
  }

  /** How often each event comes on the way to what is broken. */
  function eventsOf({ from, choice }: Broken): string {
    const { choices } = current.explorer.pathTo(from);
    const counts = new Map<number, number>();
    for (const { event } of replay<State>(current.model, 0, [...choices, choice]).transitions as readonly MachineTransition[]) if (event !== null) counts.set(event, (counts.get(event) ?? 0) + 1);
    return [...counts].map(([vector, times]) => `${vectorTitle(vector)} ${times === 1 ? 'once' : `${times} times`}`).join(', ');
  }

  /** What the exploration that came to its end says, or null where another one has to. */
  function outcome(): AnyNumber | null {
    if (current.model.isVoid()) return null;
    const broken = current.broken();
    if (broken !== null) return forgetting ? null : { verdict: 'violated', bound, states: progress.states, why: `${eventsOf(broken)}, after ${broken.steps} steps: never ${broken.what}` };
    if (current.model.cutOff()) return { verdict: 'open', bound, states: progress.states, why: `frames nest to the bound of ${setup.depth}` };
    return progress.boundHit ? { verdict: 'open', bound, states: progress.states, why: `more than ${mostStates.toLocaleString('en')} states` } : { verdict: 'holds', bound, states: progress.states, why: null };
  }

  const states = (): number => before + progress.states;

  function beginAgain(): void {
    current = begin(forgetting);
    progress = current.explorer.run(0);
  }

  return {
    advance: (more) => {
      const stop = states() + Math.ceil(more);
      while (result === null) {
        if (scout !== null) {
          const found = scout.states();
          const done = scout.run(Math.max(1, stop - states()));
          before += scout.states() - found;
          if (!done) return false;
          scout = null;
          beginAgain();
        }
        progress = current.explorer.run(Math.max(1, stop - states()));
        if (!progress.done) {
          if (states() >= stop) return false;
          continue;
        }
        result = outcome();
        if (result !== null) break;
        if (!current.model.isVoid()) forgetting = false;
        before = states();
        if (forgetting && !seen.has(place)) {
          seen.add(place);
          scout = lookAround();
          progress = NO_PROGRESS;
        } else beginAgain();
      }
      return true;
    },
    result: () => {
      if (result === null) throw new Error('the exploration has not come to its end');
      return result;
    },
  };
}
