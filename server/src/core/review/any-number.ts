// Whether a scenario that holds within its budgets holds for any number of its events. What returns leave behind is
// forgotten there as far as nothing reads it; what is found so counts once an exploration that forgets nothing has found it.
import { forgettingOf, newKeptWords } from '../contexts/nesting-dead.ts';
import type { KeptWords } from '../contexts/nesting-dead.ts';
import { machineModel } from '../contexts/model.ts';
import type { MachineModel, MachineTransition } from '../contexts/model.ts';
import { shows } from '../contexts/properties.ts';
import type { Seen } from '../contexts/properties.ts';
import { prepare } from '../contexts/setup.ts';
import { createExplorer } from '../explore/explorer.ts';
import type { Explorer, ExplorerProgress } from '../explore/explorer.ts';
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

/** Words that are read behind a return, by program: what one start has shown the next one need not learn. */
const kept = new WeakMap<Program, KeptWords>();

function keptOf(program: Program): KeptWords {
  const found = kept.get(program) ?? newKeptWords();
  kept.set(program, found);
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
  const bound = bounds[0] ?? '';
  const nevers = scenario.expect.filter(isNever);
  let before = 0;
  let current = begin(forgets);
  let progress: ExplorerProgress = current.explorer.run(0);
  let forgetting = forgets;
  let result: AnyNumber | null = null;

  function brokenBy(seen: Omit<Seen, 'program'>): string | null {
    return nevers.find(({ property }) => shows(property, { program, ...seen }))?.what ?? null;
  }

  function begin(forget: boolean): Try {
    const words = forget ? forgettingOf(setup, keptOf(program)) : null;
    let broken: Broken | null = null;
    let learned = 0;
    let learnedAt = 0;
    const note = (what: string | null, from: number, choice: number, steps: number): void => {
      if (what !== null && (broken === null || steps < broken.steps)) broken = { what, from, choice, steps };
    };
    const model = machineModel(setup, [initial], { forgetting: words, ...(forget ? { judged: (seen): void => note(brokenBy(seen), 0, 0, 0) } : {}) });
    const explorer: Explorer = createExplorer<State>(model, mostStates, {
      onTransition: (from, state, choice, transition) => {
        if (!forget) note(brokenBy({ before: state, effects: (transition as MachineTransition).effects, after: transition.state }), from, choice, explorer.depthOf(from) + transition.weight);
      },
      enough: (states) => {
        if (!model.isVoid()) return broken !== null || model.cutOff();
        if (model.learned() > learned) {
          learned = model.learned();
          learnedAt = states;
        }
        return states > learnedAt + MOST_SINCE_LEARNED;
      },
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

  return {
    advance: (more) => {
      const stop = states() + Math.ceil(more);
      while (result === null) {
        progress = current.explorer.run(Math.max(1, stop - states()));
        if (!progress.done) {
          if (states() >= stop) return false;
          continue;
        }
        result = outcome();
        if (result !== null) break;
        if (!current.model.isVoid()) forgetting = false;
        before = states();
        current = begin(forgetting);
        progress = current.explorer.run(0);
      }
      return true;
    },
    result: () => {
      if (result === null) throw new Error('the exploration has not come to its end');
      return result;
    },
  };
}
