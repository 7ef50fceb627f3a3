// The counter that bounds the recovery from machine checks in user data, for the two rules that look at it.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { entriesWithPlain, isCall } from './tree-entries.ts';

/** Whether a function is one of the handler for machine checks: other code queues nodes of the task as well. */
export function handlesMachineChecks(tree: Tree, one: TreeFunction): boolean {
  return tree.design || one.file.includes('/mce/');
}

/** A `task_work_add()` of a node that lives as long as the task. */
export function queuesPersistentNode(step: Step): boolean {
  return isCall(step, /^task_work_add$/) && /^&\w+->/.test(step.arguments[1] ?? '');
}

/** A sketch is about machine checks unless all that it shows is another handler's. */
export function isAboutMachineChecks(tree: Tree): boolean {
  if (!tree.design) return true;
  const entries = entriesWithPlain(tree);
  return entries.length === 0 || entries.some(({ vector }) => vector === 'MC');
}

/** The functions that it is called with, or that it stores itself, to be run as work of the task. */
export function queuedBy(tree: Tree, queue: TreeFunction): ReadonlySet<TreeFunction> {
  const callbacks = new Set(tree.functions.flatMap((caller) => caller.graph().steps.flatMap((step) => (isCall(step, /^\w+$/) && step.name === queue.name ? step.arguments.flatMap((name) => tree.resolve(name, caller.file) ?? []) : []))));
  for (const step of queue.graph().steps) {
    const named = step.kind === 'store' && /[.>]func$/.test(step.target) ? tree.resolve(step.value, queue.file) : null;
    if (named !== null) callbacks.add(named);
  }
  return callbacks;
}

export interface RetryCounter {
  /** The member of the task: `mce_count`. */
  readonly field: string;
  /** The counter and the local that holds its value. */
  readonly names: readonly string[];
}

/** The per-task counter that a function increments, or null. */
export function retryCounter(one: TreeFunction): RetryCounter | null {
  for (const step of one.graph().steps) {
    if (step.kind !== 'store') continue;
    const [, owner = '', field] = /^\+\+\s*(\w+)->(\w+)$/.exec(step.value) ?? [];
    if (field !== undefined && (owner === 'current' || field.includes('count'))) return { field, names: [step.target, `${owner}->${field}`] };
    const own = /^\w+->(\w+)$/.exec(step.target)?.[1];
    if (own !== undefined && (step.operator === '++' || (step.operator === '+=' && step.value === '1')) && /count/.test(own)) return { field: own, names: [step.target] };
  }
  return null;
}

/** What a condition says of the counter: its greatest and least value behind it; null where it says nothing. */
export function boundsOf(counter: RetryCounter, text: string, holds: boolean): { readonly most: number; readonly least: number } | null {
  for (const name of counter.names) {
    const match = new RegExp(`^${name.replace(/[^\w]/g, (one) => `\\${one}`)} (==|<|>) (\\d+)$`).exec(text);
    if (match === null) continue;
    const limit = Number(match[2]);
    if (match[1] === '>') return holds ? { most: Infinity, least: limit + 1 } : { most: limit, least: 0 };
    if (match[1] === '<') return holds ? { most: limit - 1, least: 0 } : { most: Infinity, least: limit };
    return holds ? { most: limit, least: limit } : null;
  }
  return null;
}
