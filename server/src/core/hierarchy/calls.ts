// Who calls whom in a tree's C entry code: calls by name, through pointers whose targets are in view, and functions that
// are handed over to be called later. What no pointer's target is known of stays unresolved and is said to be.
import { isKnown } from '../tree/primitives.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { targetsOf } from '../tree/watch.ts';
import type { CallStep } from '../tree/watch.ts';

/** `handed`: given as an argument, or registered, to be called later by code that need not be in view. */
export type CallKind = 'call' | 'pointer' | 'handed';

/** All places in one function that lead to another in one way. */
export interface CallEdge {
  readonly from: TreeFunction;
  readonly to: TreeFunction;
  readonly kind: CallKind;
  readonly steps: readonly Step[];
}

/** A call whose target is not in view. */
export interface OpenCall {
  readonly from: TreeFunction;
  /** Through a pointer: the name is its last member. */
  readonly indirect: boolean;
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface Calls {
  readonly incoming: (one: TreeFunction) => readonly CallEdge[];
  readonly outgoing: (one: TreeFunction) => readonly CallEdge[];
  readonly open: (one: TreeFunction) => readonly OpenCall[];
}

const kept = new WeakMap<Tree, Calls>();

/** The calls of a tree, indexed when they are first asked for. */
export function callsOf(tree: Tree): Calls {
  const before = kept.get(tree);
  if (before !== undefined) return before;
  const made = index(tree);
  kept.set(tree, made);
  return made;
}

function index(tree: Tree): Calls {
  const outgoing = new Map<TreeFunction, Map<string, { readonly to: TreeFunction; readonly kind: CallKind; readonly steps: Step[] }>>();
  const open = new Map<TreeFunction, Map<string, { readonly indirect: boolean; readonly name: string; readonly steps: Step[] }>>();
  const incoming = new Map<TreeFunction, CallEdge[]>();
  for (const from of tree.functions) {
    const edges = new Map<string, { readonly to: TreeFunction; readonly kind: CallKind; readonly steps: Step[] }>();
    const missing = new Map<string, { readonly indirect: boolean; readonly name: string; readonly steps: Step[] }>();
    const add = (to: TreeFunction, kind: CallKind, step: Step): void => {
      const key = `${kind} ${to.file}:${to.nameSpan.start}`;
      const known = edges.get(key);
      if (known === undefined) edges.set(key, { to, kind, steps: [step] });
      else known.steps.push(step);
    };
    for (const step of from.graph().steps) {
      if (step.kind !== 'call') continue;
      const targets = targetsOf(tree, step, from);
      for (const to of targets) add(to, step.indirect ? 'pointer' : 'call', step);
      for (const to of handedBy(tree, step, from)) add(to, 'handed', step);
      if (targets.length > 0 || (!step.indirect && isKnown(step.name))) continue;
      const known = missing.get(step.text);
      if (known === undefined) missing.set(step.text, { indirect: step.indirect, name: step.name, steps: [step] });
      else known.steps.push(step);
    }
    outgoing.set(from, edges);
    open.set(from, missing);
    for (const { to, kind, steps } of edges.values()) {
      const edge = { from, to, kind, steps: inOrder(steps) };
      const known = incoming.get(to);
      if (known === undefined) incoming.set(to, [edge]);
      else known.push(edge);
    }
  }
  return {
    incoming: (one) => incoming.get(one) ?? [],
    outgoing: (one) => [...(outgoing.get(one)?.values() ?? [])].map(({ to, kind, steps }) => ({ from: one, to, kind, steps: inOrder(steps) })).sort((a, b) => firstOf(a.steps) - firstOf(b.steps)),
    open: (one) => [...(open.get(one)?.values() ?? [])].map((call) => ({ from: one, ...call, steps: inOrder(call.steps) })).sort((a, b) => firstOf(a.steps) - firstOf(b.steps)),
  };
}

/** Functions in view among the arguments of a call. */
function handedBy(tree: Tree, step: CallStep, from: TreeFunction): readonly TreeFunction[] {
  return step.arguments.flatMap((argument) => {
    const name = /^&?([A-Za-z_]\w*)$/.exec(argument)?.[1];
    return name === undefined || from.parameters.includes(name) ? [] : (tree.resolve(name, from.file) ?? []);
  });
}

function inOrder(steps: readonly Step[]): readonly Step[] {
  return [...steps].sort((a, b) => a.span.start - b.span.start);
}

function firstOf(steps: readonly Step[]): number {
  return steps[0]?.span.start ?? 0;
}
