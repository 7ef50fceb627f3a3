// Questions about the paths of one function that need no state.
import type { Graph, Step, StepIndex, TreeFunction } from './tree.ts';
import { neverReturns } from './watch.ts';

const kept = new WeakMap<Graph, ReadonlySet<StepIndex>>();

/** Whether a path from behind the step reaches the end of the function: not one that only leads to panic(). */
export function mayReturnBehind(one: TreeFunction, step: Step): boolean {
  const graph = one.graph();
  const returning = kept.get(graph) ?? returningSteps(graph);
  kept.set(graph, returning);
  return successorsOf(step).some((next) => returning.has(next));
}

/** Steps from which a return is reached. */
function returningSteps(graph: Graph): ReadonlySet<StepIndex> {
  const before = new Map<StepIndex, StepIndex[]>();
  const waiting: StepIndex[] = [];
  graph.steps.forEach((step, index) => {
    if (step.kind === 'return') waiting.push(index);
    for (const next of successorsOf(step)) before.set(next, [...(before.get(next) ?? []), index]);
  });
  const found = new Set<StepIndex>();
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (found.has(index)) continue;
    found.add(index);
    waiting.push(...(before.get(index) ?? []));
  }
  return found;
}

export function successorsOf(step: Step): readonly StepIndex[] {
  switch (step.kind) {
    case 'test':
      return [step.yes, step.no];
    case 'switch':
      return step.arms.map((arm) => arm.to);
    case 'each':
      return [step.body, step.behind];
    case 'return':
    case 'end':
      return [];
    case 'call':
      return neverReturns(step.name) ? [] : [step.next];
    default:
      return [step.next];
  }
}
