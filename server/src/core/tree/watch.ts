// A property followed along every path of a function and of the functions it calls: a small automaton that steps and
// branches drive. Calls into functions in view are summarised by state, so that each body is walked once a state.
import { afterCall, createFacts, passed, withFact, without } from './facts.ts';
import type { FactSet } from './facts.ts';
import { isEntryCode } from './tree.ts';
import type { Graph, Step, StepIndex, Tree, TreeFunction } from './tree.ts';

export type CallStep = Step & { readonly kind: 'call' };
export type TestStep = Step & { readonly kind: 'test' };
export type ReturnStep = Step & { readonly kind: 'return' };

/** Where the automaton is: the function, and the calls through which it came there. */
export interface Where {
  readonly function: TreeFunction;
  readonly calls: readonly { readonly function: TreeFunction; readonly step: CallStep }[];
}

export interface Watch<S extends string> {
  /** The state behind a step; null where the path does not count any more. */
  readonly step: (step: Step, state: S, where: Where) => S | null;
  /** The state behind the outcome of a condition; null where it cannot be. */
  readonly branch?: (test: TestStep, holds: boolean, state: S, where: Where) => S | null;
  /** Whether a call into a function in view is followed; by default it is. */
  readonly follow?: (callee: TreeFunction, state: S, where: Where) => boolean;
  /** Whether the path goes on where a sketch leaves code out; by default nothing is said of what may be done there. */
  readonly acrossLeftOut?: boolean;
  /** The state behind a call that was followed, by those before and behind the body. */
  readonly behind?: (step: CallStep, before: S, after: S, value: string | null, where: Where) => S | null;
}

/** A state in which the function returns, with the value where that is a constant. */
export interface Exit<S extends string> {
  readonly state: S;
  readonly step: ReturnStep;
}

interface Summary<S extends string> {
  readonly exits: readonly Exit<S>[];
}

const interned = new WeakMap<Tree, ReturnType<typeof createFacts>>();

/** The sets of facts of all walks over a tree. */
function factsIn(tree: Tree): ReturnType<typeof createFacts> {
  const known = interned.get(tree) ?? createFacts();
  interned.set(tree, known);
  return known;
}

/** Pairs of step and state walked in one watch: the rule that needs more is left out, and said to be. */
const MOST_PAIRS = 60_000;
const DEEPEST = 14;

/** Never return: what the kernel says of them. */
const terminal = /^(?:panic|BUG|unreachable|__builtin_unreachable|do_exit|make_task_dead|rewind_stack_and_make_dead|sev_es_terminate|snp_abort|do_group_exit|machine_restart|halt_loop|handle_stack_overflow)$/;

/** Ask for what stays as it is for the whole entry: their outcome is a fact, their bodies say nothing more. */
const predicates = /^(?:user_mode|in_nmi|cpu_feature_enabled|boot_cpu_has|static_cpu_has)$/;

export function neverReturns(name: string): boolean {
  return terminal.test(name);
}

/**
 * Follows the automaton from the start of a function and gives the states in which it returns. Facts of the start hold
 * on every path: `user_mode(regs)` of an entry for kernel mode is false.
 */
