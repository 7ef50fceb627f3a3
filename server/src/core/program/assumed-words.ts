// Words of memory whose content is not in view and that a sketch uses for what only the kernel can have put there: the
// base that WRGSBASE loads, the stack that RSP is loaded with. What they hold is an assumption, and is told as one.
import type { CodeNode, InstructionNode, MachineOperand } from '../machine/code.ts';
import { GLOBAL_REGION, PERCPU_REGION, regionBase } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';

export interface AssumedWord {
  readonly region: typeof PERCPU_REGION | typeof GLOBAL_REGION;
  /** Offset in the region, a multiple of 8. */
  readonly offset: number;
  readonly holds: 'per-CPU base' | 'task stack top';
  /** The operand as written, for whoever tells of it. */
  readonly text: string;
}

interface Word {
  readonly region: typeof PERCPU_REGION | typeof GLOBAL_REGION;
  readonly offset: number;
}

type Memory = MachineOperand & { readonly kind: 'memory' };

/** Instructions between the load of a register and its use. */
const NEAR = 6;

export function assumedWords(nodes: readonly (CodeNode | undefined)[], known: (word: Word) => boolean, sizes: { readonly percpu: number; readonly global: number }): readonly AssumedWord[] {
  const wordAt = (operand: MachineOperand | undefined): Word | null => {
    if (operand?.kind !== 'memory' || operand.base !== null) return null;
    if (operand.segment === 'gs') return operand.index === null && operand.displacement >= 0n && operand.displacement < BigInt(sizes.percpu) && operand.displacement % 8n === 0n ? { region: PERCPU_REGION, offset: Number(operand.displacement) } : null;
    const offset = operand.displacement - regionBase(GLOBAL_REGION);
    return operand.segment === null && offset >= 0n && offset < BigInt(sizes.global) && offset % 8n === 0n ? { region: GLOBAL_REGION, offset: Number(offset) } : null;
  };
  const keyOf = ({ region, offset }: Word): string => `${region} ${offset}`;
  const written = new Set<string>();
  for (const node of nodes) {
    const to = node?.kind === 'instruction' && !/^(?:cmp|test|push|bt[lq]?$)/.test(node.mnemonic) ? wordAt(node.operands.at(-1)) : null;
    if (to !== null) written.add(keyOf(to));
  }
  const found = new Map<string, AssumedWord>();
  const take = (from: { readonly node: InstructionNode; readonly operand: Memory } | null, holds: AssumedWord['holds']): void => {
    const word = from === null ? null : wordAt(from.operand);
    if (from === null || word === null || written.has(keyOf(word)) || known(word)) return;
    const text = /\s(\S+),/.exec(from.node.text)?.[1] ?? from.node.text;
    if (!found.has(keyOf(word))) found.set(keyOf(word), { ...word, holds, text });
  };
  for (const node of nodes) {
    if (node?.kind !== 'instruction') continue;
    const [first, second] = node.operands;
    if (node.mnemonic.startsWith('wrgsbase') && first?.kind === 'register') take(loadOf(nodes, node, first.register), 'per-CPU base');
    if (!node.mnemonic.startsWith('mov') || second?.kind !== 'register' || second.register !== RSP) continue;
    if (first?.kind === 'memory') take({ node, operand: first }, 'task stack top');
    if (first?.kind === 'register') take(loadOf(nodes, node, first.register), 'task stack top');
  }
  return [...found.values()];
}

/** The load from memory that a register has its value from, a little above in the text. */
function loadOf(nodes: readonly (CodeNode | undefined)[], use: InstructionNode, register: number): { readonly node: InstructionNode; readonly operand: Memory } | null {
  for (let id = use.id - 1; id >= use.id - NEAR && id >= 0; id -= 1) {
    const node = nodes[id];
    if (node?.kind !== 'instruction' || node.symbol !== use.symbol) return null;
    const to = node.operands.at(-1);
    if (to?.kind !== 'register' || to.register !== register) continue;
    const from = node.operands[0];
    return node.mnemonic.startsWith('mov') && from?.kind === 'memory' ? { node, operand: from } : null;
  }
  return null;
}
