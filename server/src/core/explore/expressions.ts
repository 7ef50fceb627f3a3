// What can be done with the expressions of a guarded model: which variables they read, folding, substitution, and
// evaluation by a tree of functions.
import { unreachable } from '../base/unreachable.ts';
import type { Expression } from './guarded.ts';
import { constant } from './guarded.ts';

export function variablesOf(expression: Expression, into: Set<string> = new Set()): ReadonlySet<string> {
  switch (expression.kind) {
    case 'constant':
      return into;
    case 'variable':
      return into.add(expression.name);
    case 'not':
      return variablesOf(expression.of, into);
    case 'all':
    case 'any':
      for (const part of expression.of) variablesOf(part, into);
      return into;
    case 'equal':
    case 'less':
    case 'plus':
    case 'minus':
      variablesOf(expression.left, into);
      return variablesOf(expression.right, into);
    case 'if':
      variablesOf(expression.test, into);
      variablesOf(expression.then, into);
      return variablesOf(expression.otherwise, into);
    default:
      return unreachable(expression);
  }
}

/** The same value with variables replaced, constants folded. */
export function substitute(expression: Expression, by: ReadonlyMap<string, Expression>): Expression {
  switch (expression.kind) {
    case 'constant':
      return expression;
    case 'variable':
      return by.get(expression.name) ?? expression;
    case 'not': {
      const of = substitute(expression.of, by);
      return of.kind === 'constant' ? constant(of.value === 0 ? 1 : 0) : { kind: 'not', of };
    }
    case 'all':
    case 'any':
      return joined(expression.kind, expression.of.map((part) => substitute(part, by)));
    case 'equal':
    case 'less':
    case 'plus':
    case 'minus':
      return operation(expression.kind, substitute(expression.left, by), substitute(expression.right, by));
    case 'if': {
      const test = substitute(expression.test, by);
      const then = substitute(expression.then, by);
      const otherwise = substitute(expression.otherwise, by);
      if (test.kind === 'constant') return test.value === 0 ? otherwise : then;
      return { kind: 'if', test, then, otherwise };
    }
    default:
      return unreachable(expression);
  }
}

function joined(kind: 'all' | 'any', parts: readonly Expression[]): Expression {
  const decided = kind === 'all' ? 0 : 1;
  const open: Expression[] = [];
  for (const part of parts) {
    if (part.kind !== 'constant') open.push(part);
    else if ((part.value === 0 ? 0 : 1) === decided) return constant(decided);
  }
  return open.length === 0 ? constant(1 - decided) : { kind, of: open };
}

function operation(kind: 'equal' | 'less' | 'plus' | 'minus', left: Expression, right: Expression): Expression {
  if (left.kind === 'constant' && right.kind === 'constant') return constant(apply(kind, left.value, right.value));
  if (kind === 'equal' && right.kind === 'constant') return equality(left, right.value, { kind, left, right });
  return { kind, left, right };
}

/** A choice between constants is equal to a constant where its test says so. */
function equality(left: Expression, value: number, whole: Expression): Expression {
  if (left.kind !== 'if' || left.then.kind !== 'constant' || left.otherwise.kind !== 'constant') return whole;
  const then = left.then.value === value;
  const otherwise = left.otherwise.value === value;
  if (then === otherwise) return constant(then ? 1 : 0);
  return then ? { kind: 'all', of: [left.test] } : { kind: 'not', of: left.test };
}

function apply(kind: 'equal' | 'less' | 'plus' | 'minus', left: number, right: number): number {
  switch (kind) {
    case 'equal':
      return left === right ? 1 : 0;
    case 'less':
      return left < right ? 1 : 0;
    case 'plus':
      return left + right;
    case 'minus':
      return left - right;
    default:
      return unreachable(kind);
  }
}

/** Values of all variables of a model, in its order. */
export type Values = ArrayLike<number>;

export type Evaluation = (values: Values) => number;

export function evaluation(expression: Expression, indexOf: (name: string) => number): Evaluation {
  switch (expression.kind) {
    case 'constant': {
      const { value } = expression;
      return () => value;
    }
    case 'variable': {
      const index = indexOf(expression.name);
      return (values) => values[index] ?? 0;
    }
    case 'not': {
      const of = evaluation(expression.of, indexOf);
      return (values) => (of(values) === 0 ? 1 : 0);
    }
    case 'all': {
      const parts = expression.of.map((part) => evaluation(part, indexOf));
      return (values) => (parts.every((part) => part(values) !== 0) ? 1 : 0);
    }
    case 'any': {
      const parts = expression.of.map((part) => evaluation(part, indexOf));
      return (values) => (parts.some((part) => part(values) !== 0) ? 1 : 0);
    }
    case 'equal':
    case 'less':
    case 'plus':
    case 'minus': {
      const { kind } = expression;
      const left = evaluation(expression.left, indexOf);
      const right = evaluation(expression.right, indexOf);
      return (values) => apply(kind, left(values), right(values));
    }
    case 'if': {
      const test = evaluation(expression.test, indexOf);
      const then = evaluation(expression.then, indexOf);
      const otherwise = evaluation(expression.otherwise, indexOf);
      return (values) => (test(values) === 0 ? otherwise(values) : then(values));
    }
    default:
      return unreachable(expression);
  }
}
