// Instructions as guarded commands: each is a location, its updates and where it goes on. Events arrive between any two.
import { all, choose, constant, equal, less, not, set, variable } from '../../server/src/core/explore/guarded.ts';
import type { Expression, GuardedRule, Update } from '../../server/src/core/explore/guarded.ts';

export interface Instruction {
  readonly name: string;
  readonly set: readonly Update[];
  /** Name of the location behind it, or a computed one; the next in the list where it is left out. */
  readonly to?: string | Expression;
  /** Goes to `to` only where this is true, else on to the next. */
  readonly test?: Expression;
  /** Nothing that a handler could see or change is touched: an event behind it may as well come before it. */
  readonly invisible?: boolean;
}

export interface Code {
  readonly instructions: readonly Instruction[];
  readonly at: (name: string) => number;
  /** Whether the program counter is at one of the locations. */
  readonly within: (pc: Expression, first: string, last: string) => Expression;
  readonly rules: (ready: Expression) => readonly GuardedRule[];
  readonly visible: Expression;
}

export function code(instructions: readonly Instruction[]): Code {
  const numbers = new Map(instructions.map(({ name }, at) => [name, at]));
  if (numbers.size !== instructions.length) throw new Error('two instructions have one name');
  const at = (name: string): number => {
    const number = numbers.get(name);
    if (number === undefined) throw new Error(`no instruction is called ${name}`);
    return number;
  };
  const location = (to: string | Expression | undefined, next: number): Expression => (to === undefined ? constant(next) : typeof to === 'string' ? constant(at(to)) : to);
  return {
    instructions,
    at,
    within: (pc, first, last) => all(not(less(pc, at(first))), less(pc, at(last) + 1)),
    rules: (ready) =>
      instructions.map(({ name, set: updates, to, test }, number): GuardedRule => {
        const next = location(to, number + 1);
        return {
          name,
          when: [equal('pc', number), ready],
          set: [set('pc', test === undefined ? next : choose(test, next, constant(number + 1))), ...updates],
          event: null,
        };
      }),
    visible: not(anyLocation(behindInvisible(instructions, at))),
  };
}

/** Locations that only an invisible instruction leads to. Events come before it, so that no trace gets longer. */
function behindInvisible(instructions: readonly Instruction[], at: (name: string) => number): readonly number[] {
  const targets = new Set(instructions.flatMap(({ to }) => (typeof to === 'string' ? [at(to)] : [])));
  return instructions.flatMap(({ invisible, to }, number) => (invisible === true && to === undefined && !targets.has(number + 1) ? [number + 1] : []));
}

function anyLocation(numbers: readonly number[]): Expression {
  return { kind: 'any', of: numbers.map((number) => equal('pc', number)) };
}

/** The words of an interrupt frame that matter here, by their prefix. */
export function frame(prefix: string): { readonly rip: string; readonly rsp: string; readonly flags: string } {
  return { rip: `${prefix}.rip`, rsp: `${prefix}.rsp`, flags: `${prefix}.flags` };
}

export function pushed(prefix: string): readonly Update[] {
  const words = frame(prefix);
  return [set(words.rip, 'pc'), set(words.rsp, 'rsp'), set(words.flags, variable('df'))];
}
