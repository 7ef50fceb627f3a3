// What one function begins and has to end on every path: ranges, contexts, pages, locks, replaced registers. Knows nothing of
// the states that entry helpers set up.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import { isNoinstr } from './instrumentable-call.ts';
import { factsOf, isCall } from './tree-entries.ts';
import type { Entry, Findings } from './tree-entries.ts';

interface Pair {
  readonly begin: RegExp;
  readonly end: RegExp;
  readonly what: string;
  readonly lost: string;
  /** Whoever begins it ends it. */
  readonly own?: true;
}

const instrumentable: Pair = { begin: /^instrumentation_begin$/, end: /^instrumentation_end$/, what: 'the instrumentable range', lost: 'the code behind it counts as instrumentable' };

/** Plain pairs, balanced inside one function. */
const pairs: readonly Pair[] = [
  instrumentable,
  { begin: /^pagefault_disable$/, end: /^pagefault_enable$/, what: 'the range without page faults', lost: 'every later fault of the task is refused' },
  { begin: /^__sev_get_ghcb$/, end: /^__sev_put_ghcb$/, what: 'the GHCB', lost: 'the page stays taken, and the second #VC from here on finds no free one', own: true },
  { begin: /^irq_enter_rcu$/, end: /^irq_exit_rcu$/, what: 'hard-interrupt context', lost: 'the task counts as an interrupt handler for ever' },
  { begin: /^(?:__)?nmi_enter$/, end: /^(?:__)?nmi_exit$/, what: 'NMI context', lost: 'the task counts as an NMI handler for ever' },
  { begin: /^ct_nmi_enter$/, end: /^ct_nmi_exit$/, what: 'the RCU state of an NMI', lost: 'RCU watches for ever' },
];

/** What one function begins and ends of each. */
export function plainPairs(tree: Tree, one: TreeFunction, entry: Entry | null, found: Findings): void {
  const { steps } = one.graph();
  for (const pair of pairs) {
    const [begins, ends] = [pair.begin, pair.end].map((name) => steps.some((step) => isCall(step, name)));
    // Of a function that may not be traced objtool wants both.
    const both = pair === instrumentable && isNoinstr(one);
    if ((begins === true && (ends === true || pair.own === true || both)) || (ends === true && both)) followPair(tree, one, entry, pair, found);
  }
}

function followPair(tree: Tree, one: TreeFunction, entry: Entry | null, pair: Pair, found: Findings): void {
  const wrapped = entry?.wrapped === true && pair === instrumentable;
  if (wrapped) return;
  // What the begin may not have given: `ghcb = __sev_get_ghcb(&state); if (!ghcb) ...`.
  const results = new Set(one.graph().steps.flatMap((step) => (step.kind === 'store' && pair.begin.test(step.value.replace(/\(.*/, '')) ? [step.target] : [])));
  watch<'out' | 'in' | 'perhaps'>(
    tree,
    one,
    'out',
    {
      follow: () => false,
      step: (step: Step, state, where) => {
        if (isCall(step, pair.begin)) return 'in';
        if (isCall(step, pair.end)) {
          if (state === 'out') found.at(step, where, `${pair.what} ends here without having begun on this path; begin and end it on the same paths`);
          return 'out';
        }
        if (step.kind === 'return' && state === 'in') found.at(step, where, `the function returns inside ${pair.what}: ${pair.lost}; end it on this path too`);
        return state;
      },
      branch: (test, holds, state) => (!holds && state === 'in' && results.has(test.text) ? 'perhaps' : state),
    },
    entry === null ? new Map() : factsOf(entry),
  );
}

/** What is taken and given back with the thing in question as the argument; `try` says whether it was taken. */
const held: readonly { readonly take: RegExp; readonly tries: RegExp | null; readonly give: RegExp; readonly what: string }[] = [
  { take: /^(?:raw_)?spin_lock(?:_irq|_irqsave|_bh)?$/, tries: /^(?:raw_)?spin_trylock(?:_irqsave)?\((.*)\)$/, give: /^(?:raw_)?spin_unlock(?:_irq|_irqrestore|_bh)?$/, what: 'the lock' },
  { take: /^lock_vector_lock$/, tries: null, give: /^unlock_vector_lock$/, what: 'the lock of the vectors' },
  { take: /^mutex_lock(?:_\w+)?$/, tries: /^mutex_trylock\((.*)\)$/, give: /^mutex_unlock$/, what: 'the mutex' },
];

/** Locks, and the registers that `set_irq_regs()` replaces: what a function takes and gives back it gives back on every path. */
export function heldAtReturn(tree: Tree, one: TreeFunction, entry: Entry | null, found: Findings): void {
  const { steps } = one.graph();
  const facts = entry === null ? new Map<string, boolean>() : factsOf(entry);
  for (const { take, tries, give, what } of held) {
    const given = new Set(steps.flatMap((step) => (isCall(step, give) ? [step.arguments[0] ?? ''] : [])));
    for (const thing of given) {
      const takes = (step: Step): boolean => isCall(step, take) && (step.arguments[0] ?? '') === thing;
      if (!steps.some((step) => takes(step) || (step.kind === 'test' && tries?.exec(step.text)?.[1] === thing))) continue;
      watch<'free' | 'held'>(tree, one, 'free', {
        follow: () => false,
        step: (step, state, where) => {
          if (takes(step)) return 'held';
          if (isCall(step, give) && (step.arguments[0] ?? '') === thing) return 'free';
          if (step.kind === 'return' && state === 'held') found.at(step, where, `the function returns with ${what} ${thing.replace(/^&/, '')}${thing === '' ? '' : ' '}held: the next one that takes it, on any CPU, waits for ever; release it on this path too`);
          return state;
        },
        branch: (test, holds, state) => (holds && tries?.exec(test.text)?.[1] === thing ? 'held' : state),
      }, facts);
    }
  }
  const kept = new Set(steps.flatMap((step) => (step.kind === 'store' && step.value.startsWith('set_irq_regs(') ? [step.target] : [])));
  if (kept.size === 0) return;
  watch<'own' | 'replaced'>(tree, one, 'own', {
    follow: () => false,
    step: (step, state, where) => {
      if (isCall(step, /^set_irq_regs$/)) return kept.has(step.arguments[0] ?? '') ? 'own' : 'replaced';
      if (step.kind === 'return' && state === 'replaced') found.at(step, where, 'the handler returns without set_irq_regs() of what it found there: get_irq_regs() then gives a frame that is gone; restore it on every path');
      return state;
    },
  }, facts);
}
