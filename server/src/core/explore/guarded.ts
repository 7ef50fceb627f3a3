// Models written as guarded commands: variables with ranges, rules with guards and updates, properties. Data only: the
// explorer's tables and other checkers' languages are made from it.

/** Truth is 1 and 0; a comparison gives one of them, and any value but 0 is true. */
export type Expression =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Expression[] }
  | { readonly kind: 'equal' | 'less' | 'plus' | 'minus'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'if'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression };

export interface Variable {
  readonly name: string;
  /** It holds 0 to `values - 1`. */
  readonly values: number;
  readonly initial: number;
  /** Variables that change together: the explorer keeps them as one number. */
  readonly component: string;
}

export interface Update {
  readonly variable: string;
  readonly to: Expression;
}

export interface GuardedRule {
  readonly name: string;
  /** All must be true. */
  readonly when: readonly Expression[];
  /** Made at once: every right side sees the values before. */
  readonly set: readonly Update[];
  /** The event that arrives by this rule, or null for a step of what runs. */
  readonly event: string | null;
}

export interface Property {
  readonly name: string;
  /** `never`: a state where all of `when` is true violates it. `reachable`: some state must be so. */
  readonly kind: 'never' | 'reachable';
  readonly when: readonly Expression[];
}

/** Words that mean nothing while all of `when` is true. */
export interface DeadWords {
  readonly when: readonly Expression[];
  readonly variables: readonly string[];
}

export interface GuardedModel {
  readonly name: string;
  readonly variables: readonly Variable[];
  readonly rules: readonly GuardedRule[];
  readonly properties: readonly Property[];
  readonly dead: readonly DeadWords[];
  /** Where events need to be looked at: before any other step they commute with it. */
  readonly visible: Expression;
}

export const constant = (value: number): Expression => ({ kind: 'constant', value });
export const variable = (name: string): Expression => ({ kind: 'variable', name });
export const yes: Expression = constant(1);
export const not = (of: Expression): Expression => ({ kind: 'not', of });
export const all = (...of: readonly Expression[]): Expression => ({ kind: 'all', of });
export const any = (...of: readonly Expression[]): Expression => ({ kind: 'any', of });
export const choose = (test: Expression, then: Expression, otherwise: Expression): Expression => ({ kind: 'if', test, then, otherwise });

type Operand = Expression | number | string;

/** A number is a constant, a text names a variable. */
export const term = (of: Operand): Expression => (typeof of === 'number' ? constant(of) : typeof of === 'string' ? variable(of) : of);
export const equal = (left: Operand, right: Operand): Expression => ({ kind: 'equal', left: term(left), right: term(right) });
export const less = (left: Operand, right: Operand): Expression => ({ kind: 'less', left: term(left), right: term(right) });
export const plus = (left: Operand, right: Operand): Expression => ({ kind: 'plus', left: term(left), right: term(right) });
export const minus = (left: Operand, right: Operand): Expression => ({ kind: 'minus', left: term(left), right: term(right) });
export const set = (name: string, to: Operand): Update => ({ variable: name, to: term(to) });