export function watch<S extends string>(tree: Tree, start: TreeFunction, first: S, automaton: Watch<S>, facts: ReadonlyMap<string, boolean> = new Map()): readonly Exit<S>[] {
  const summaries = new Map<TreeFunction, Map<number, Summary<S>>>();
  const states = new Map<S, number>();
  const factsOf = factsIn(tree);
  let pairs = 0;

  /** One number for a state and what is held in it. */
  function numbered(state: S, held: FactSet): number {
    let id = states.get(state);
    if (id === undefined) states.set(state, (id = states.size));
    return held.id * MOST_PAIRS + id;
  }

  /** `by` is the call that leads there; null for the start. */
  function body(callee: TreeFunction, entered: S, known: FactSet, from: Where['calls'], by: Where['calls'][number] | null): readonly Exit<S>[] {
    let own = summaries.get(callee);
    if (own === undefined) summaries.set(callee, (own = new Map()));
    const key = numbered(entered, known);
    const summary = own.get(key);
    if (summary !== undefined) return summary.exits;
    const calls = by === null ? from : [...from, by];
    if (calls.length > DEEPEST) return [];
    // While it is walked, a call of itself adds nothing.
    own.set(key, { exits: [] });
    const exits = walk(callee, entered, known, calls);
    own.set(key, { exits });
    return exits;
  }

  function walk(callee: TreeFunction, entered: S, known: FactSet, calls: Where['calls']): readonly Exit<S>[] {
    const graph = callee.graph();
    const where: Where = { function: callee, calls };
    const exits = new Map<string, Exit<S>>();
    const seen: (Set<number> | undefined)[] = [];
    const waiting: { readonly at: StepIndex; readonly state: S; readonly facts: FactSet }[] = [];
    const go = (at: StepIndex, state: S | null, held: FactSet): void => {
      if (state === null) return;
      const key = numbered(state, held);
      const here = (seen[at] ??= new Set());
      if (here.has(key)) return;
      here.add(key);
      if (++pairs > MOST_PAIRS) throw new Error(`the walk from ${start.name} passes ${MOST_PAIRS} pairs of step and state: a state of the property has too many values`);
      waiting.push({ at, state, facts: held });
    };
    go(graph.entry, entered, known);
    for (let index = 0, item = waiting[0]; item !== undefined; item = waiting[++index]) {
      const step = graph.steps[item.at];
      if (step === undefined) continue;
      const { state, facts: held } = item;
      switch (step.kind) {
        case 'test': {
          const fact = held.texts.get(step.text);
          for (const holds of [true, false]) {
            if (fact !== undefined && fact !== holds) continue;
            const next = automaton.branch === undefined ? state : automaton.branch(step, holds, state, where);
            const remembered = graph.repeated.has(step.text) ? withFact(held, step.text, holds) : held;
            go(holds ? step.yes : step.no, next, remembered);
          }
          break;
        }
        case 'switch': {
          const next = automaton.step(step, state, where);
          for (const arm of step.arms) go(arm.to, next, held);
          break;
        }
        case 'each': {
          const next = automaton.step(step, state, where);
          go(step.body, next, held);
          go(step.behind, next, held);
          break;
        }
        case 'return': {
          const next = automaton.step(step, state, where);
          if (next !== null) exits.set(`${next}|${step.value ?? ''}|${step.span.start}`, { state: next, step });
          break;
        }
        case 'end':
          break;
        case 'call':
          called(step, state, held, where, graph, go);
          break;
        default: {
          const next = automaton.step(step, state, where);
          go(step.next, next, step.kind === 'store' ? without(held, step.target) : held);
        }
      }
    }
    return [...exits.values()];
  }

  function called(step: CallStep, state: S, held: FactSet, where: Where, graph: Graph, go: (at: StepIndex, state: S | null, held: FactSet) => void): void {
    if (step.name === '...') {
      if (automaton.acrossLeftOut === true) go(step.next, state, afterCall(held, step));
      return;
    }
    const next = automaton.step(step, state, where);
    if (next === null || terminal.test(step.name)) return;
    const kept = afterCall(held, step);
    const all = targetsOf(tree, step, where.function);
    if (all.length === 0 || predicates.test(step.name)) return go(step.next, next, kept);
    const targets = automaton.follow === undefined ? all : all.filter((one) => automaton.follow?.(one, next, where) ?? true);
    if (targets.length === 0) return go(step.next, next, kept);
    const by = { function: where.function, step };
    if (targets.every((one) => one.attributes.includes('__noreturn'))) {
      for (const one of targets) body(one, next, passed(held), where.calls, by);
      return;
    }
    const decides = decidedBy(step, graph);
    for (const target of targets) {
      for (const exit of body(target, next, passed(held), where.calls, by)) {
        const behind = automaton.behind === undefined ? exit.state : automaton.behind(step, next, exit.state, exit.step.value, where);
        if (behind === null) continue;
        const outcome = decides === null ? null : truth(exit.step.value);
        go(step.next, behind, outcome === null ? kept : withFact(kept, decides ?? '', outcome));
      }
    }
    // A body that only recursion reaches, or none of whose paths count: the call ends the path.
  }

  return body(start, first, factsOf(facts), [], null);
}

const targets = new WeakMap<Tree, Map<CallStep, readonly TreeFunction[]>>();

/** The function in view that a call means, or those that its pointer may hold. */
export function targetsOf(tree: Tree, step: CallStep, from: TreeFunction): readonly TreeFunction[] {
  let known = targets.get(tree);
  if (known === undefined) targets.set(tree, (known = new Map()));
  const before = known.get(step);
  if (before !== undefined) return before;
  const one = step.indirect ? null : tree.resolve(step.name, from.file);
  // The function behind a global pointer of entry code goes on with its state: `machine_check_vector`, up to Linux 5.12. What
  // handlers call through such pointers is chosen by data that is not followed.
  const found = one !== null ? [one] : step.indirect || isEntryCode(from) ? tree.pointees(step.name) : [];
  known.set(step, found);
  return found;
}

/** The condition right behind a call that is its result: `if (kvm_handle_async_pf(...))`. */
function decidedBy(step: CallStep, graph: Graph): string | null {
  const next = graph.steps[step.next];
  return next?.kind === 'test' && next.text === step.text ? next.text : null;
}

function truth(value: string | null): boolean | null {
  if (value === 'true' || value === '1') return true;
  return value === 'false' || value === '0' ? false : null;
}
