// A guarded model as Promela, as one who knows SPIN would write it: one process whose locations are the values of the
// control variable, so that pan tries only the rules of the location it is at; one d_step a rule, so that SPIN's states are
// the model's.
import { unreachable } from '../server/src/core/base/unreachable.ts';
import { substitute, variablesOf } from '../server/src/core/explore/expressions.ts';
import { constant, equal, not } from '../server/src/core/explore/guarded.ts';
import type { Expression, GuardedModel, Update, Variable } from '../server/src/core/explore/guarded.ts';

/** One way a rule leads from a location to another. */
interface Edge {
  readonly when: readonly Expression[];
  readonly set: readonly Update[];
  readonly to: number;
  readonly name: string;
}

export function promela(model: GuardedModel, control: string): string {
  const location = model.variables.find(({ name }) => name === control);
  if (location === undefined) throw new Error(`${model.name} has no variable ${control}`);
  const names = new Map(model.variables.map(({ name }, at) => [name, `${name.replace(/\W+/g, '_')}_${at}`]));
  const temporaries = new Set<string>();
  const nameOf = (name: string): string => names.get(name) ?? name;
  const text = (expression: Expression): string => printed(expression, nameOf);
  const conjunction = (when: readonly Expression[]): string => (when.length === 0 ? 'true' : when.map(text).join(' && '));

  const block = (at: number): readonly string[] => [
    `L${at}:`,
    '  if',
    ...model.properties.filter(({ kind }) => kind === 'never').flatMap(({ name, when }) => {
      const here = reduced(when, control, at);
      return here === null ? [] : [`  :: d_step { (${conjunction(here)}) -> assert(false) }; goto L${at} /* ${name} */`];
    }),
    ...edgesFrom(model, location, at).map(({ when, set, to, name }) => {
      const { statements, kept } = ordered(set);
      for (const one of kept) temporaries.add(one);
      const lines = statements.map(({ variable, to: value }) => `${nameOf(variable)} = ${text(value)}`);
      return `  :: d_step { (${conjunction(when)}) -> ${[...lines, 'skip'].join('; ')} }; goto L${to} /* ${name} */`;
    }),
    '  fi;',
  ];
  const blocks = [location.initial, ...Array.from({ length: location.values }, (_, at) => at).filter((at) => at !== location.initial)].flatMap(block);
  return [
    `/* ${model.name}, made from the description of the same model that the explorer runs. */`,
    ...model.variables.filter(({ name }) => name !== control).map(({ name, values, initial }) => `${values <= 2 ? 'bit' : 'byte'} ${nameOf(name)} = ${initial};`),
    ...[...temporaries].map((name) => `hidden byte ${name};`),
    'active proctype model() {',
    ...blocks,
    '}',
    '',
  ].join('\n');
}

/** The same as one loop over all rules: compiled sooner, run slower. */
export function flatPromela(model: GuardedModel): string {
  const names = new Map(model.variables.map(({ name }, at) => [name, `${name.replace(/\W+/g, '_')}_${at}`]));
  const temporaries = new Set<string>();
  const nameOf = (name: string): string => names.get(name) ?? name;
  const text = (expression: Expression): string => printed(expression, nameOf);
  const conjunction = (when: readonly Expression[]): string => (when.length === 0 ? 'true' : when.map(text).join(' && '));
  const rules = model.rules.map((rule) => {
    const { statements, kept } = ordered(rule.set);
    for (const one of kept) temporaries.add(one);
    return `  :: d_step { (${conjunction(rule.when)}) -> ${[...statements.map(({ variable, to }) => `${nameOf(variable)} = ${text(to)}`), 'skip'].join('; ')} } /* ${rule.name} */`;
  });
  const properties = model.properties.filter(({ kind }) => kind === 'never').map(({ name, when }) => `  :: d_step { (${conjunction(when)}) -> assert(false) } /* ${name} */`);
  return [
    `/* ${model.name}, made from the description of the same model that the explorer runs. */`,
    ...model.variables.map(({ name, values, initial }) => `${values <= 2 ? 'bit' : 'byte'} ${nameOf(name)} = ${initial};`),
    ...[...temporaries].map((name) => `hidden byte ${name};`),
    'active proctype model() {',
    '  do',
    ...properties,
    ...rules,
    '  od',
    '}',
    '',
  ].join('\n');
}

