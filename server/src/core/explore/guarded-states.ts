// A guarded model state by state, as it reads: the reference that the tables are held against, and the replay of a trace.
import type { Evaluation } from './expressions.ts';
import { evaluation } from './expressions.ts';
import type { GuardedModel, Property } from './guarded.ts';
import type { Model } from './model.ts';

/** Values of all variables, in the order of the model. */
export type GuardedState = readonly number[];

export interface GuardedStates extends Model<GuardedState> {
  readonly holds: (property: Property, state: GuardedState) => boolean;
}

export function indexOfVariables(model: GuardedModel): (name: string) => number {
  const indices = new Map(model.variables.map(({ name }, at) => [name, at]));
  return (name) => {
    const index = indices.get(name);
    if (index === undefined) throw new Error(`${model.name} has no variable ${name}`);
    return index;
  };
}

/** A choice is an index into the rules that may run, in their order; its label is the rule's name. */
export function guardedStates(model: GuardedModel): GuardedStates {
  const indexOf = indexOfVariables(model);
  const guard = (when: GuardedModel['rules'][number]['when']): Evaluation => evaluation({ kind: 'all', of: when }, indexOf);
  const rules = model.rules.map((rule) => ({
    label: rule.name,
    guard: guard(rule.when),
    updates: rule.set.map(({ variable, to }) => ({ variable, index: indexOf(variable), to: evaluation(to, indexOf) })),
  }));
  const properties = new Map(model.properties.map((property) => [property, guard(property.when)]));
  return {
    initial: () => [model.variables.map(({ initial }) => initial)],
    successors: (state) =>
      rules
        .filter((rule) => rule.guard(state) !== 0)
        .map(({ label, updates }) => {
          const after = [...state];
          for (const { variable, index, to } of updates) after[index] = inRange(model, variable, index, to(state));
          return { label, state: after, weight: 1 };
        }),
    width: model.variables.length,
    pack: (state, into, offset) => into.set(state, offset),
    holds: (property, state) => (properties.get(property) ?? guard(property.when))(state) !== 0,
  };
}

export function inRange(model: GuardedModel, name: string, index: number, value: number): number {
  const values = model.variables[index]?.values ?? 0;
  if (value < 0 || value >= values) throw new Error(`${model.name}: ${name} has ${values} values and was set to ${value}`);
  return value;
}
