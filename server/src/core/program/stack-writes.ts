// Code that changes at run time which stack an event is delivered on: the IST field of a gate, an entry of the TSS. The
// model delivers by the tables as they stand, so that what such a write changes is not known.
import type { CodeNode } from '../machine/code.ts';
import type { StackWrite } from './unknown.ts';

/** Offset of IST1 in the 64-bit TSS (SDM vol. 3A, "Task Management in 64-bit Mode"), and behind IST7. */
const FIRST_IST = 36;
const BEHIND_IST = 92;

const GATE_IN_C = /\b(?:idt|gate)\w*\b[^=;]*\bist\b[^=;]*=(?!=)|\bist\s*\[[^\]]*\][^=;]*=(?!=)|this_cpu_(?:write|add|sub)\([^,]*\bist\b/i;

export function stackWritesOf(nodes: readonly (CodeNode | undefined)[], percpu: ReadonlyMap<string, number>): readonly StackWrite[] {
  const tss = percpu.get('cpu_tss_rw') ?? percpu.get('cpu_tss') ?? percpu.get('init_tss');
  const writes = nodes.filter((node): node is CodeNode => {
    if (node?.kind === 'operation') return GATE_IN_C.test(node.text);
    if (node?.kind !== 'instruction' || !/^(?:mov|add|sub|xchg|lea|and|or)/.test(node.mnemonic)) return false;
    const to = node.operands.at(-1);
    if (to?.kind !== 'memory' || to.base !== null) return false;
    if (/\bCPU_TSS_IST\b/.test(node.text)) return true;
    return tss !== undefined && to.segment === 'gs' && to.displacement >= tss + FIRST_IST && to.displacement < tss + BEHIND_IST;
  });
  return [...new Map(writes.map(({ symbol, text }) => [`${symbol}: ${text}`, { kind: 'stack-write', symbol, text } as const])).values()];
}
