// Outcomes of conditions that a path remembers: sets of them, interned so that equal sets are one value and what a step
// makes of a set is worked out once.
import type { Step } from './tree.ts';

/** Outcomes by the text of the condition. Sets of one `createFacts` are equal where they are the same value. */
export interface FactSet {
  readonly id: number;
  readonly texts: ReadonlyMap<string, boolean>;
  /** What steps made of it. */
  readonly made: {
    readonly holding: Map<string, FactSet>;
    readonly failing: Map<string, FactSet>;
    readonly without: Map<string, FactSet>;
    readonly behind: Map<Step, FactSet>;
    passed: FactSet | null;
  };
  readonly intern: (texts: ReadonlyMap<string, boolean>) => FactSet;
}

/** Interns sets: those of one walk, or of all walks over a tree. */
export function createFacts(): (texts: ReadonlyMap<string, boolean>) => FactSet {
  const known = new Map<string, FactSet>();
  const intern = (texts: ReadonlyMap<string, boolean>): FactSet => {
    const key = spelled(texts);
    const before = known.get(key);
    if (before !== undefined) return before;
    const set: FactSet = { id: known.size, texts, made: { holding: new Map(), failing: new Map(), without: new Map(), behind: new Map(), passed: null }, intern };
    known.set(key, set);
    return set;
  };
  return intern;
}

function spelled(texts: ReadonlyMap<string, boolean>): string {
  if (texts.size === 0) return '';
  return [...texts].map(([text, holds]) => `${holds ? '' : '!'}${text}`).sort().join(',');
}

function once<K>(made: Map<K, FactSet>, key: K, make: () => FactSet): FactSet {
  const before = made.get(key);
  if (before !== undefined) return before;
  const set = make();
  made.set(key, set);
  return set;
}

function filtered(held: FactSet, keep: (text: string) => boolean): FactSet {
  const kept = [...held.texts].filter(([text]) => keep(text));
  return kept.length === held.texts.size ? held : held.intern(new Map(kept));
}

export function withFact(held: FactSet, text: string, holds: boolean): FactSet {
  if (held.texts.get(text) === holds) return held;
  return once(holds ? held.made.holding : held.made.failing, text, () => held.intern(new Map(held.texts).set(text, holds)));
}

/** What holds in a callee too: it is said of the interrupted context and of the CPU. */
export function passed(held: FactSet): FactSet {
  if (held.texts.size === 0) return held;
  held.made.passed ??= filtered(held, (text) => /^(?:user_mode\(\w*regs\)|in_nmi\(\)|cpu_feature_enabled\(\w+\))$/.test(text));
  return held.made.passed;
}

/** Behind a store to a target: what names it is not known any more. */
export function without(held: FactSet, target: string): FactSet {
  if (held.texts.size === 0) return held;
  return once(held.made.without, target, () => {
    const word = new RegExp(`\\b${target.replace(/[^\w]/g, '.')}\\b`);
    return filtered(held, (text) => !word.test(text));
  });
}

/** A call forgets the outcome of calls like itself, and of what it got the address of. */
export function afterCall(held: FactSet, step: Step & { readonly kind: 'call' }): FactSet {
  if (held.texts.size === 0) return held;
  return once(held.made.behind, step, () => {
    let kept = held;
    if (!/^(?:user_mode|in_nmi|cpu_feature_enabled)\(/.test(step.text)) kept = filtered(kept, (text) => text !== step.text);
    for (const argument of step.arguments) {
      const name = /^&([A-Za-z_]\w*)/.exec(argument)?.[1];
      if (name !== undefined) kept = without(kept, name);
    }
    return kept;
  });
}
