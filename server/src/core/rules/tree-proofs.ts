// Several facts followed along every path at once: which of them were proved by a condition or done by a step, and which
// are still owed where it matters.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { TestStep, Where } from '../tree/watch.ts';

export interface Proof {
  /** One letter. */
  readonly key: string;
  /** `nmi_uaccess_okay() said yes`, for messages. */
  readonly what: string;
  /** Whether the outcome of a condition proves it. */
  readonly test?: (text: string, holds: boolean) => boolean;
  /** Whether a step does it. */
  readonly does?: (step: Step) => boolean;
  /** Whether a step undoes it. */
  readonly undoes?: (step: Step) => boolean;
}

export interface Owed {
  readonly follow?: (callee: TreeFunction, where: Where) => boolean;
  readonly facts?: ReadonlyMap<string, boolean>;
  /** Called at every step with what is not proved there; true ends the path. */
  readonly at: (step: Step, missing: readonly Proof[], where: Where) => boolean;
  /** Called where a condition is evaluated. */
  readonly asked?: (test: TestStep, missing: readonly Proof[], where: Where) => void;
}

/** Follows the proofs from the start of a function. */
export function watchProofs(tree: Tree, start: TreeFunction, proofs: readonly Proof[], { follow, facts, at, asked }: Owed): void {
  const missing = (state: string): readonly Proof[] => proofs.filter(({ key }) => !state.includes(key));
  const set = (state: string, key: string): string => (state.includes(key) ? state : [...state, key].sort().join(''));
  watch<string>(
    tree,
    start,
    '',
    {
      follow: (callee, _state, where) => (follow?.(callee, where) ?? false) || answers(callee, proofs),
      step: (step, state, where) => {
        if (at(step, missing(state), where)) return null;
        let next = state;
        for (const proof of proofs) {
          if (proof.undoes?.(step) === true) next = next.replace(proof.key, '');
          if (proof.does?.(step) === true) next = set(next, proof.key);
        }
        return next;
      },
      branch: (test, holds, state, where) => {
        asked?.(test, missing(state), where);
        return proofs.reduce((proved, { key, test: proves }) => (proves?.(test.text, holds) === true ? set(proved, key) : proved), state);
      },
    },
    facts,
  );
}

/** Steps of a function that does nothing but ask. */
const FEW = 16;

/** A function that only asks, and by whose answer, or by whose return, one of the proofs is given: a condition with a name. */
function answers(one: TreeFunction, proofs: readonly Proof[]): boolean {
  if (one.returns !== 'bool' && one.returns !== 'void') return false;
  const { steps } = one.graph();
  return (one.returns === 'bool' || steps.length <= FEW) && steps.every(({ kind }) => kind === 'test' || kind === 'call' || kind === 'return' || kind === 'pass' || kind === 'end') && steps.some((step) => step.kind === 'test' && proofs.some(({ test }) => test?.(step.text, true) === true || test?.(step.text, false) === true));
}

export function whats(missing: readonly Proof[]): string {
  return missing.map(({ what }) => what).join(', and ');
}
