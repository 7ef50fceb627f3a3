// The whole graph of any model as a table, and the table as Promela: one variable for the state, one choice for each place in
// the list of its successors. SPIN then stores as many states as the table has, and gcc has little to compile.
import type { Model, Transition } from '../server/src/core/explore/model.ts';
import { createStateSet } from '../server/src/core/explore/state-set.ts';

export interface Graph {
  readonly name: string;
  /** Index in `to` of the first successor of each state, and behind the last one its end. */
  readonly first: readonly number[];
  /** State that each transition leads to, -1 where it breaks what must hold. */
  readonly to: readonly number[];
  readonly states: number;
}

/** Explores a model of one root to its end, or to the first transition that breaks what must hold. */
export function graphOf<S>(name: string, model: Model<S>, breaks: (before: S, transition: Transition<S>) => boolean): Graph {
  const seen = createStateSet(model.width);
  const buffer = new Uint32Array(model.width);
  const waiting: S[] = [];
  const indexOf = (state: S): number => {
    model.pack(state, buffer, 0);
    const added = seen.add(buffer, 0, 0, 0, 0);
    if (added >= 0) waiting.push(state);
    return added >= 0 ? added : -1 - added;
  };
  const roots = model.initial();
  if (roots.length !== 1) throw new Error(`${name} has ${roots.length} roots`);
  roots.forEach(indexOf);
  const first: number[] = [];
  const to: number[] = [];
  let broken = false;
  for (let at = 0; at < waiting.length; at += 1) {
    const state = waiting[at] as S;
    first.push(to.length);
    if (broken) continue;
    for (const transition of model.successors(state)) {
      const breaking = breaks(state, transition);
      broken ||= breaking;
      to.push(breaking ? -1 : indexOf(transition.state));
    }
  }
  first.push(to.length);
  return { name, first, to, states: waiting.length };
}

/** Two files: the model, and the table that it includes. */
export function tablePromela({ name, first, to, states }: Graph): ReadonlyMap<string, string> {
  const degree = first.reduce((most, from, at) => Math.max(most, (first[at + 1] ?? from) - from), 0);
  const choices = Array.from({ length: degree }, (_, at) => `  :: d_step { c_expr { now.s >= 0 && first[now.s] + ${at} < first[now.s + 1] } -> c_code { now.s = to[first[now.s] + ${at}]; } }`);
  const model = [
    `/* The explored graph of ${name}: ${states} states, ${to.length} transitions. */`,
    'c_decl {',
    '\\#include "table.h"',
    '}',
    'int s = 0;',
    'active proctype model() {',
    'end:',
    '  do',
    '  :: d_step { (s < 0) -> assert(false) }',
    ...choices,
    '  od',
    '}',
    '',
  ].join('\n');
  return new Map([['model.pml', model], ['table.h', `static const int first[] = {${first.join()}};\nstatic const int to[] = {${to.length === 0 ? '0' : to.join()}};\n`]]);
}
