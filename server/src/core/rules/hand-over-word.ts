// Words of memory that the host writes and the guest consumes, for the rules that look at them: per-CPU structures whose
// physical address the guest tells the host.
import type { Step, Tree } from '../tree/tree.ts';
import { isCall } from './tree-entries.ts';

/** Names of the structures: `apf_reason`, which a sketch need not show being told to the host. */
export function handOverAreas(tree: Tree): ReadonlySet<string> {
  const areas = new Set<string>(tree.design ? ['apf_reason'] : []);
  for (const one of tree.functions) {
    for (const step of one.graph().steps) {
      const name = isCall(step, /^slow_virt_to_phys$/) ? /^this_cpu_ptr\(&(\w+)\)$/.exec(step.arguments[0] ?? '')?.[1] : undefined;
      if (name !== undefined) areas.add(name);
    }
  }
  return areas;
}

/** The member that a step reads: `apf_reason.flags`; null for any other step. */
export function readOf(step: Step, areas: ReadonlySet<string>): string | null {
  if (step.kind !== 'call' || !/^(?:raw_|__)*this_cpu_read$/.test(step.name)) return null;
  return memberOf(step.arguments[0] ?? '', areas);
}

/** The member that a step sets to 0. */
export function clearOf(step: Step, areas: ReadonlySet<string>): string | null {
  if (step.kind !== 'call' || !/^(?:raw_|__)*this_cpu_write$/.test(step.name) || step.arguments[1] !== '0') return null;
  return memberOf(step.arguments[0] ?? '', areas);
}

/** `enabled` is the guest's own member. */
function memberOf(word: string, areas: ReadonlySet<string>): string | null {
  const match = /^(\w+)\.(\w+)$/.exec(word);
  return match === null || !areas.has(match[1] ?? '') || match[2] === 'enabled' ? null : word;
}
