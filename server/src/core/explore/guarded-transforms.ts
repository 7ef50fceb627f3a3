// Other models made from a guarded model: with budgets for its events, with dead words poisoned, with events only at
// visible boundaries.
import { unreachable } from '../base/unreachable.ts';
import { substitute, variablesOf } from './expressions.ts';
import { all, choose, constant, equal, less, minus, not, set, variable } from './guarded.ts';
import type { Expression, GuardedModel, GuardedRule, Property, Update } from './guarded.ts';

/** Each event may arrive so many times in all. Events without a budget may always arrive. */
export function withBudgets(model: GuardedModel, budgets: Readonly<Record<string, number>>): GuardedModel {
  const counter = (event: string): string => `${event} left`;
  return {
    ...model,
    variables: [...model.variables, ...Object.entries(budgets).map(([event, most]) => ({ name: counter(event), values: most + 1, initial: most, component: 'budgets' }))],
    rules: model.rules.map((rule) => {
      if (rule.event === null || budgets[rule.event] === undefined) return rule;
      const left = counter(rule.event);
      return { ...rule, when: [...rule.when, less(0, left)], set: [...rule.set, set(left, minus(left, 1))] };
    }),
  };
}

/** Events only where the model says that they matter. */
export function atVisibleBoundaries(model: GuardedModel): GuardedModel {
  return { ...model, rules: model.rules.map((rule) => (rule.event === null ? rule : { ...rule, when: [...rule.when, model.visible] })) };
}

/**
 * Dead words hold one value of their own, and to read it is a violation: a path on which a dead word matters is not lost.
 */
export function withoutDeadWords(model: GuardedModel): GuardedModel {
  const poisonOf = new Map(model.dead.flatMap(({ variables }) => variables).map((name) => [name, model.variables.find((one) => one.name === name)?.values ?? 0]));
  const initial = new Map(model.variables.map(({ name, initial: value }) => [name, constant(value)]));
  const startsDead = new Set(model.dead.filter(({ when }) => isTrue(substitute(all(...when), initial))).flatMap(({ variables }) => variables));
  return {
    ...model,
    variables: model.variables.map((one) => {
      const poison = poisonOf.get(one.name);
      return poison === undefined ? one : { ...one, values: poison + 1, initial: startsDead.has(one.name) ? poison : one.initial };
    }),
    rules: model.rules.map((rule) => ({ ...rule, when: [...rule.when, ...readsDeadWords(rule, poisonOf).map(({ when }) => not(all(...when)))], set: poisoned(model, rule, poisonOf) })),
    properties: [...model.properties, ...model.rules.flatMap((rule) => readsDeadWords(rule, poisonOf))],
  };
}

const isTrue = (one: Expression): boolean => one.kind === 'constant' && one.value !== 0;
const isFalse = (one: Expression): boolean => one.kind === 'constant' && one.value === 0;

/** The updates of a rule, after which words that died are poisoned. */
function poisoned(model: GuardedModel, rule: GuardedRule, poisonOf: ReadonlyMap<string, number>): readonly Update[] {
  const known = fixedBy(rule.when);
  const after = new Map<string, Expression>([...known, ...rule.set.map(({ variable: name, to }): readonly [string, Expression] => [name, to])]);
  const updates = new Map(rule.set.map((update) => [update.variable, update]));
  for (const { when, variables } of model.dead) {
    const dies = substitute(all(...when), after);
    if (isFalse(dies)) continue;
    // Words that were dead before stay what they are, unless this rule writes them.
    const unchanged = when.every((one) => [...variablesOf(one)].every((name) => !updates.has(name)));
    for (const name of variables) {
      if (unchanged && !updates.has(name)) continue;
      const poison = constant(poisonOf.get(name) ?? 0);
      updates.set(name, set(name, isTrue(dies) ? poison : choose(dies, poison, updates.get(name)?.to ?? variable(name))));
    }
  }
  return [...updates.values()];
}

/** Variables that a guard fixes to a constant. */
function fixedBy(when: readonly Expression[]): ReadonlyMap<string, Expression> {
  return new Map(when.flatMap((one): readonly (readonly [string, Expression])[] => (one.kind === 'equal' && one.left.kind === 'variable' && one.right.kind === 'constant' ? [[one.left.name, one.right]] : [])));
}

function readsDeadWords(rule: GuardedRule, poisonOf: ReadonlyMap<string, number>): readonly Property[] {
  const guards = rule.when.map((one) => deadRead(one, poisonOf));
  const reads = substitute({ kind: 'any', of: [...guards, ...rule.set.map(({ to }) => deadRead(to, poisonOf))] }, new Map());
  if (isFalse(reads)) return [];
  const before = rule.when.filter((_, at) => isFalse(substitute(guards[at] ?? constant(0), new Map())));
  return [{ name: `${rule.name} reads a dead word`, kind: 'never', when: [...before, reads] }];
}

/** Whether evaluating an expression reads a poisoned word: operands that are not needed are not read. */
function deadRead(expression: Expression, poisonOf: ReadonlyMap<string, number>): Expression {
  const of = (one: Expression): Expression => deadRead(one, poisonOf);
  switch (expression.kind) {
    case 'constant':
      return constant(0);
    case 'variable': {
      const poison = poisonOf.get(expression.name);
      return poison === undefined ? constant(0) : equal(expression.name, poison);
    }
    case 'not':
      return of(expression.of);
    case 'all':
    case 'any': {
      const goesOn = (one: Expression): Expression => (expression.kind === 'all' ? one : not(one));
      return expression.of.reduceRight<Expression>((rest, one) => ({ kind: 'any', of: [of(one), all(goesOn(one), rest)] }), constant(0));
    }
    case 'equal':
    case 'less':
    case 'plus':
    case 'minus':
      return { kind: 'any', of: [of(expression.left), of(expression.right)] };
    case 'if':
      return { kind: 'any', of: [of(expression.test), choose(expression.test, of(expression.then), of(expression.otherwise))] };
    default:
      return unreachable(expression);
  }
}
