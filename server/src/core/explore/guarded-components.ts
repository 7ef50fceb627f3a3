// A guarded model as components: its variables by component, each combination of values a number; guards that one
// component decides become its mask, everything else small questions whose operands are ids and tuples of values.
import { NOTHING } from './components.ts';
import type { ComponentModel, ComponentRule, LookUp } from './components.ts';
import type { Evaluation } from './expressions.ts';
import { evaluation, variablesOf } from './expressions.ts';
import type { Expression, GuardedModel, Update } from './guarded.ts';
import { inRange, indexOfVariables } from './guarded-states.ts';
import { createTuples } from './tuples.ts';
import type { Tuples } from './tuples.ts';

export interface GuardedComponents extends ComponentModel {
  /** Rules of the model, then its properties as observations, in their order. */
  readonly ruleOfProperty: (property: number) => number;
  /** Values of all variables of a state. */
  readonly valuesOf: (ids: readonly number[]) => readonly number[];
}

/** Indices of variables, and the numbered combinations of their values. */
interface Group {
  readonly variables: readonly number[];
  readonly tuples: Tuples;
}

type Question = (x: number, y: number) => number;

export function guardedComponents(model: GuardedModel): GuardedComponents {
  const indexOf = indexOfVariables(model);
  const names = [...new Set(model.variables.map(({ component }) => component))];
  const componentOf = model.variables.map(({ component }) => names.indexOf(component));
  const groups = names.map((_, at) => group(model.variables.flatMap((__, index) => (componentOf[index] === at ? [index] : []))));
  /** Where questions put the values they read; what they do not read is stale. */
  const scratch = new Int32Array(model.variables.length);
  const questions: Question[] = [];
  const slots = new Map<string, number>();
  const shared = new Map<string, Group>();
  const unary: { readonly component: number; readonly rule: number; readonly holds: Evaluation }[] = [];

  function group(variables: readonly number[]): Group {
    return { variables, tuples: createTuples(variables.map((index) => model.variables[index]?.values ?? 1)) };
  }

  function groupOf(variables: readonly number[]): Group {
    const key = variables.join();
    const known = shared.get(key) ?? group(variables);
    shared.set(key, known);
    return known;
  }

  function load({ variables, tuples }: Group, id: number): void {
    for (let at = 0; at < variables.length; at += 1) scratch[variables[at] ?? 0] = tuples.valueAt(id, at);
  }

  function numberOf({ variables, tuples }: Group): number {
    return tuples.idOf((at) => scratch[variables[at] ?? 0] ?? 0);
  }

  /** Slots with the same key ask the same question. */
  function slot(key: string, question: () => Question): number {
    const known = slots.get(key);
    if (known !== undefined) return known;
    slots.set(key, questions.length);
    return questions.push(question()) - 1;
  }

  const componentsOf = (expression: Expression): readonly number[] => [...new Set([...variablesOf(expression)].map((name) => componentOf[indexOf(name)] ?? 0))].sort((a, b) => a - b);

  /** Look-ups that gather the values of variables of several components in one number. */
  function gather(variables: readonly number[], steps: LookUp[], register: () => number): { readonly register: number; readonly group: Group } {
    const byComponent = names.map((_, component) => variables.filter((index) => componentOf[index] === component)).map((some, component) => ({ some, component }));
    let so: { readonly register: number; readonly group: Group } | null = null;
    for (const { some, component } of byComponent) {
      if (some.length === 0) continue;
      const whole = groups[component];
      if (whole === undefined) continue;
      const part = groupOf(some);
      const out = register();
      steps.push({ slot: slot(`part ${some.join()}`, () => (id) => (load(whole, id), numberOf(part))), x: component, y: NOTHING, out, guard: false });
      so = so === null ? { register: out, group: part } : pair(so, { register: out, group: part }, steps, register);
    }
    if (so === null) throw new Error('nothing to gather');
    return so;
  }

  function pair(left: { readonly register: number; readonly group: Group }, right: { readonly register: number; readonly group: Group }, steps: LookUp[], register: () => number): { readonly register: number; readonly group: Group } {
    const both = groupOf([...left.group.variables, ...right.group.variables]);
    const out = register();
    steps.push({
      slot: slot(`pair ${left.group.variables.join()} and ${right.group.variables.join()}`, () => (x, y) => (load(left.group, x), load(right.group, y), numberOf(both))),
      x: left.register,
      y: right.register,
      out,
      guard: false,
    });
    return { register: out, group: both };
  }

  function guard(joint: readonly Expression[], steps: LookUp[], register: () => number): void {
    const read = [...new Set(joint.flatMap((one) => [...variablesOf(one)].map(indexOf)))].sort((a, b) => a - b);
    const operands = gather(read, steps, register);
    const holds = evaluation({ kind: 'all', of: joint }, indexOf);
    steps.push({ slot: slot(`guard ${JSON.stringify(joint)}`, () => (x) => (load(operands.group, x), holds(scratch) === 0 ? 0 : 1)), x: operands.register, y: NOTHING, out: register(), guard: true });
  }

  function update(component: number, updates: readonly Update[], steps: LookUp[], register: () => number): number {
    const whole = groups[component];
    if (whole === undefined) throw new Error('an update of no component');
    const foreign = [...new Set(updates.flatMap(({ to }) => [...variablesOf(to)].map(indexOf)))].filter((index) => componentOf[index] !== component).sort((a, b) => a - b);
    const operands = foreign.length === 0 ? null : gather(foreign, steps, register);
    const compiled = updates.map(({ variable, to }) => ({ variable, index: indexOf(variable), to: evaluation(to, indexOf), after: 0 }));
    const out = register();
    const question: Question = (x, y) => {
      load(whole, x);
      if (operands !== null) load(operands.group, y);
      for (const one of compiled) one.after = inRange(model, one.variable, one.index, one.to(scratch));
      for (const one of compiled) scratch[one.index] = one.after;
      return numberOf(whole);
    };
    steps.push({ slot: slot(`update ${JSON.stringify(updates)}`, () => question), x: component, y: operands?.register ?? 63, out, guard: false });
    return out;
  }

  function compile(rule: number, when: readonly Expression[], set: readonly Update[], observation: boolean): ComponentRule {
    const steps: LookUp[] = [];
    let next = names.length;
    const register = (): number => next++;
    const joint = new Map<string, Expression[]>();
    for (const one of when) {
      const components = componentsOf(one);
      if (components.length > 1) joint.set(components.join(), [...(joint.get(components.join()) ?? []), one]);
      else unary.push({ component: components[0] ?? 0, rule, holds: evaluation(one, indexOf) });
    }
    for (const together of joint.values()) guard(together, steps, register);
    const writes = names.flatMap((_, component): (readonly [number, number])[] => {
      const updates = set.filter(({ variable }) => componentOf[indexOf(variable)] === component);
      return updates.length === 0 ? [] : [[component, update(component, updates, steps, register)]];
    });
    return { steps, writes, observation };
  }

  const rules = [...model.rules.map((rule, at) => compile(at, rule.when, rule.set, false)), ...model.properties.map((property, at) => compile(model.rules.length + at, property.when, [], true))];
  const decides = groups.map((_, component) => {
    const byRule = new Map<number, Evaluation[]>();
    for (const one of unary) if (one.component === component) byRule.set(one.rule, [...(byRule.get(one.rule) ?? []), one.holds]);
    return byRule;
  });

  return {
    components: names.length,
    rules,
    roots: () => {
      for (const [index, { initial }] of model.variables.entries()) scratch[index] = initial;
      return [groups.map(numberOf)];
    },
    resolve: (slotNumber, x, y) => questions[slotNumber]?.(x, y) ?? 0,
    size: (component) => groups[component]?.tuples.size() ?? 0,
    allows: (component, id, rule) => {
      const deciding = decides[component]?.get(rule);
      if (deciding === undefined) return true;
      const whole = groups[component];
      if (whole !== undefined) load(whole, id);
      return deciding.every((holds) => holds(scratch) !== 0);
    },
    ruleOfProperty: (property) => model.rules.length + property,
    valuesOf: (ids) => {
      const values: number[] = model.variables.map(() => 0);
      groups.forEach(({ variables, tuples }, component) => variables.forEach((index, at) => (values[index] = tuples.valueAt(ids[component] ?? 0, at))));
      return values;
    },
  };
}
