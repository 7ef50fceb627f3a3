// The exploration of a stub that is entered again while it runs, from one start: for any number of events at first, with what
// is dead forgotten. What is found so counts once an exploration with bounds, which forgets nothing, has found it too.
import { createExplorer } from '../explore/explorer.ts';
import type { Explorer, ExplorerProgress } from '../explore/explorer.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { nothingLearned } from './nesting-dead.ts';
import type { KeptWords } from './nesting-dead.ts';
import { nestingFault } from './nesting-faults.ts';
import type { NestingFault } from './nesting-faults.ts';
import { ANY_NUMBER, nestingModel } from './nesting.ts';
import type { Nest, NestingBounds, NestingModel, NestStep } from './nesting.ts';

/** The step that breaks something, and the state that it was taken in. */
export interface FaultyStep {
  readonly what: NestingFault;
  readonly from: number;
  readonly choice: number;
  readonly step: NestStep;
  /** From the root to its end. */
  readonly steps: number;
}

/** One exploration with bounds of its own. */
export interface NestingTry {
  readonly bounds: NestingBounds;
  readonly model: NestingModel;
  readonly explorer: Explorer;
  readonly fault: () => FaultyStep | null;
}

export interface NestingExploration {
  /** Explores about that many states more; true at the end. */
  readonly advance: (states: number) => boolean;
  /** States of all tries so far. */
  readonly states: () => number;
  /** The try that the verdict is of, and how far it came. */
  readonly last: () => NestingTry;
  readonly progress: () => ExplorerProgress;
}

/** States for any number of events before bounds are tried: no stub with a protocol that works has needed a tenth. */
const MOST_FOR_ANY = 200_000;

/** States of an exploration that says nothing any more, while it still shows words to be kept. */
const MOST_SINCE_LEARNED = 1000;

/** Explored one after the other until one says what is true: each of the last finds what it finds on its own. */
export interface NestingPlan {
  /** Words kept, shared by the explorations of a program; null where any number of events is not tried. */
  readonly kept: KeptWords | null;
  readonly bounds: readonly NestingBounds[];
  /** Events only at boundaries at which they do not commute with the code. */
  readonly reduced: boolean;
  readonly maxStates: number;
}

export function exploreNesting(program: Program, setup: MachineSetup, start: State, plan: NestingPlan): NestingExploration {
  const waiting = [...plan.bounds];
  let before = 0;
  let current = plan.kept === null ? begin(waiting.shift() ?? ANY_NUMBER, null) : begin(ANY_NUMBER, plan.kept);
  let progress = current.explorer.run(0);

  function begin(bounds: NestingBounds, kept: KeptWords | null): NestingTry {
    const model = nestingModel(program, setup, start, bounds, plan.reduced, kept);
    let fault: FaultyStep | null = null;
    let depth = 0;
    const learnedEnough = nothingLearned(model, MOST_SINCE_LEARNED);
    const explorer: Explorer = createExplorer<Nest>(model, kept === null ? plan.maxStates : MOST_FOR_ANY, {
      onTransition: (from, _before, choice, transition) => {
        const step = transition as NestStep;
        depth = explorer.depthOf(from);
        const steps = depth + step.weight;
        if (model.isVoid() || (fault !== null && fault.steps <= steps)) return;
        const what = nestingFault(setup, step, start);
        if (what !== null) fault = { what, from, choice, step, steps };
      },
      enough: (states) => {
        // A choice stands for several steps: one that is taken later may still end sooner.
        return model.isVoid() ? learnedEnough(states) : fault !== null && depth + 1 >= fault.steps;
      },
    });
    return { bounds, model, explorer, fault: () => fault };
  }

  /** Something was found for any number of events: bounds that show nothing are not the last word then. */
  let findsMore = false;

  /** The try behind one that came to its end, or null where that is the last. */
  function next(): NestingTry | null {
    if (current.model.isVoid()) return begin(ANY_NUMBER, plan.kept);
    const found = current.fault() !== null;
    if (current.bounds === ANY_NUMBER) {
      if (!found && !progress.boundHit) return null;
      findsMore = found;
    } else if (found || progress.boundHit || !findsMore) return null;
    const bounds = waiting.shift();
    return bounds === undefined ? null : begin(bounds, null);
  }

  return {
    states: () => before + progress.states,
    last: () => current,
    progress: () => progress,
    advance: (states) => {
      const stop = before + progress.states + Math.ceil(states);
      for (;;) {
        progress = current.explorer.run(Math.max(1, stop - before - progress.states));
        if (!progress.done) {
          if (before + progress.states >= stop) return false;
          continue;
        }
        const following = next();
        if (following === null) return true;
        before += progress.states;
        current = following;
        progress = current.explorer.run(0);
      }
    },
  };
}
