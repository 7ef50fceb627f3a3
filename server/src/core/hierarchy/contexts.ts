// The contexts in which each C function of a tree can run, joined over the entries and callers that lead to it: the
// interrupted mode, the stack, interrupts, NMI-like or not. Followed forward from the entries; knows rows of kernel
// primitives by name, and runs nothing.
import type { Graph, Step, StepIndex, Tree, TreeFunction } from '../tree/tree.ts';
import { neverReturns, targetsOf } from '../tree/watch.ts';
import { successorsOf } from '../tree/paths.ts';

/** One way in which a function runs. CPL is 0 in all of them. */
export interface CContext {
  readonly interrupted: 'user' | 'kernel' | 'either';
  /** `task`, `IRQ`, `NMI IST`, `interrupted`, `unknown`. */
  readonly stack: string;
  readonly irqs: 'on' | 'off' | 'unknown';
  readonly nmiLike: boolean;
}

/** Where code in view is entered from code or hardware that is not C. */
export interface Root {
  readonly function: TreeFunction;
  readonly context: CContext;
  /** `#PF`, `SYSCALL`: what enters it. */
  readonly entry: string;
}

export interface FunctionContexts {
  readonly contexts: readonly CContext[];
  /** Entries that lead there, in the order of the roots. */
  readonly entries: readonly string[];
}

export interface ContextTable {
  readonly of: (one: TreeFunction) => FunctionContexts;
  /** Whether a bound was hit, so that contexts may be missing. */
  readonly capped: boolean;
}

/** Function and context pairs that are followed. */
const MOST_PAIRS = 20_000;

type Irqs = 'on' | 'off' | 'either' | 'same';
type Nmi = 'in' | 'same';

/** What a call leaves behind of the state at its caller's entry; `same` is as the caller was entered. */
interface Effect {
  readonly irqs?: Irqs;
  readonly nmi?: Nmi;
}

/** Rows of primitives: SEM 18 (`include/linux/irqflags.h`, `include/linux/hardirq.h`, `kernel/entry/common.c`). */
const effects: readonly (readonly [RegExp, Effect])[] = [
  [/^(?:raw_|arch_|native_)?(?:local_)?irq_enable\w*$/, { irqs: 'on' }],
  [/^(?:raw_|arch_|native_)?(?:local_)?irq_disable\w*$/, { irqs: 'off' }],
  [/^(?:raw_|arch_)?local_irq_save$/, { irqs: 'off' }],
  [/^(?:raw_|arch_)?local_irq_restore$/, { irqs: 'same' }],
  [/^cond_local_irq_enable$/, { irqs: 'either' }],
  [/^cond_local_irq_disable$/, { irqs: 'off' }],
  [/^(?:raw_)?(?:spin|read|write)_lock_irq(?:save)?$/, { irqs: 'off' }],
  [/^(?:raw_)?(?:spin|read|write)_unlock_irqrestore$/, { irqs: 'same' }],
  [/^(?:raw_)?(?:spin|read|write)_unlock_irq$/, { irqs: 'on' }],
  [/^(?:irqentry_nmi_enter|nmi_enter|__nmi_enter)$/, { nmi: 'in' }],
  [/^(?:irqentry_nmi_exit|nmi_exit|__nmi_exit)$/, { nmi: 'same' }],
];

/** That the event came from user mode. */
const askedUser = /^(?:!*)user_mode\(\w+\)$|\bcs & 3\) == 3$/;

/** The state of a path inside a function, relative to its entry where it says `same`. */
interface PathState {
  readonly irqs: Irqs;
  readonly nmi: Nmi;
  readonly origin: 'user' | 'kernel' | 'both';
}

interface Sent {
  readonly to: TreeFunction;
  readonly state: PathState;
}

/** What a function does whatever it is entered in: the calls it makes with their states, and how interrupts are left. */
interface Summary {
  readonly calls: readonly Sent[];
  readonly leaves: ReadonlySet<Irqs>;
}

/** Follows contexts from the roots through every call in view. */
export function joinContexts(tree: Tree, roots: readonly Root[]): ContextTable {
  const summaries = new Map<TreeFunction, Summary>();
  const open = new Set<TreeFunction>();
  const contexts = new Map<TreeFunction, Map<string, CContext>>();
  const entries = new Map<TreeFunction, Set<string>>();
  let pairs = 0;
  let capped = false;

  function summaryOf(one: TreeFunction): Summary {
    const known = summaries.get(one);
    if (known !== undefined) return known;
    // Recursion leaves interrupts as they are.
    if (open.has(one)) return { calls: [], leaves: new Set(['same']) };
    open.add(one);
    const made = summarise(tree, one, (callee) => summaryOf(callee).leaves);
    open.delete(one);
    summaries.set(one, made);
    return made;
  }

  function enter(one: TreeFunction, context: CContext, entry: string, waiting: { readonly one: TreeFunction; readonly context: CContext; readonly entry: string }[]): void {
    const key = spelled(context);
    const mine = contexts.get(one) ?? new Map<string, CContext>();
    const names = entries.get(one) ?? new Set<string>();
    contexts.set(one, mine);
    entries.set(one, names);
    const visit = `${key}|${entry}`;
    const seen = visited.get(one) ?? new Set<string>();
    visited.set(one, seen);
    mine.set(key, context);
    names.add(entry);
    if (seen.has(visit)) return;
    seen.add(visit);
    waiting.push({ one, context, entry });
  }

  const visited = new Map<TreeFunction, Set<string>>();
  // A handler's own event is named before those that reach it through others.
  for (const root of roots) entries.set(root.function, (entries.get(root.function) ?? new Set<string>()).add(root.entry));
  for (const root of roots) {
    const waiting: { readonly one: TreeFunction; readonly context: CContext; readonly entry: string }[] = [];
    enter(root.function, root.context, root.entry, waiting);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      pairs += 1;
      if (pairs > MOST_PAIRS) {
        capped = true;
        break;
      }
      for (const { to, state } of summaryOf(next.one).calls) {
        const context = applied(next.context, state);
        if (context !== null) enter(to, context, next.entry, waiting);
      }
    }
  }
  return {
    capped,
    of: (one) => ({ contexts: [...(contexts.get(one)?.values() ?? [])], entries: [...(entries.get(one) ?? [])] }),
  };
}