/** Conditions at a location, without those that are true there; null where one is false. */
function reduced(when: readonly Expression[], control: string, at: number): readonly Expression[] | null {
  const left = when.map((one) => substitute(one, new Map([[control, constant(at)]])));
  if (left.some((one) => one.kind === 'constant' && one.value === 0)) return null;
  return left.filter(({ kind }) => kind !== 'constant');
}

function edgesFrom(model: GuardedModel, control: Variable, at: number): readonly Edge[] {
  const here = new Map([[control.name, constant(at)]]);
  return model.rules.flatMap((rule): readonly Edge[] => {
    const when = reduced(rule.when, control.name, at);
    if (when === null) return [];
    const updates = rule.set.map(({ variable, to }) => ({ variable, to: substitute(to, here) }));
    const set = updates.filter(({ variable }) => variable !== control.name);
    const to = updates.find(({ variable }) => variable === control.name)?.to ?? constant(at);
    return targets(to, control.values).map((target) => ({ when: [...when, ...target.when], set, to: target.at, name: rule.name }));
  });
}

/** Where a new value of the control variable leads, and on which condition. */
function targets(to: Expression, values: number): readonly { readonly when: readonly Expression[]; readonly at: number }[] {
  if (to.kind === 'constant') return [{ when: [], at: to.value }];
  if (to.kind === 'if') {
    return [
      ...targets(to.then, values).map(({ when, at }) => ({ when: [to.test, ...when], at })),
      ...targets(to.otherwise, values).map(({ when, at }) => ({ when: [not(to.test), ...when], at })),
    ];
  }
  return Array.from({ length: values }, (_, at) => ({ when: [equal(to, at)], at }));
}

/** Updates made at once as statements one behind the other; what is overwritten too early is kept in a temporary. */
function ordered(updates: readonly Update[]): { readonly statements: readonly Update[]; readonly kept: readonly string[] } {
  const statements: Update[] = [];
  const kept: string[] = [];
  let left = updates.filter(({ variable, to }) => to.kind !== 'variable' || to.name !== variable);
  while (left.length > 0) {
    const free = left.find((one) => left.every((other) => other === one || !variablesOf(other.to).has(one.variable)));
    const next = free ?? left[0];
    if (next === undefined) break;
    left = left.filter((one) => one !== next);
    if (free === undefined) {
      const name = `before_${next.variable}`.replace(/\W+/g, '_');
      kept.push(name);
      statements.push({ variable: name, to: { kind: 'variable', name: next.variable } });
      left = left.map((one) => ({ ...one, to: substitute(one.to, new Map([[next.variable, { kind: 'variable', name }]])) }));
    }
    statements.push(next);
  }
  return { statements, kept };
}

const operators = { equal: '==', less: '<', plus: '+', minus: '-', all: '&&', any: '||' } as const;

function printed(expression: Expression, nameOf: (name: string) => string): string {
  const part = (one: Expression): string => printed(one, nameOf);
  switch (expression.kind) {
    case 'constant':
      return `${expression.value}`;
    case 'variable':
      return nameOf(expression.name);
    case 'not':
      return `!(${part(expression.of)})`;
    case 'all':
    case 'any':
      return expression.of.length === 0 ? (expression.kind === 'all' ? 'true' : 'false') : `(${expression.of.map(part).join(` ${operators[expression.kind]} `)})`;
    case 'equal':
    case 'less':
    case 'plus':
    case 'minus':
      return `(${part(expression.left)} ${operators[expression.kind]} ${part(expression.right)})`;
    case 'if':
      return `(${part(expression.test)} -> ${part(expression.then)} : ${part(expression.otherwise)})`;
    default:
      return unreachable(expression);
  }
}