function summarise(tree: Tree, one: TreeFunction, leavesOf: (callee: TreeFunction) => ReadonlySet<Irqs>): Summary {
  const graph = one.graph();
  const calls = new Map<string, Sent>();
  const leaves = new Set<Irqs>();
  walk(graph, (step, state) => {
    if (step.kind === 'return') {
      leaves.add(state.irqs);
      return [state];
    }
    if (step.kind !== 'call') return [state];
    const effect = effects.find(([name]) => name.test(step.name))?.[1];
    const targets = targetsOf(tree, step, one);
    for (const to of targets) calls.set(`${to.file}:${to.nameSpan.start}|${state.irqs}|${state.nmi}|${state.origin}`, { to, state });
    if (effect !== undefined) return [{ ...state, ...(effect.irqs === undefined ? {} : { irqs: effect.irqs }), ...(effect.nmi === undefined ? {} : { nmi: effect.nmi }) }];
    if (neverReturns(step.name)) return [];
    const after = new Set<Irqs>(targets.flatMap((to) => [...leavesOf(to)]));
    if (after.size === 0) return [state];
    return [...after].map((irqs) => (irqs === 'same' ? state : { ...state, irqs }));
  });
  return { calls: [...calls.values()], leaves: leaves.size === 0 ? new Set(['same']) : leaves };
}

/** Visits each step in each state that a path has there. */
function walk(graph: Graph, visit: (step: Step, state: PathState) => readonly PathState[]): void {
  const seen = new Set<string>();
  const waiting: { readonly at: StepIndex; readonly state: PathState }[] = [{ at: graph.entry, state: { irqs: 'same', nmi: 'same', origin: 'both' } }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { at, state } = next;
    const key = `${at}|${state.irqs}|${state.nmi}|${state.origin}`;
    const step = graph.steps[at];
    if (step === undefined || seen.has(key)) continue;
    seen.add(key);
    for (const after of visit(step, state)) {
      if (step.kind === 'test' && askedUser.test(step.text)) {
        if (after.origin !== 'kernel') waiting.push({ at: step.yes, state: { ...after, origin: 'user' } });
        if (after.origin !== 'user') waiting.push({ at: step.no, state: { ...after, origin: 'kernel' } });
        continue;
      }
      for (const behind of successorsOf(step)) waiting.push({ at: behind, state: after });
    }
  }
}

/** The context of a callee; null where a path asks for another origin than the one that it has. */
function applied(context: CContext, state: PathState): CContext | null {
  if (state.origin !== 'both' && context.interrupted !== 'either' && context.interrupted !== state.origin) return null;
  const interrupted = context.interrupted === 'either' && state.origin !== 'both' ? state.origin : context.interrupted;
  return {
    interrupted,
    stack: context.stack,
    irqs: state.irqs === 'same' ? context.irqs : state.irqs === 'either' ? 'unknown' : state.irqs,
    nmiLike: context.nmiLike || state.nmi === 'in',
  };
}

function spelled({ interrupted, stack, irqs, nmiLike }: CContext): string {
  return `${interrupted}|${stack}|${irqs}|${nmiLike ? 'nmi' : ''}`;
}

const MOST_ENTRIES_NAMED = 6;

/** `CPL 0, task or NMI IST stack, IRQs off, NMI-like, over user or kernel mode, from #PF`; null where nothing leads there. */
export function contextsText({ contexts, entries }: FunctionContexts): string | null {
  if (contexts.length === 0) return null;
  const stacks = [...new Set(contexts.map(({ stack }) => stack))].sort().map((stack) => (stack === 'interrupted' ? 'the interrupted' : stack));
  const irqs = new Set(contexts.map((one) => one.irqs));
  const nmi = contexts.filter((one) => one.nmiLike).length;
  const modes = new Set(contexts.flatMap(({ interrupted }) => (interrupted === 'either' ? ['user', 'kernel'] : [interrupted])));
  const named = entries.length > MOST_ENTRIES_NAMED ? [...entries.slice(0, MOST_ENTRIES_NAMED), `${entries.length - MOST_ENTRIES_NAMED} more`] : entries;
  return [
    'CPL 0',
    `${listed(stacks, 'or')} stack`,
    irqs.has('unknown') || irqs.size > 1 ? 'IRQs on or off' : `IRQs ${[...irqs][0] ?? ''}`,
    ...(nmi === 0 ? [] : [nmi === contexts.length ? 'NMI-like' : 'NMI-like in some']),
    `over ${listed([...modes].sort().reverse(), 'or')} mode`,
    `from ${listed(named, 'and')}`,
  ].join(', ');
}

/** `a`, `a or b`, `a, b or c`. */
export function listed(words: readonly string[], last: 'or' | 'and'): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}
